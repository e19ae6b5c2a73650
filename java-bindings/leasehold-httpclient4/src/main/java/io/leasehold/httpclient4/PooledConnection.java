package io.leasehold.httpclient4;

import io.leasehold.Cause;
import io.leasehold.CoarseClock;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.ManagedSockets;
import io.leasehold.SocketProbe;
import io.leasehold.managed.WeakInterner;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.util.Date;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.BHttpConnectionBase;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/**
 * HttpClient's connection with what the manager notes of it, from its making to its end. Users never see it, only a
 * {@link LeasedConnection} that ends with the lease.
 *
 * <p><b>Who refers to whom.</b> A pool's cells outlive the pool, so that its connections can be disposed of, and what a cell refers to
 * is never collected before. A connection, though, leads anywhere: to its attributes, its factory's configuration, its socket's
 * factory, and so to the application and its manager. So the pool is given a {@link Cell}, a weak reference, and the manager alone holds
 * its connections strongly, in {@link Home}. A manager that nobody refers to goes with all its idle connections, and the JDK
 * closes their sockets. Nothing here refers to a lease, which must be collectable while its connection is not.
 *
 * <p>Its fields are written by the holder of its lease, and handed to the next holder by the pool; enumerations read them without
 * a lock and may see what was true a moment ago.
 */
final class PooledConnection {
    /** What the pool keeps of a connection. */
    static final class Cell extends WeakReference<PooledConnection> {
        private Cell(PooledConnection connection) {
            super(connection);
        }
    }

    /** Who holds a manager's connections strongly. */
    static final class Home {
        // HttpClient's own loggers by their names, the pool's class cannot be named here. Each manager has its own, as in HttpClient: whose
        // they are may depend on the application that makes the manager, if HttpClient is shared by several.
        final Log log = LogFactory.getLog(PoolingHttpClientConnectionManager.class);
        private final Log poolLog = LogFactory.getLog("org.apache.http.impl.conn.CPool");
        private final Log connectionLog = LogFactory.getLog(DefaultManagedHttpClientConnection.class);
        private final Set<PooledConnection> connections = ConcurrentHashMap.newKeySet();
        private final ManagedSockets sockets = new ManagedSockets();

        ManagedSockets sockets() {
            return sockets;
        }
    }

    /** Tells a log of leases that were lost to the collector. Refers to no manager. */
    static LeakListener<HttpRoute, Cell> leakListener(Log log) {
        return (route, cell) -> {
            PooledConnection connection = cell == null ? null : cell.get();
            log.warn("Connection reclaimed by garbage collector, it was never released: "
                    + (connection == null ? "[route: " + route + "]" : connection.toString())
                    + (connection != null && connection.socketShown ? ", its socket is left to whoever has asked for it" : ""));
        };
    }

    /** Closes what a pool lets go, but for a socket that somebody may have taken over. Refers to no manager. */
    static final class Closer implements Disposer<Cell> {
        @Override
        public void dispose(Cell cell, Cause cause) {
            PooledConnection connection = cell.get();
            if (connection != null) {
                if (cause == Cause.LEAKED && connection.socketShown) {
                    connection.leave();
                } else {
                    connection.end();
                }
            }
        }

        @Override
        public void letGo(Cell cell, Cause cause) {
            PooledConnection connection = cell.get();
            if (connection != null) {
                connection.logCause(cause);
            }
        }

        @Override
        public boolean mayBlock(Cell cell) {
            PooledConnection connection = cell.get();
            return connection != null && connection.probe().mayBlockToClose();
        }
    }

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

    private final Cell cell = new Cell(this);
    private final Home home;
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
    // Of the socket that was asked for last. Immutable, so that who shuts down may ask while its holder connects.
    private SocketProbe probe;
    // Whether it has left its home. Written by whoever ends it, before it is closed, and read by whoever opens it, after it is open: a
    // lease may be ended under the one who connects, by an abort or a shutdown, and then one of the two closes what was opened.
    private volatile boolean gone;
    // Whether it is closed with a reset when it ends. Written by who shuts the manager down, read by whoever ends it.
    private volatile boolean endsWithReset;

    /** A connection not opened yet, held by its home; {@code timeToLive} is in milliseconds, not positive for no end. */
    PooledConnection(ManagedHttpClientConnection connection, HttpRoute route, long timeToLive, Home home) {
        this.connection = connection;
        hasOwnCheck = HAS_OWN_CHECK.get(connection.getClass());
        this.route = route;
        this.home = home;
        validUntil = after(created, timeToLive);
        expiry = validUntil;
        home.connections.add(this);
    }

    Cell cell() {
        return cell;
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
        return held == null ? null : held.key();
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
        if (millis != timeout || home.connectionLog.isDebugEnabled()) {
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
    void connected(HttpRoute route, Lease<Cell> lease) throws IOException {
        if (gone) {
            shutDown();
            throw new ConnectionShutdownException();
        }
        timeout = UNKNOWN_TIMEOUT;
        astray |= !this.route.equals(route);
        SocketProbe probe = probe();
        home.sockets.connected(probe);
        if (!home.sockets.attach(lease, probe)) {
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
        Liveness seen = home.sockets.liveness(probe(), route.isSecure());
        return seen == Liveness.ALIVE && hasOwnCheck ? Liveness.UNKNOWN : seen;
    }

    /** Of its present socket, whose descriptor is looked for once. */
    private SocketProbe probe() {
        Socket socket = connection.getSocket();
        SocketProbe last = probe;
        if (last != null && last.isOf(socket)) {
            return last;
        }
        SocketProbe found = SocketProbe.of(socket);
        probe = found;
        return found;
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
        if (probe().mayBlockToClose()) {
            endsWithReset = true;
        } else {
            shutDown();
        }
    }

    /** The pool has let go of it, which is said at once, also if it is closed on another thread. */
    private void logCause(Cause cause) {
        if (cause == Cause.EXPIRED) {
            logExpired();
        } else if (cause == Cause.PEER_CLOSED && home.poolLog.isDebugEnabled() && isOpen()
                // Where the watch has failed, the pool says so of a plain one with unasked bytes too.
                && probe().ask() == Liveness.CLOSED) {
            home.poolLog.debug("Connection " + asEntry() + " closed by its peer");
        }
    }

    void logExpired() {
        if (home.poolLog.isDebugEnabled()) {
            home.poolLog.debug("Connection " + asEntry() + " expired @ " + new Date(expiry));
        }
    }

    /** Leaves its home for good, and is closed. */
    void end() {
        leave();
        closeQuietly();
    }

    /** Leaves its home for good. */
    private void leave() {
        gone = true;
        home.connections.remove(this);
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
            home.poolLog.debug("I/O error closing connection", e);
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
