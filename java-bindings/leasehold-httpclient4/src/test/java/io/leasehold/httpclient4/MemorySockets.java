package io.leasehold.httpclient4;

import io.leasehold.testsupport.MemorySocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.apache.http.HttpHost;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.protocol.HttpContext;

/** Makes sockets that are connected to nothing. */
final class MemorySockets implements ConnectionSocketFactory {
    @Override
    public Socket createSocket(HttpContext context) {
        return new MemorySocket();
    }

    @Override
    public Socket connectSocket(int timeout, Socket socket, HttpHost host, InetSocketAddress remote, InetSocketAddress local,
            HttpContext context) {
        return socket;
    }
}
