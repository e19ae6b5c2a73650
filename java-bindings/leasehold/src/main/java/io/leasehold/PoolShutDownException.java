package io.leasehold;

/** The pool was shut down before or while it was asked for a connection. */
public final class PoolShutDownException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception without the name of a pool. */
    public PoolShutDownException() {
        this("");
    }

    /** Of a pool of this name, which stands behind a space; empty for none. */
    private PoolShutDownException(String name) {
        super("the connection pool" + name + " was shut down: create a new one to lease connections again");
    }

    static PoolShutDownException of(PoolName name) {
        return new PoolShutDownException(" " + name);
    }
}
