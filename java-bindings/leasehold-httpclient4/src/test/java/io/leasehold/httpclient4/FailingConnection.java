package io.leasehold.httpclient4;

import io.leasehold.testsupport.Faults;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;

/** A connection of an application's own making, each of whose methods that a manager calls can fail. */
final class FailingConnection extends DefaultManagedHttpClientConnection {
    static final String IS_OPEN = "a connection's isOpen";
    static final String IS_STALE = "a connection's isStale";
    static final String CLOSE = "a connection's close";
    static final String SHUTDOWN = "a connection's shutdown";
    static final String SET_SOCKET_TIMEOUT = "a connection's setSocketTimeout";
    static final String GET_SOCKET = "a connection's getSocket";
    static final String BIND = "a connection's bind";

    private static final AtomicInteger COUNT = new AtomicInteger();

    private final Faults faults;
    // How often it was to be closed.
    final AtomicInteger ends = new AtomicInteger();

    FailingConnection(Faults faults) {
        super("failing-" + COUNT.incrementAndGet(), 1024);
        this.faults = faults;
    }

    @Override
    public boolean isOpen() {
        faults.pass(IS_OPEN);
        return super.isOpen();
    }

    @Override
    public boolean isStale() {
        faults.pass(IS_STALE);
        return super.isStale();
    }

    @Override
    public void close() throws IOException {
        ends.incrementAndGet();
        faults.pass(CLOSE);
        super.close();
    }

    @Override
    public void shutdown() throws IOException {
        ends.incrementAndGet();
        faults.pass(SHUTDOWN);
        super.shutdown();
    }

    @Override
    public void setSocketTimeout(int timeout) {
        faults.pass(SET_SOCKET_TIMEOUT);
        super.setSocketTimeout(timeout);
    }

    @Override
    public Socket getSocket() {
        faults.pass(GET_SOCKET);
        return super.getSocket();
    }

    @Override
    public void bind(Socket socket) throws IOException {
        faults.pass(BIND);
        super.bind(socket);
    }
}
