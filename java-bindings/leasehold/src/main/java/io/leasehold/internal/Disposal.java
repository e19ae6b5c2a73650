package io.leasehold.internal;

import io.leasehold.Cause;
import io.leasehold.Disposer;

/**
 * How a pool parts with its connections: what its disposer is told and asked, whatever it throws, and on which thread it closes
 * them. Like the pool's state, it does not refer to the pool.
 */
final class Disposal {
    private final Disposer<Object> disposer;

    @SuppressWarnings("unchecked") // Given what came in through the pool's own typed methods.
    Disposal(Disposer<?> disposer) {
        this.disposer = (Disposer<Object>) disposer;
    }

    /**
     * Disposes of a connection that was taken out of its cell, and so is nobody else's.
     *
     * @param last its last lease's reference
     * @param connection the connection; null if there was none
     * @param attachment its socket, or null
     */
    void dispose(LeaseRef last, Object connection, Attachment attachment, Cause cause) {
        if (connection == null) {
            return;
        }
        try {
            Log.debug(() -> "disposing of a connection to " + last.route() + ": " + cause);
            letGo(connection, cause);
            // A leaked one may be in the middle of anything.
            if (cause == Cause.LEAKED || mayBlock(connection)) {
                Closings.add(this, connection, attachment, cause);
                return;
            }
        } catch (Throwable e) {
            // Whatever has failed, it was not the close itself, which nobody else would do.
        }
        close(connection, cause);
    }

    private void letGo(Object connection, Cause cause) {
        try {
            disposer.letGo(connection, cause);
        } catch (Throwable e) {
            Log.warn("a disposer failed when it was told that a connection was let go (" + cause + ")", e);
        }
    }

    /** Whether closing a connection may wait for its peer. */
    private boolean mayBlock(Object connection) {
        try {
            return disposer.mayBlock(connection);
        } catch (Throwable e) {
            Log.warn("a disposer failed to say whether closing a connection may block: it is taken to", e);
            return true;
        }
    }

    /** Closes a connection, whatever the disposer throws. */
    void close(Object connection, Cause cause) {
        try {
            disposer.dispose(connection, cause);
        } catch (Throwable e) {
            Log.warn("a disposer failed to close a connection (" + cause + "): it may still be open", e);
        }
    }
}
