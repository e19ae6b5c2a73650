package io.leasehold;

import io.leasehold.testsupport.TestTls;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.conscrypt.Conscrypt;

/** TLS of others' making, and a socket by hand. */
final class WrappedSockets {
    private WrappedSockets() {}

    static SSLContext conscrypt() throws Exception {
        return TestTls.context(Conscrypt.newProvider());
    }

    static SSLContext bouncyCastle() throws Exception {
        return TestTls.context(new BouncyCastleJsseProvider(new BouncyCastleProvider()));
    }

    /** Passes everything on to a socket that no field is of the type of, and filters its stream. */
    static final class Unseen extends Socket {
        private final Supplier<Socket> inner;

        Unseen(Socket inner) {
            this.inner = () -> inner;
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(inner.get().getInputStream()) {};
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return inner.get().getOutputStream();
        }

        @Override
        public SocketAddress getRemoteSocketAddress() {
            return inner.get().getRemoteSocketAddress();
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return inner.get().getLocalSocketAddress();
        }

        @Override
        public void setSoTimeout(int millis) throws SocketException {
            inner.get().setSoTimeout(millis);
        }

        @Override
        public void setSoLinger(boolean on, int seconds) throws SocketException {
            inner.get().setSoLinger(on, seconds);
        }

        @Override
        public void setSendBufferSize(int bytes) throws SocketException {
            inner.get().setSendBufferSize(bytes);
        }

        @Override
        public void close() throws IOException {
            inner.get().close();
        }

        @Override
        public int getSoTimeout() throws SocketException {
            return inner.get().getSoTimeout();
        }

        @Override
        public int getSoLinger() throws SocketException {
            return inner.get().getSoLinger();
        }

        @Override
        public boolean getKeepAlive() throws SocketException {
            return inner.get().getKeepAlive();
        }

        @Override
        public boolean isConnected() {
            return inner.get().isConnected();
        }

        @Override
        public boolean isBound() {
            return inner.get().isBound();
        }

        @Override
        public boolean isClosed() {
            return inner.get().isClosed();
        }
    }
}
