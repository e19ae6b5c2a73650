package io.leasehold.managed;

import io.leasehold.Lease;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The connections of one manager, which alone holds them strongly, as {@link WeakConnection} says, and how their sockets are treated.
 * A connection may refer to it, so it refers to neither the manager nor the pool.
 *
 * <p>Safe for use by several threads.
 *
 * @param <T> the type of the connections, which are told apart by {@code equals}
 */
public final class ManagedConnections<T> {
    private final Set<T> held = ConcurrentHashMap.newKeySet();
    private final ManagedSockets sockets = new ManagedSockets();

    /** None is held. */
    public ManagedConnections() {}

    /** How the connections' sockets are treated. */
    ManagedSockets sockets() {
        return sockets;
    }

    /**
     * The socket of a connection, of which nothing is known yet.
     *
     * @return one for each connection, treated as the manager's user has set it
     */
    public ManagedSocket socket() {
        return new ManagedSocket(sockets);
    }

    /**
     * Fills a vacancy with a connection, which is held from then on. Should that fail, it is not, and closing it is left to the caller.
     *
     * @param vacancy the lease
     * @param connection what the pool is to keep of the connection, to which the caller refers as well
     * @throws RuntimeException as {@link Lease#opened}
     */
    public void fill(Lease<WeakConnection<T>> vacancy, WeakConnection<T> connection) {
        T filling = connection.get();
        boolean isFilled = false;
        try {
            // First, as the pool may dispose of it at once.
            hold(filling);
            vacancy.opened(connection);
            isFilled = true;
        } finally {
            if (!isFilled) {
                leave(filling);
            }
        }
    }

    /**
     * Holds a connection from now on.
     *
     * @param connection the connection
     */
    public void hold(T connection) {
        held.add(connection);
    }

    /**
     * Holds a connection no more: it was closed, or left to somebody else. Does nothing if it was not held.
     *
     * @param connection the connection
     */
    public void leave(T connection) {
        held.remove(connection);
    }
}
