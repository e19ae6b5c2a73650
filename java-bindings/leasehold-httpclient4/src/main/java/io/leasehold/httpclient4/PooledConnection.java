package io.leasehold.httpclient4;

import io.leasehold.Cause;
import io.leasehold.CoarseClock;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.managed.ManagedSocket;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.io.IOException;
import java.net.Socket;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.logging.Log;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.BHttpConnectionBase;
import org.apache.http.impl.conn.ConnectionShutdownException;

/**
 * HttpClient's connection with what the manager notes of it, from its making to its end. Users never see it, only a
 * {@link LeasedConnection} that ends with the lease.
 *
 * <p>It leads to its attributes, its factory's configuration, its socket's factory, and so to the application and its manager: who refers
 * to whom is said at {@link WeakConnection}. Nothing here refers to a lease.
 *
 * <p>Its fields are written by the holder of its lease, and handed to the next holder by the pool; enumerations read them without
 * a lock and may see what was true a moment ago.
 */
final class PooledConnection {
    /** Tells a log of leases that were lost to the collector. */
    static LeakListener<HttpRoute, PooledConnection> leakListener(Log log) {
        return (route, connection) -> {
            log.warn("Connection reclaimed by garbage collector, it was never released: "
                    + (connection == null ? "[route: " + route + "]" : connection.toString())
                    + (connection != null && connection.socketShown ? ", its socket is left to whoever has asked for it" : ""));
        };
    }

    /** Closes what a pool lets go, but for a socket that somebody may have taken over. */
    static final Disposer<PooledConnection> DISPOSER = new Disposer<PooledConnection>() {
        @Override
        public void dispose(PooledConnection connection, Cause cause) {
            if (cause == Cause.LEAKED && connection.socketShown) {
                connection.leave();
            } else {
                connection.end();
            }
        }

        @Override
        public void letGo(PooledConnection connection, Cause cause) {
            connection.logCause(cause);
        }

        @Override
        public boolean mayBlock(PooledConnection connection) {
            return connection.mayBlockToClose();
        }
    };

    private static final AtomicLong COUNTER = new AtomicLong();

    private static final int UNKNOWN_TIMEOUT = -1;

    // Whether a class checks more than HttpClient's own, which does no more than to read.
    private static final ClassValue<Boolean> HAS_OWN_CHECK = new ClassValue<Boolean>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            try {
                return type.getMethod("isStale").getDeclaringClass() != BHttpConnectionBase.class;
            } catch (NoSuchMethodException e) {
                throw new AssertionError("it is a connection", e);
            }
        }
    };

    private final WeakConnection<PooledConnection> cell = new WeakConnection<>(this);
    private final ManagedConnections<PooledConnection> connections;
    private final ManagedSocket socket;
    private final Loggers loggers;
    private final String id = Long.toString(COUNTER.getAndIncrement());
    private final HttpRoute route;
    private final ManagedHttpClientConnection connection;
    private final boolean hasOwnCheck;
    // Milliseconds of the wall clock, for log lines, enumerations and the period of validation: the pool has its own clock.
    private final long created = CoarseClock.currentTimeMillis();
    private final long validUntil;
    private long updated = created;
    private long expiry;
    // To whom it is bound; the state itself as it was given, and what keeps it known to the pool.
    private Object state;
    private WeakInterner.Held<Object> held;
    private boolean routeComplete;
    // Whether a request was sent in this lease, so that what waits to be read is its response.
    private boolean isUsed;
    // Whether its user connected it to somewhere else than its lease is for.
    private boolean astray;
    // The socket's timeout, as long as nobody but us can have set it.
    private int timeout = UNKNOWN_TIMEOUT;
    // Whether its user has seen the socket, and may go on with it alone.
    private boolean socketShown;
    // Whether its manager holds it no more. Written by whoever ends it, before it is closed, and read by whoever opens it, after it is
    // open: a lease may be ended under the one who connects, by an abort or a shutdown, and then one of the two closes what was opened.
    private volatile boolean gone;
    // Whether it is closed with a reset when it ends. Written by who shuts the manager down, read by whoever ends it.
    private volatile boolean endsWithReset;

    /**
     * A connection not opened yet, to be one of those of a manager; {@code timeToLive} is in milliseconds, not positive for no end.
     */
    PooledConnection(ManagedHttpClientConnection connection, HttpRoute route, long timeToLive,
            ManagedConnections<PooledConnection> connections, Loggers loggers) {
        this.connection = connection;
        hasOwnCheck = HAS_OWN_CHECK.get(connection.getClass());
        this.route = route;
        this.connections = connections;
        this.loggers = loggers;
        socket = connections.socket();
        validUntil = after(created, timeToLive);
        expiry = validUntil;
    }

    /** Fills a vacancy, or the place of a dead connection, with it. Should that fail, it is closed. */
    void fill(Lease<WeakConnection<PooledConnection>> lease) {
        boolean isFilled = false;
        try {
            connections.fill(lease, cell);
            isFilled = true;
        } finally {
            if (!isFilled) {
                end();
            }
        }
    }

    String id() {
        return id;
    }

    HttpRoute route() {
        return route;
    }

    /** HttpClient's connection. */
    ManagedHttpClientConnection connection() {
        return connection;
    }

    long created() {
        return created;
    }

    long validUntil() {
        return validUntil;
    }

    long updated() {
        return updated;
    }

    long expiry() {
        return expiry;
    }

    Object state() {
        return state;
    }

    /** What the pool knows the state by; null for none. */
    WeakInterner.Key<Object> key() {
        return WeakInterner.key(held);
    }

    /** Notes, before a release, for whom it is and for how long the server keeps it: milliseconds, not positive for no end. */
    void keep(Object state, WeakInterner.Held<Object> held, long millis) {
        this.state = state;
        this.held = held;
        isUsed = false;
        updated = CoarseClock.currentTimeMillis();
        expiry = Math.min(after(updated, millis), validUntil);
    }

    private static long after(long start, long millis) {
        return millis <= 0 || millis > Long.MAX_VALUE - start ? Long.MAX_VALUE : start + millis;
    }

    /**
     * Sets the socket's timeout. If that is known to be in force nothing is done, which spares two locks at each lease and at each release,
     * unless HttpClient's connection would log a line of it.
     */
    void setSocketTimeout(int millis) {
        if (millis != timeout || loggers.connection.isDebugEnabled()) {
            connection.setSocketTimeout(millis);
            timeout = socketShown ? UNKNOWN_TIMEOUT : millis;
        }
    }

    /** The socket, whose timeout may be set by whoever sees it. */
    Socket showSocket() {
        socketShown = true;
        timeout = UNKNOWN_TIMEOUT;
        return connection.getSocket();
    }

    /**
     * A socket was connected or layered for this route.
     *
     * @throws ConnectionShutdownException if the lease was ended meanwhile
     */
    void connected(HttpRoute route, Lease<WeakConnection<PooledConnection>> lease) throws IOException {
        if (gone) {
            shutDown();
            throw new ConnectionShutdownException();
        }
        timeout = UNKNOWN_TIMEOUT;
        astray |= !this.route.equals(route);
        Socket present = connection.getSocket();
        socket.connected(present);
        if (!socket.attach(present, lease)) {
            throw new ConnectionShutdownException();
        }
    }

    void completeRoute() {
        routeComplete = true;
    }

    boolean isOpen() {
        return connection.isOpen();
    }

    /** Whether it may serve another request. */
    boolean isReusable() {
        return connection.isOpen() && routeComplete && !astray;
    }

    /** A request is about to be sent. */
    void beginRequest() {
        isUsed = true;
    }

    /** Whether it is closed, or its peer has closed it: by its own check after a request, and where that cannot be told otherwise. */
    boolean isStale() {
        if (isUsed) {
            return connection.isStale();
        }
        Liveness seen = liveness();
        return seen == Liveness.UNKNOWN ? isStaleByItsOwnCheck() : seen == Liveness.CLOSED;
    }

    /**
     * What can be told before a request without trying to read for a millisecond. Unknown is what the operating system cannot be asked
     * of, where TLS may have had something to say to itself, and where the application's own class has a say.
     */
    Liveness liveness() {
        if (!connection.isOpen()) {
            return Liveness.CLOSED;
        }
        Liveness seen = socket.liveness(connection.getSocket(), route.isSecure());
        return seen == Liveness.ALIVE && hasOwnCheck ? Liveness.UNKNOWN : seen;
    }

    /** Whether closing it may wait for its peer. */
    private boolean mayBlockToClose() {
        return socket.mayBlockToClose(connection.getSocket());
    }

    /** Whether it is stale by its own check: HttpClient's tries to read for a millisecond. */
    boolean isStaleByItsOwnCheck() {
        try {
            // Gives a connection that was never used its streams, without which it cannot be asked.
            connection.flush();
            return connection.isStale();
        } catch (IOException e) {
            return true;
        }
    }

    /** Closes it in an orderly way. */
    void close() throws IOException {
        connection.close();
    }

    /** Closes it with a reset. */
    void shutDown() throws IOException {
        connection.shutdown();
    }

    /** Closes it with a reset, now or, if that may wait for its peer, where it ends. */
    void shutDownWithoutDelay() throws IOException {
        if (mayBlockToClose()) {
            endsWithReset = true;
        } else {
            shutDown();
        }
    }

    /** The pool has let go of it, which is said at once, also if it is closed on another thread. */
    private void logCause(Cause cause) {
        if (cause == Cause.EXPIRED) {
            logExpired();
        } else if (cause == Cause.PEER_CLOSED && loggers.pool.isDebugEnabled() && isOpen()
                // Where the watch has failed, the pool says so of a plain one with unasked bytes too.
                && socket.isClosed(connection.getSocket())) {
            loggers.pool.debug("Connection " + asEntry() + " closed by its peer");
        }
    }

    void logExpired() {
        if (loggers.pool.isDebugEnabled()) {
            loggers.pool.debug("Connection " + asEntry() + " expired @ " + new Date(expiry));
        }
    }

    /** Its manager holds it no more, and it is closed. */
    void end() {
        leave();
        closeQuietly();
    }

    /** Its manager holds it no more. */
    private void leave() {
        gone = true;
        connections.leave(this);
    }

    /** Closes it, with a reset if that was to come; what fails is logged. */
    void closeQuietly() {
        try {
            if (endsWithReset) {
                shutDown();
            } else {
                close();
            }
        } catch (IOException e) {
            loggers.pool.debug("I/O error closing connection", e);
        }
    }

    /** As HttpClient's pool entries print. */
    String asEntry() {
        return "[id:" + id + "][route:" + route + "][state:" + state + "]";
    }

    /** As the lines of HttpClient's manager name it. */
    @Override
    public String toString() {
        return "[id: " + id + "][route: " + route + "]" + (state == null ? "" : "[state: " + state + "]");
    }
}
