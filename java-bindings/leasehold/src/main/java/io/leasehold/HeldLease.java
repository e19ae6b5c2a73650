package io.leasehold;

import io.leasehold.internal.log.Log;

/** A lease that goes on, or went on a moment ago, as it was seen. Immutable. */
public final class HeldLease {
    private final Object route;
    private final long heldMillis;
    private final boolean isVacancy;
    private final LeaseStack stack;

    HeldLease(Object route, long heldMillis, boolean isVacancy, LeaseStack stack) {
        this.route = route;
        this.heldMillis = heldMillis;
        this.isVacancy = isVacancy;
        this.stack = stack;
    }

    /**
     * Where the connection goes to.
     *
     * @return the route, one of the pool's type of routes
     */
    public Object route() {
        return route;
    }

    /**
     * For how long the lease has been held, or for how long its connection has been open if it was opened in it.
     *
     * @return milliseconds, kept to some
     */
    public long heldMillis() {
        return heldMillis;
    }

    /**
     * Whether its connection is being opened, or was not opened yet.
     *
     * @return true if it was a vacancy
     */
    public boolean isVacancy() {
        return isVacancy;
    }

    /**
     * Where the lease was taken.
     *
     * @return null if the pool does not {@linkplain ConnectionPool#setLeaseStacks note} it, or did not when the lease was taken
     */
    public LeaseStack stack() {
        return stack;
    }

    /** What it says without the route. */
    String described() {
        StringBuilder text = new StringBuilder("held for ");
        text.append(heldMillis).append(" ms");
        if (isVacancy) {
            text.append(", not open yet");
        }
        if (stack != null) {
            text.append(", by thread \"").append(stack.thread()).append('"');
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return "[route: " + Log.shown(route) + "; " + described() + "]";
    }
}
