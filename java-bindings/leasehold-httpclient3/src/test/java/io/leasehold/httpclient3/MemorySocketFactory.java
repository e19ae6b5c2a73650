package io.leasehold.httpclient3;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes numbered sockets that are connected to nothing, for scripts that open thousands. No descriptor belongs to them. */
final class MemorySocketFactory implements SimpleSocketFactory {
    private final AtomicInteger made = new AtomicInteger();

    @Override
    public Socket createSocket(String host, int port) {
        int number = made.incrementAndGet();
        return new Socket() {
            @Override
            public InputStream getInputStream() {
                return new ByteArrayInputStream(new byte[0]);
            }

            @Override
            public OutputStream getOutputStream() {
                return new ByteArrayOutputStream();
            }

            @Override
            public void setTcpNoDelay(boolean on) {}

            @Override
            public void setSoTimeout(int timeout) {}

            @Override
            public int getReceiveBufferSize() {
                return 2048;
            }

            @Override
            public int getSendBufferSize() {
                return NumberedSocketFactory.BASE + number;
            }
        };
    }
}
