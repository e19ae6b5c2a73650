package io.leasehold;

/**
 * A state's id. It is taken for another state only after this object was collected: whoever uses the id, a lease under
 * way or an idle connection bound to it, holds on to this object.
 */
final class StateRef {
    /** The id of no state. */
    static final int NO_STATE = 0;

    final int id;

    StateRef(int id) {
        this.id = id;
    }

    /** The engine's id of a state; null is none. */
    static int idOf(StateRef state) {
        return state == null ? NO_STATE : state.id;
    }
}
