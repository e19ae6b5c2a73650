package io.leasehold.httpclient3;

import io.leasehold.Lease;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.SocketException;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * What the user of a manager holds: a {@link PooledHttpConnection} for as long as a lease lasts. Used after that, it answers as 3.1's
 * own wrapper does: queries with nothing, calls that change or use the connection with an exception or not at all.
 *
 * <p>It also notes what was sent and read, so that a connection with a response outstanding never serves anyone else.
 *
 * <p>As 3.1's connections, it is for one thread at a time, {@link #close()} excepted.
 */
@SuppressWarnings("deprecation") // What 3.1 deprecates works here as it does there.
final class LeasedHttpConnection extends HttpConnection implements Cloneable {
    // 3.1's own, for the one line of its that is logged here instead.
    private static final Log LOG = LogFactory.getLog(HttpConnection.class);

    private static final byte CLEAN = 0;
    private static final byte REQUESTED = 1;
    private static final byte RESPONDED = 2;

    // Null after the lease and in the pattern. Written by the holder, and by a manager that takes the connection away.
    private PooledHttpConnection connection;
    private Lease<WeakConnection<PooledHttpConnection>> lease;
    private byte exchange;
    // The thread that it is for, always the same one, for a manager that gives a thread the same object again; null where that is not done.
    // Weak, as this may be kept by its user for longer than the thread lives. Written once, by the thread itself.
    private WeakReference<Thread> owner;
    // The manager's count of shutdowns at the lease.
    private int shutdowns;

    // Whose connections these are; it is told how long opening them takes.
    private final ManagedPool<?, ?> managed;
    // Whether a release while locked is logged, as 3.1's connections do, or passed over, as its wrappers do.
    private final boolean logsReleaseWhileLocked;

    /** A pattern, which {@link #of} copies: making an HttpConnection afresh takes a lock that all connections of the JVM share. */
    LeasedHttpConnection(HttpConnectionManager manager, ManagedPool<?, ?> managed, boolean logsReleaseWhileLocked) {
        super("released", 80);
        this.managed = managed;
        this.logsReleaseWhileLocked = logsReleaseWhileLocked;
        super.setHttpConnectionManager(manager);
    }

    /** A copy of this pattern that holds a connection. */
    LeasedHttpConnection of(PooledHttpConnection connection, Lease<WeakConnection<PooledHttpConnection>> lease) {
        try {
            LeasedHttpConnection leased = (LeasedHttpConnection) clone();
            leased.take(connection, lease);
            return leased;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    /** Holds a connection again, as a new object would. */
    void hold(PooledHttpConnection connection, Lease<WeakConnection<PooledHttpConnection>> lease, HttpConnectionManager manager) {
        take(connection, lease);
        exchange = CLEAN;
        super.setLastResponseInputStream(null);
        super.setHttpConnectionManager(manager);
    }

    private void take(PooledHttpConnection connection, Lease<WeakConnection<PooledHttpConnection>> lease) {
        this.connection = connection;
        this.lease = lease;
        connection.setLeased(true);
    }

    /** As {@link #of}, for a thread that is to be given the same object again. */
    LeasedHttpConnection of(PooledHttpConnection connection, Lease<WeakConnection<PooledHttpConnection>> lease, Thread owner) {
        LeasedHttpConnection leased = of(connection, lease);
        leased.owner = new WeakReference<>(owner);
        return leased;
    }

    /** The thread that holds it or held it last; null if that is dead and gone. */
    Thread owner() {
        return owner.get();
    }

    /** Notes after how many shutdowns it is held. */
    void setShutdowns(int shutdowns) {
        this.shutdowns = shutdowns;
    }

    int shutdowns() {
        return shutdowns;
    }

    /** The connection, or null after the lease. */
    PooledHttpConnection connection() {
        return connection;
    }

    /** The lease, or null after it. */
    Lease<WeakConnection<PooledHttpConnection>> lease() {
        return lease;
    }

    /**
     * Ends the lease, unless that was done. Should it fail, for want of stack say, it is as if this had not been called, which takes no
     * call to bring about: it can be released again, or the collector ends it.
     *
     * @param reusable whether the connection may be used again
     * @param detaches whether this lets go of the connection, too
     * @return whether the lease was ended here
     */
    boolean endLease(boolean reusable, boolean detaches) {
        PooledHttpConnection connectionBefore = connection;
        Lease<WeakConnection<PooledHttpConnection>> leaseBefore = lease;
        if (leaseBefore == null) {
            return false;
        }
        try {
            lease = null;
            if (connectionBefore != null) {
                connectionBefore.setLeased(false);
            }
            if (detaches) {
                connection = null;
            }
            return reusable ? leaseBefore.tryRelease() : leaseBefore.tryDiscard();
        } catch (Throwable e) {
            lease = leaseBefore;
            connection = connectionBefore;
            throw e;
        }
    }

    /** Lets go of the connection. */
    void detach() {
        connection = null;
    }

    /** Reads what is left of the last response, which may wait for the peer, or closes if that fails. */
    void finishLastResponse() {
        InputStream rest = getLastResponseInputStream();
        if (rest != null) {
            super.setLastResponseInputStream(null);
            try {
                rest.close();
            } catch (IOException e) {
                close();
            }
        }
    }

    /** Whether a response is outstanding, or more of it waits to be read. */
    boolean isMidExchange() {
        PooledHttpConnection connection = this.connection;
        if (exchange == CLEAN || connection == null) {
            return false;
        }
        try {
            return exchange == REQUESTED || connection.isResponseAvailable();
        } catch (IOException e) {
            return true;
        }
    }

    private PooledHttpConnection held() {
        PooledHttpConnection connection = this.connection;
        if (connection == null) {
            throw new IllegalStateException("Connection has been released");
        }
        return connection;
    }

    @Override
    public HttpConnectionManager getHttpConnectionManager() {
        PooledHttpConnection connection = this.connection;
        return connection == null || connection.isOrphaned() ? null : super.getHttpConnectionManager();
    }

    @Override
    public void setHttpConnectionManager(HttpConnectionManager manager) {
        if (connection != null) {
            super.setHttpConnectionManager(manager);
        }
    }

    /** Gives the connection back to the manager it names; does nothing while a method holds it locked, or after the lease. */
    @Override
    public void releaseConnection() {
        PooledHttpConnection connection = this.connection;
        if (connection == null || (isLocked() && !logsReleaseWhileLocked)) {
            return;
        }
        if (connection.isOrphaned()) {
            super.setHttpConnectionManager(null);
            detach();
        }
        Lease<WeakConnection<PooledHttpConnection>> leaseBefore = lease;
        try {
            super.releaseConnection();
        } catch (Throwable e) {
            // It logs before it does anything. Should that fail, it is given back all the same.
            HttpConnectionManager manager = leaseBefore == null || leaseBefore != lease || isLocked() ? null : getHttpConnectionManager();
            if (manager != null) {
                manager.releaseConnection(this);
            }
            throw e;
        }
    }

    @Override
    public OutputStream getRequestOutputStream() throws IOException {
        PooledHttpConnection connection = this.connection;
        exchange = REQUESTED;
        return connection == null ? null : connection.getRequestOutputStream();
    }

    @Override
    public InputStream getResponseInputStream() throws IOException {
        PooledHttpConnection connection = this.connection;
        exchange = RESPONDED;
        return connection == null ? null : connection.getResponseInputStream();
    }

    @Override
    public boolean isResponseAvailable() throws IOException {
        PooledHttpConnection connection = this.connection;
        boolean available = connection != null && connection.isResponseAvailable();
        if (!available && exchange == RESPONDED) {
            // HttpMethodBase asks this once it has read all of a response.
            exchange = CLEAN;
        }
        return available;
    }

    @Override
    public void close() {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            super.setLastResponseInputStream(null);
            Lease<WeakConnection<PooledHttpConnection>> lease = this.lease;
            if (lease != null) {
                lease.detach();
            }
            connection.close();
        }
    }

    @Override
    public InetAddress getLocalAddress() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? null : connection.getLocalAddress();
    }

    @Override
    public boolean isStaleCheckingEnabled() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isStaleCheckingEnabled();
    }

    @Override
    public void setLocalAddress(InetAddress localAddress) {
        held().setLocalAddress(localAddress);
    }

    @Override
    public void setStaleCheckingEnabled(boolean enabled) {
        held().setStaleCheckingEnabled(enabled);
    }

    @Override
    public String getHost() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? null : connection.getHost();
    }

    @Override
    public InputStream getLastResponseInputStream() {
        PooledHttpConnection connection = this.connection;
        // Closing forgets it, whoever closes.
        return connection == null || !connection.isOpen() ? null : super.getLastResponseInputStream();
    }

    @Override
    public int getPort() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? -1 : connection.getPort();
    }

    @Override
    public Protocol getProtocol() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? null : connection.getProtocol();
    }

    @Override
    public String getProxyHost() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? null : connection.getProxyHost();
    }

    @Override
    public int getProxyPort() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? -1 : connection.getProxyPort();
    }

    @Override
    public boolean isOpen() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isOpen();
    }

    @Override
    public boolean closeIfStale() throws IOException {
        PooledHttpConnection connection = this.connection;
        if (connection == null || !connection.isOpen() || !connection.isStale()) {
            return false;
        }
        LOG.debug("Connection is stale, closing...");
        Lease<WeakConnection<PooledHttpConnection>> lease = this.lease;
        if (lease != null) {
            lease.noteStale();
        }
        closeWithoutWaiting();
        return true;
    }

    /** Closes; if that may wait for the peer, then by the pool's hand, and what is held is another connection, as if it were this one. */
    void closeWithoutWaiting() {
        PooledHttpConnection connection = this.connection;
        Lease<WeakConnection<PooledHttpConnection>> lease = this.lease;
        if (lease == null || !connection.mayBlockToClose()) {
            close();
            return;
        }
        super.setLastResponseInputStream(null);
        PooledHttpConnection successor = connection.successor();
        this.connection = successor;
        try {
            lease.replace();
            successor.fill(lease);
        } catch (IllegalStateException e) {
            // The lease has ended meanwhile, by a shutdown or on behalf of a thread that has died: there is nothing to go on with.
            successor.orphan();
        }
    }

    @Override
    public boolean isProxied() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isProxied();
    }

    @Override
    public boolean isResponseAvailable(int timeout) throws IOException {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isResponseAvailable(timeout);
    }

    @Override
    public boolean isSecure() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isSecure();
    }

    @Override
    public boolean isTransparent() {
        PooledHttpConnection connection = this.connection;
        return connection == null ? false : connection.isTransparent();
    }

    @Override
    public void open() throws IOException {
        PooledHttpConnection connection = held();
        exchange = CLEAN;
        super.setLastResponseInputStream(null);
        long began = managed.connecting();
        connection.open();
        attach(connection);
        managed.connected(began);
    }

    /** The connection has a new socket. */
    private void attach(PooledHttpConnection connection) {
        Lease<WeakConnection<PooledHttpConnection>> lease = this.lease;
        if (lease != null) {
            connection.attachTo(lease);
        }
    }

    @Override
    public void print(String data) throws IOException {
        exchange = REQUESTED;
        held().print(data);
    }

    @Override
    public void print(String data, String charset) throws IOException {
        exchange = REQUESTED;
        held().print(data, charset);
    }

    @Override
    public void printLine() throws IOException {
        exchange = REQUESTED;
        held().printLine();
    }

    @Override
    public void printLine(String data) throws IOException {
        exchange = REQUESTED;
        held().printLine(data);
    }

    @Override
    public void printLine(String data, String charset) throws IOException {
        exchange = REQUESTED;
        held().printLine(data, charset);
    }

    @Override
    public void write(byte[] data, int offset, int length) throws IOException {
        exchange = REQUESTED;
        held().write(data, offset, length);
    }

    @Override
    public void write(byte[] data) throws IOException {
        exchange = REQUESTED;
        held().write(data);
    }

    @Override
    public void writeLine() throws IOException {
        exchange = REQUESTED;
        held().writeLine();
    }

    @Override
    public void writeLine(byte[] data) throws IOException {
        exchange = REQUESTED;
        held().writeLine(data);
    }

    @Override
    public void flushRequestOutputStream() throws IOException {
        held().flushRequestOutputStream();
    }

    @Override
    public String readLine() throws IOException {
        exchange = RESPONDED;
        return held().readLine();
    }

    @Override
    public String readLine(String charset) throws IOException {
        exchange = RESPONDED;
        return held().readLine(charset);
    }

    @Override
    public void setConnectionTimeout(int timeout) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setConnectionTimeout(timeout);
        }
    }

    @Override
    public void setHost(String host) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setHost(host);
        }
    }

    @Override
    public void setLastResponseInputStream(InputStream stream) {
        if (connection != null) {
            super.setLastResponseInputStream(stream);
        }
    }

    @Override
    public void setPort(int port) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setPort(port);
        }
    }

    @Override
    public void setProtocol(Protocol protocol) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setProtocol(protocol);
        }
    }

    @Override
    public void setProxyHost(String host) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setProxyHost(host);
        }
    }

    @Override
    public void setProxyPort(int port) {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setProxyPort(port);
        }
    }

    @Override
    public void setSoTimeout(int timeout) throws SocketException {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.setSoTimeout(timeout);
        }
    }

    @Override
    public void shutdownOutput() {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.shutdownOutput();
        }
    }

    @Override
    public void tunnelCreated() throws IOException {
        PooledHttpConnection connection = this.connection;
        if (connection != null) {
            connection.tunnelCreated();
            attach(connection);
        }
    }

    @Override
    public int getSoTimeout() throws SocketException {
        return held().getSoTimeout();
    }

    @Override
    public String getVirtualHost() {
        return held().getVirtualHost();
    }

    @Override
    public void setVirtualHost(String host) {
        held().setVirtualHost(host);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        return held().getSendBufferSize();
    }

    @Override
    public void setSendBufferSize(int size) throws SocketException {
        held().setSendBufferSize(size);
    }

    @Override
    public HttpConnectionParams getParams() {
        return held().getParams();
    }

    @Override
    public void setParams(HttpConnectionParams params) {
        held().setParams(params);
    }

    @Override
    public void setSocketTimeout(int timeout) throws SocketException {
        held().setSocketTimeout(timeout);
    }
}
