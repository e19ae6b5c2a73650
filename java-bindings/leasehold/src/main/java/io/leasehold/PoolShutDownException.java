package io.leasehold;

/** The pool was shut down before or while it was asked for a connection. */
public final class PoolShutDownException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception with its one message. */
    public PoolShutDownException() {
        super("the connection pool was shut down: create a new one to lease connections again");
    }
}
