package io.leasehold.managed;

import io.leasehold.Cause;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.LeaseStack;
import java.lang.ref.WeakReference;

/**
 * What a pool keeps of a manager's connection.
 *
 * <p><b>Who refers to whom.</b> A pool's cells outlive the pool, so that its connections can be disposed of, and what a cell refers to is
 * never collected before. A connection, though, leads anywhere: to its parameters or attributes, to its socket's factory, and so to the
 * application and its manager. So the pool is given this, a weak reference, and the manager alone holds its connections strongly, in its
 * {@link ManagedConnections}. A manager that nobody refers to goes with all its idle connections, and the JDK closes their sockets. For the
 * same reason a connection must not refer to its lease, which must be collectable while its connection is not. Once the pool has let a
 * connection go, though, it is held here until it was disposed of: it may wait for a thread, while nobody else has it any more.
 *
 * @param <T> the type of the connections
 */
public final class WeakConnection<T> extends WeakReference<T> {
    // The connection while it waits to be disposed of, which a collection must not come before. Written by the thread that lets it go, and
    // by the one that disposes of it, to which the first hands it; read by the collector alone.
    private Object waiting;

    /**
     * Stands for a connection; one for each, which the connection may refer to.
     *
     * @param connection the connection
     */
    public WeakConnection(T connection) {
        super(connection);
    }

    /** A disposer of connections as a pool wants it: of what was collected there is nothing left to be closed. */
    static <T> Disposer<WeakConnection<T>> disposer(Disposer<? super T> disposer) {
        return new Disposer<WeakConnection<T>>() {
            @Override
            public void letGo(WeakConnection<T> cell, Cause cause) {
                T connection = cell.get();
                if (connection != null) {
                    cell.waiting = connection;
                    disposer.letGo(connection, cause);
                }
            }

            @Override
            public void dispose(WeakConnection<T> cell, Cause cause) {
                T connection = cell.get();
                cell.waiting = null;
                if (connection != null) {
                    disposer.dispose(connection, cause);
                }
            }

            @Override
            public boolean mayBlock(WeakConnection<T> cell) {
                T connection = cell.get();
                return connection != null && disposer.mayBlock(connection);
            }
        };
    }

    /** A leak listener as a pool wants it: of a vacancy, and of what was collected, it is told null. */
    static <R, T> LeakListener<R, WeakConnection<T>> leakListener(LeakListener<? super R, ? super T> listener) {
        return new LeakListener<R, WeakConnection<T>>() {
            @Override
            public void leaked(R route, WeakConnection<T> cell) {
                leaked(route, cell, null);
            }

            @Override
            public void leaked(R route, WeakConnection<T> cell, LeaseStack stack) {
                listener.leaked(route, cell == null ? null : cell.get(), stack);
            }
        };
    }
}
