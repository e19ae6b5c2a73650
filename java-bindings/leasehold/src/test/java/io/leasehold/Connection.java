package io.leasehold;

/** A connection of the tests' own: it knows whether it was closed, and why. */
final class Connection {
    private final String name;
    volatile Cause closedFor;

    Connection(String name) {
        this.name = name;
    }

    boolean isOpen() {
        return closedFor == null;
    }

    @Override
    public String toString() {
        return name;
    }
}
