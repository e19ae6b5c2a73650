package io.leasehold;

import io.leasehold.internal.housekeeping.Closings;
import io.leasehold.internal.housekeeping.Housekeeper;
import io.leasehold.internal.housekeeping.HousekeeperThread;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.SecondDescriptor;
import io.leasehold.internal.sockets.Attachment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How a pool parts with its connections: what its disposer is told and asked, whatever it throws, and on which thread it closes
 * them. Like the pool's state, it does not refer to the pool.
 */
final class Disposal {
    /** How often, a second apart, the housekeeper tries to have a connection closed aside while memory is short. */
    private static final int MOST_TRIES = 60;

    private final PoolName name;
    private final Disposer<Object> disposer;
    private final Termination termination;
    // ----- written by whoever opens a connection, and by whoever closes it or gives it back -----
    // How many connections came to the pool and have neither been closed nor gone back to who opened them.
    private final AtomicInteger connections = new AtomicInteger();

    @SuppressWarnings("unchecked") // Given what came in through the pool's own typed methods.
    Disposal(PoolName name, Disposer<?> disposer, Termination termination) {
        this.name = name;
        this.disposer = (Disposer<Object>) disposer;
        this.termination = termination;
    }

    /** A connection is to be the pool's. */
    void came() {
        connections.incrementAndGet();
    }

    /** A connection is its holder's again, or was closed. */
    void went() {
        if (connections.decrementAndGet() == 0) {
            termination.tell();
        }
    }

    /** Whether every connection that came has gone. */
    boolean hasClosedAll() {
        return connections.get() == 0;
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
        Log.debugOf(name, Texts.DISPOSING, last.route(), Texts.DISPOSING_FOR, cause);
        letGo(connection, cause);
        // A leaked one may be in the middle of anything.
        if (cause == Cause.LEAKED || mayBlock(connection)) {
            closeAside(connection, attachment, cause);
        } else {
            close(connection, cause);
        }
    }

    /** On another thread, if one can be had. */
    private void closeAside(Object connection, Attachment attachment, Cause cause) {
        for (int tries = 0; ; tries++) {
            try {
                Closings.add(new Closing(this, connection, attachment, cause));
                return;
            } catch (Throwable e) {
                // The housekeeper must not wait for a peer, and has nothing to do in the meantime that needs no memory.
                if (tries == MOST_TRIES || !HousekeeperThread.isCurrent()) {
                    break;
                }
                Housekeeper.pause();
            }
        }
        // Whatever has failed, it was not the close itself, which nobody else would do.
        close(connection, cause);
    }

    private void letGo(Object connection, Cause cause) {
        try {
            disposer.letGo(connection, cause);
        } catch (Throwable e) {
            Log.warnOf(name, Texts.LET_GO_FAILED, cause, Texts.LET_GO_FAILED_END, e);
        }
    }

    /** Whether closing a connection may wait for its peer. */
    private boolean mayBlock(Object connection) {
        try {
            return disposer.mayBlock(connection);
        } catch (Throwable e) {
            Log.warnOf(name, Texts.MAY_BLOCK_FAILED, e);
            return true;
        }
    }

    /** Closes a connection, whatever the disposer throws. */
    void close(Object connection, Cause cause) {
        try {
            disposer.dispose(connection, cause);
        } catch (Throwable e) {
            Log.warnOf(name, Texts.CLOSE_FAILED, cause, Texts.CLOSE_FAILED_END, e);
        } finally {
            went();
        }
    }

    /** One connection to be closed. */
    static final class Closing extends Closings.Task {
        private final Disposal disposal;
        private final Object connection;
        private final Attachment attachment;
        private final Cause cause;
        // ----- written by the disposer's thread, read by the housekeeper's -----
        // While the close is under way; null where there is none to be had. Race window: the close may end while the housekeeper cuts it
        // short. It is harmless because the descriptor itself knows whether it is closed.
        private volatile SecondDescriptor second;

        Closing(Disposal disposal, Object connection, Attachment attachment, Cause cause) {
            this.disposal = disposal;
            this.connection = connection;
            this.attachment = attachment;
            this.cause = cause;
        }

        @Override
        protected void run() {
            try {
                begin();
            } catch (Throwable e) {
                Log.warnOf(disposal.name, Texts.SOCKET_FAILED, e);
            }
            try {
                disposal.close(connection, cause);
            } finally {
                SecondDescriptor last = second;
                if (last != null) {
                    last.close();
                }
            }
        }

        private void begin() {
            if (attachment != null) {
                second = attachment.duplicate();
                if (second == null) {
                    attachment.boundReads((int) TimeUnit.NANOSECONDS.toMillis(Closings.BOUND));
                }
                attachment.doNotLinger();
            }
        }

        @Override
        protected void cutShort() {
            SecondDescriptor present = second;
            if (present != null) {
                present.shutdown();
            }
        }
    }
}
