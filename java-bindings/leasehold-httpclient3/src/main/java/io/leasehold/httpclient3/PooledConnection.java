package io.leasehold.httpclient3;

import io.leasehold.Cause;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.ManagedSockets;
import io.leasehold.SocketProbe;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.logging.Log;

/**
 * The connection itself, with its socket. Users never see it, only a {@link LeasedConnection} that ends with the lease.
 *
 * <p><b>Who refers to whom.</b> A pool's cells outlive the pool, so that its connections can be disposed of, and what a cell
 * refers to is never collected before. A connection, though, leads anywhere: to its parameters, their defaults, the retry handler
 * among these, and so to the application and its manager. So the pool is given a {@link Cell}, a weak reference, and the manager
 * alone holds its connections strongly, in {@link #home}. A manager that nobody refers to goes with all its connections, and the
 * JDK closes the sockets, as it does for 3.1. Nothing here refers to a lease, which must be collectable while its connection is
 * not: the stream of the last response, which leads to its method and so to the {@link LeasedConnection}, is kept there.
 *
 * <p>Used by one thread at a time, the holder of its lease; fields that others touch say so.
 */
final class PooledConnection extends HttpConnection {
    /** What the pool keeps of a connection. */
    static final class Cell extends WeakReference<PooledConnection> {
        private Cell(PooledConnection connection) {
            super(connection);
        }
    }

    /** Who holds a manager's connections strongly. */
    static final class Home {
        private final Set<PooledConnection> connections = ConcurrentHashMap.newKeySet();
        private final ManagedSockets sockets = new ManagedSockets();

        ManagedSockets sockets() {
            return sockets;
        }
    }

    /** Closes what a pool lets go, after it was told in a manager's way. Refers to no manager. */
    static final class Closer implements Disposer<Cell> {
        private final BiConsumer<PooledConnection, Cause> tell;

        Closer(BiConsumer<PooledConnection, Cause> tell) {
            this.tell = tell;
        }

        @Override
        public void letGo(Cell cell, Cause cause) {
            PooledConnection connection = cell.get();
            if (connection != null) {
                tell.accept(connection, cause);
            }
        }

        @Override
        public void dispose(Cell cell, Cause cause) {
            PooledConnection connection = cell.get();
            if (connection != null) {
                connection.end();
            }
        }

        @Override
        public boolean mayBlock(Cell cell) {
            PooledConnection connection = cell.get();
            return connection != null && connection.mayBlockToClose();
        }
    }

    /** Tells a log of leases that were lost to the collector, in 3.1's words. Refers to no manager. */
    static LeakListener<Route, Cell> leakListener(Log log) {
        return (route, cell) -> {
            if (log.isDebugEnabled()) {
                log.debug("Connection reclaimed by garbage collector, hostConfig=" + route);
            }
        };
    }

    private final Cell cell = new Cell(this);
    private final Home home;
    private final Destination destination;
    // Of the socket that was asked for last. Immutable, so that who closes what is idle or shuts down may ask while its holder opens it.
    private SocketProbe probe;
    // Whether open() was ever called: a connection that was not is as good as new.
    private boolean tried;
    // Whether its user turned it elsewhere.
    private boolean turned;
    // When it was released, for one line of 3.1's log. Written before the release, read after the connection was removed from the pool.
    private long releasedAt;
    // Whether somebody holds it. Written by the holder; read by whoever disposes of it, to warn of what a shutdown takes from its user, and
    // not to call reclaimed what its holder has replaced. Only lines of the log hang on it, so it is not volatile, which would cost as much
    // as the rest of a lease.
    private boolean leased;
    // Whether a shutdown has taken it. Written under this object's monitor by whoever carries the shutdown out, read by the holder.
    private volatile boolean orphaned;
    // Who held it last, for a manager that gives a thread the same object again.
    private WeakReference<HttpConnection> lastHolder;

    /** A connection for this configuration, not opened yet, held by its home. */
    PooledConnection(HostConfiguration configuration, Destination destination, Home home) {
        super(configuration);
        this.destination = destination;
        this.home = home;
        home.connections.add(this);
    }

    /** One that is not open, in the stead of one that is to be closed, for the same holder: see {@link #successor}. */
    private PooledConnection(PooledConnection before) {
        super(before.getProxyHost(), before.getProxyPort(), before.getHost(), before.getPort(), before.getProtocol());
        super.setLocalAddress(before.getLocalAddress());
        setParams(before.getParams());
        destination = before.destination;
        home = before.home;
        tried = true;
        turned = before.turned;
        leased = true;
        lastHolder = before.lastHolder;
        home.connections.add(this);
    }

    /** What its holder may go on with, as if it were this one after its close. */
    PooledConnection successor() {
        return new PooledConnection(this);
    }

    Cell cell() {
        return cell;
    }

    Home home() {
        return home;
    }

    Route route() {
        return destination.route();
    }

    /** Leaves its home. */
    void leave() {
        home.connections.remove(this);
    }

    /** Leaves its home, and is closed. */
    private void end() {
        leave();
        close();
    }

    /** Whether it may serve another request: it is open or as good as new, and still goes where it was made to. */
    boolean isReusable() {
        return (isOpen() || !tried) && (!turned || destination.isOf(this));
    }

    long releasedAt() {
        return releasedAt;
    }

    void setReleasedAt(long releasedAt) {
        this.releasedAt = releasedAt;
    }

    boolean isLeased() {
        return leased;
    }

    void setLeased(boolean leased) {
        this.leased = leased;
    }

    boolean isOrphaned() {
        return orphaned;
    }

    /** Notes that a shutdown has taken it, which closes it afterwards. */
    synchronized void orphan() {
        orphaned = true;
    }

    /**
     * Closes a socket that a shutdown may not have seen, because it was being made. Of the shutdown's {@link #orphan} and this, whoever
     * comes second sees what the other did: this the mark, or the shutdown the socket.
     */
    private void closeIfOrphaned() {
        boolean late;
        synchronized (this) {
            late = orphaned;
        }
        if (late) {
            close();
        }
    }

    HttpConnection lastHolder() {
        return lastHolder == null ? null : lastHolder.get();
    }

    void setLastHolder(HttpConnection holder) {
        lastHolder = new WeakReference<>(holder);
    }

    /** Whether closing it may wait for the peer. */
    boolean mayBlockToClose() {
        return probe().mayBlockToClose();
    }

    /** Whether it is open as far as this side knows, but the peer has closed it. */
    boolean isClosedByPeer() {
        return getSocket() != null && probe().ask() == Liveness.CLOSED;
    }

    /** Of its present socket, whose descriptor is looked for once. */
    private SocketProbe probe() {
        Socket socket = getSocket();
        SocketProbe last = probe;
        if (last != null && last.isOf(socket)) {
            return last;
        }
        SocketProbe found = SocketProbe.of(socket);
        probe = found;
        return found;
    }

    /**
     * Asks the operating system instead of trying to read for a millisecond; where it cannot be asked, and where a TLS session may
     * have had something to say to itself, the connection is asked as in 3.1.
     */
    @Override
    protected boolean isStale() throws IOException {
        if (!isOpen()) {
            return true;
        }
        Liveness seen = home.sockets.liveness(probe(), isSecure());
        return seen == Liveness.UNKNOWN ? super.isStale() : seen == Liveness.CLOSED;
    }

    @Override
    public void open() throws IOException {
        tried = true;
        super.open();
        home.sockets.connected(probe());
        closeIfOrphaned();
    }

    @Override
    public void tunnelCreated() throws IOException {
        super.tunnelCreated();
        closeIfOrphaned();
    }

    /** Tells the pool the socket, or has it forgotten. */
    void attachTo(Lease<Cell> lease) {
        home.sockets.attach(lease, probe());
    }

    @Override
    public void setHost(String host) {
        super.setHost(host);
        turned = true;
    }

    @Override
    public void setPort(int port) {
        super.setPort(port);
        turned = true;
    }

    @Override
    public void setProtocol(Protocol protocol) {
        super.setProtocol(protocol);
        turned = true;
    }

    @Override
    public void setLocalAddress(InetAddress localAddress) {
        super.setLocalAddress(localAddress);
        turned = true;
    }

    @Override
    public void setProxyHost(String host) {
        super.setProxyHost(host);
        turned = true;
    }

    @Override
    public void setProxyPort(int port) {
        super.setProxyPort(port);
        turned = true;
    }
}
