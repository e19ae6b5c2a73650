package io.leasehold.httpclient4;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.apache.http.HttpHost;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.protocol.HttpContext;

/**
 * A socket that is connected to nothing and that nobody ever closes on the other side, for scripts that open thousands. No descriptor
 * belongs to it.
 */
final class MemorySocket extends Socket {
    /** Makes them. */
    static final ConnectionSocketFactory FACTORY = new ConnectionSocketFactory() {
        @Override
        public Socket createSocket(HttpContext context) {
            return new MemorySocket();
        }

        @Override
        public Socket connectSocket(int timeout, Socket socket, HttpHost host, InetSocketAddress remote, InetSocketAddress local,
                HttpContext context) {
            return socket;
        }
    };

    @Override
    public InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                throw new SocketTimeoutException("nothing to read");
            }
        };
    }

    @Override
    public OutputStream getOutputStream() {
        return new ByteArrayOutputStream();
    }

    @Override
    public void setSoTimeout(int timeout) {}

    @Override
    public int getSoTimeout() {
        return 0;
    }

    @Override
    public void setReuseAddress(boolean on) {}

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public void setKeepAlive(boolean on) {}

    @Override
    public void setSoLinger(boolean on, int linger) {}

    @Override
    public void close() {}
}
