package io.leasehold.httpclient3;

import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;

/** Connects to loopback whatever the host is called, and numbers its sockets, so that a script can say which connection it was given. */
class NumberedSocketFactory implements ProtocolSocketFactory {
    static final int BASE = 1_000_000;

    private final AtomicInteger made = new AtomicInteger();

    /** The number of an open connection's socket, counted from 1. */
    static int number(HttpConnection open) throws SocketException {
        return open.getSendBufferSize() - BASE;
    }

    /** A real socket that answers the one question that HttpConnection passes on with its number. */
    private static final class NumberedSocket extends Socket {
        private final int number;

        NumberedSocket(int number) {
            this.number = number;
        }

        @Override
        public int getSendBufferSize() {
            return BASE + number;
        }
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params)
            throws IOException {
        NumberedSocket socket = new NumberedSocket(made.incrementAndGet());
        try {
            if (localAddress != null) {
                socket.bind(new InetSocketAddress(localAddress, localPort));
            }
            socket.connect(new InetSocketAddress(ScriptedServer.loopback(), port), params.getConnectionTimeout());
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localAddress, int localPort) throws IOException {
        return createSocket(host, port, localAddress, localPort, new HttpConnectionParams());
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return createSocket(host, port, null, 0);
    }

    /** The same, with TLS on top. */
    static final class Secure extends NumberedSocketFactory implements SecureProtocolSocketFactory {
        @Override
        public Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params)
                throws IOException {
            return createSocket(super.createSocket(host, port, localAddress, localPort, params), host, port, true);
        }

        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
            return TestTls.client(socket, host, port, autoClose);
        }
    }
}
