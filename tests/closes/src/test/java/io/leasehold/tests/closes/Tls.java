package io.leasehold.tests.closes;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.protocol.HttpContext;

/** The JDK's TLS for both generations of HttpClient, layered over sockets that a test can get at. For one connection at a time. */
final class Tls {
    private static final int SMALL = 4_096;

    private final SSLContext context;
    // Of the last socket.
    private SocketChannel channel;

    Tls(SSLContext context) {
        this.context = context;
    }

    private Socket unconnected() throws IOException {
        channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_SNDBUF, SMALL);
        return channel.socket();
    }

    /** Fills the last connection up, past TLS, until a peer that does not read has no room for more, and neither has this side. */
    void fill() throws Exception {
        channel.configureBlocking(false);
        int port = ((InetSocketAddress) channel.getRemoteAddress()).getPort();
        Eventually.await("the peer takes no more", () -> {
            // Looked at before: what is written afterwards has nowhere to go.
            boolean isHeldUp = SocketTable.ofPort(port).isHeldUp(Side.CLIENT);
            while (channel.write(ByteBuffer.allocate(SMALL)) > 0) {
                // More.
            }
            return isHeldUp;
        });
        channel.configureBlocking(true);
    }

    ConnectionSocketFactory httpClient4() {
        return new SSLConnectionSocketFactory(context) {
            @Override
            public Socket createSocket(HttpContext context) throws IOException {
                return unconnected();
            }
        };
    }

    SecureProtocolSocketFactory httpClient3() {
        return new SecureProtocolSocketFactory() {
            @Override
            public Socket createSocket(String host, int port) throws IOException {
                Socket socket = unconnected();
                socket.connect(new InetSocketAddress(host, port));
                SSLSocket tls = (SSLSocket) createSocket(socket, host, port, true);
                // At once, as factories do that look at the certificate.
                tls.startHandshake();
                return tls;
            }

            @Override
            public Socket createSocket(String host, int port, InetAddress localAddress, int localPort) throws IOException {
                return createSocket(host, port);
            }

            @Override
            public Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params)
                    throws IOException {
                return createSocket(host, port);
            }

            @Override
            public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
                return context.getSocketFactory().createSocket(socket, host, port, autoClose);
            }
        };
    }
}
