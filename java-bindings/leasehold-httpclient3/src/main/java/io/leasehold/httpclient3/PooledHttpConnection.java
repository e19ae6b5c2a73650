package io.leasehold.httpclient3;

import io.leasehold.Cause;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.managed.ManagedSocket;
import io.leasehold.managed.WeakConnection;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.util.function.BiConsumer;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.logging.Log;

/**
 * The connection itself, with its socket. Users never see it, only a {@link LeasedHttpConnection} that ends with the lease.
 *
 * <p>It leads to its parameters, their defaults, the retry handler among these, and so to the application and its manager: who refers to
 * whom is said at {@link WeakConnection}. Nothing here refers to a lease: the stream of the last response, which leads to its method and so
 * to the {@link LeasedHttpConnection}, is kept there.
 *
 * <p>Used by one thread at a time, the holder of its lease; fields that others touch say so.
 */
final class PooledHttpConnection extends HttpConnection {
    /** Closes what a pool lets go, after it was told in a manager's way. */
    static Disposer<PooledHttpConnection> disposer(BiConsumer<PooledHttpConnection, Cause> tell) {
        return new Disposer<PooledHttpConnection>() {
            @Override
            public void letGo(PooledHttpConnection connection, Cause cause) {
                tell.accept(connection, cause);
            }

            @Override
            public void dispose(PooledHttpConnection connection, Cause cause) {
                connection.connections.leave(connection);
                connection.close();
            }

            @Override
            public boolean mayBlock(PooledHttpConnection connection) {
                return connection.mayBlockToClose();
            }
        };
    }

    /** Tells a log of leases that were lost to the collector, in 3.1's words. */
    static LeakListener<Route, PooledHttpConnection> leakListener(Log log) {
        return (route, connection) -> {
            if (log.isDebugEnabled()) {
                log.debug("Connection reclaimed by garbage collector, hostConfig=" + route);
            }
        };
    }

    private final WeakConnection<PooledHttpConnection> cell = new WeakConnection<>(this);
    private final ManagedConnections<PooledHttpConnection> connections;
    private final ManagedSocket socket;
    private final Destination destination;
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
    // Who holds it or held it last, for a manager that gives a thread the same object again. Written by the holder, read by whoever looks
    // for what dead threads have left.
    private volatile WeakReference<HttpConnection> lastHolder;

    /** A connection for this configuration, not opened yet, to be one of those of a manager. */
    PooledHttpConnection(HostConfiguration configuration, Destination destination, ManagedConnections<PooledHttpConnection> connections) {
        super(configuration);
        this.destination = destination;
        this.connections = connections;
        socket = connections.socket();
    }

    /** One that is not open, in the stead of one that is to be closed, for the same holder: see {@link #successor}. */
    private PooledHttpConnection(PooledHttpConnection before) {
        super(before.getProxyHost(), before.getProxyPort(), before.getHost(), before.getPort(), before.getProtocol());
        super.setLocalAddress(before.getLocalAddress());
        setParams(before.getParams());
        destination = before.destination;
        connections = before.connections;
        socket = connections.socket();
        tried = true;
        turned = before.turned;
        leased = true;
        lastHolder = before.lastHolder;
    }

    /** What its holder may go on with, as if it were this one after its close. */
    PooledHttpConnection successor() {
        return new PooledHttpConnection(this);
    }

    /** Fills a vacancy with it. */
    void fill(Lease<WeakConnection<PooledHttpConnection>> vacancy) {
        connections.fill(vacancy, cell);
    }

    /** Whether it is one of these. */
    boolean isOf(ManagedConnections<PooledHttpConnection> manager) {
        return connections == manager;
    }

    Route route() {
        return destination.route();
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
        WeakReference<HttpConnection> last = lastHolder;
        return last == null ? null : last.get();
    }

    void setLastHolder(HttpConnection holder) {
        lastHolder = new WeakReference<>(holder);
    }

    /** Whether closing it may wait for the peer. */
    boolean mayBlockToClose() {
        return socket.mayBlockToClose(getSocket());
    }

    /** Whether it is open as far as this side knows, but the peer has closed it. */
    boolean isClosedByPeer() {
        return socket.isClosed(getSocket());
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
        Liveness seen = socket.liveness(getSocket(), isSecure());
        return seen == Liveness.UNKNOWN ? super.isStale() : seen == Liveness.CLOSED;
    }

    @Override
    public void open() throws IOException {
        tried = true;
        super.open();
        socket.connected(getSocket());
        closeIfOrphaned();
    }

    @Override
    public void tunnelCreated() throws IOException {
        super.tunnelCreated();
        closeIfOrphaned();
    }

    /** Tells the pool the socket, or has it forgotten. */
    void attachTo(Lease<WeakConnection<PooledHttpConnection>> lease) {
        socket.attach(getSocket(), lease);
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
