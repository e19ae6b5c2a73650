package io.leasehold;

import io.leasehold.internal.housekeeping.CollectedPhantom;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;

/**
 * Notices that a lease was collected without having been ended. A phantom reference, so that finalizers which end the
 * lease come first.
 */
final class LeaseRef extends CollectedPhantom<Object> {
    /** Whom a lease's collection is told. */
    interface Owner {
        /** A lease was collected without having been ended. On the housekeeper's thread. */
        void leaked(LeaseRef lease, Effects effects);
    }

    /** In the place of a handle: the lease has ended, or has not begun. No handle is this number, nor negative. */
    static final long ENDED = 0;

    private final Owner owner;

    // ----- written by the thread that leases, and by whoever ends the lease, inside this object's monitor unless that is a hit -----
    /**
     * The engine's handle. Inside the monitor, in which a lease is ended, its slot is not yet anybody else's. What the engine has given and
     * what is not made a lease yet is the handle's negative: see {@link ConnectionPool#tryLeaseAgain}. Who has the lease that has ended
     * still leaves that alone.
     *
     * <p>Who ends the lease says so here before it asks the engine, and takes that back if the engine has not ended it: once it has, the
     * entry may be leased again, and this be the next lease's reference already.
     *
     * <p>Race window: another thread that asks outside the monitor whether the lease has ended may get either answer. It is harmless
     * because whatever it does then asks the engine, or looks again inside the monitor. One that would end it meanwhile is told that this
     * was done before. It is harmless because whoever is at it goes on to the end, or is thrown an error and may say it again.
     */
    long handle;

    // ----- written by the thread that leases; the state under the monitor by a release to another one, before the engine hears of it -----
    // What the route was, and the state, which is always the one the entry is bound to.
    RouteRef route;
    StateRef boundTo;
    // Who the connection was bound to when it was leased, for giving it back as it was; where the lease may be bound at all.
    StateRef boundBefore;

    // ----- written by who fails to hand the lease over, before he says so in the pool's Strays; taken back by who has given it back -----
    /**
     * The handle of the lease that has strayed, or {@link #ENDED}.
     *
     * <p>Race window: two may find it, and the second take the mark back when the first has ended the lease. It is harmless because the
     * lease is ended once, and another one has another handle.
     */
    long stray;

    // ----- guarded by the monitor of the pool's Strays -----
    /** The one that had strayed before this one. */
    LeaseRef strayBefore;

    /**
     * Creates the reference of a lease that has not begun.
     *
     * @param lease the lease
     * @param owner whom its collection is told; leads neither to the lease nor to its pool
     * @param boundTo the state that is asked with, or null
     */
    LeaseRef(Object lease, Owner owner, StateRef boundTo) {
        super(lease);
        this.owner = owner;
        this.boundTo = boundTo;
    }

    /**
     * Whether the lease has ended.
     *
     * @return true if it was ended through its own object
     */
    boolean isEnded() {
        return handle <= ENDED;
    }

    /** Takes a grant; what else the engine may have answered changes nothing. */
    void take(RouteRef route, long answer) {
        if (Engine.isGrant(answer)) {
            this.route = route;
            handle = Engine.handle(answer);
        }
    }

    /** It is that of another lease, of a connection that is bound to nobody. */
    void beginAgain(RouteRef route, long handle) {
        if (this.route != route) {
            this.route = route;
        }
        boundBefore = null;
        this.handle = handle;
    }

    /**
     * Whether the lease was asked for with a state.
     *
     * @return true if it was, or was released to one
     */
    boolean isBound() {
        return boundTo != null;
    }

    /**
     * The state that the lease was asked with.
     *
     * @return the state, or null
     */
    StateRef boundTo() {
        return boundTo;
    }

    /**
     * Who the connection was bound to when it was leased.
     *
     * @return the state, or null for nobody
     */
    StateRef boundBefore() {
        return boundBefore;
    }

    /**
     * The route.
     *
     * @return what the pool's user calls it
     */
    Object route() {
        return route.route;
    }

    /**
     * What a lease that has ended answers.
     *
     * @return the exception
     */
    static IllegalStateException ended() {
        return new IllegalStateException("this lease has ended: it ends once, and its connection must not be used after that");
    }

    @Override
    public void collected(Effects effects) {
        if (handle > ENDED) {
            owner.leaked(this, effects);
        }
    }
}
