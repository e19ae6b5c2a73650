package io.leasehold;

/** As many requests wait for a connection as {@link ConnectionPool.Builder#maxWaiters(int)} allows. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param maxWaiters the bound that was reached
     */
    public QueueFullException(int maxWaiters) {
        this(message(maxWaiters));
    }

    QueueFullException(String message) {
        super(message);
    }

    static String message(int maxWaiters) {
        return maxWaiters + " requests wait for a connection already: "
                + "raise maxWaiters or the limits of the pool, or send less at once";
    }
}
