package io.leasehold.httpclient3;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;

/** Makes sockets in one way, whatever local address and parameters are asked for. */
interface SimpleSocketFactory extends ProtocolSocketFactory {
    @Override
    default Socket createSocket(String host, int port, InetAddress localAddress, int localPort) throws IOException {
        return createSocket(host, port);
    }

    @Override
    default Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params)
            throws IOException {
        return createSocket(host, port);
    }
}
