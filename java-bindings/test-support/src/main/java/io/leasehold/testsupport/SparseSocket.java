package io.leasehold.testsupport;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;

/**
 * A socket that passes on to another one only what an HttpClient asks, as some libraries' do; the rest {@link Socket} answers, who was
 * never connected. So nobody can tell whose descriptor it has.
 */
public class SparseSocket extends Socket {
    private final Socket inner;

    /** Passes on to this one. */
    public SparseSocket(Socket inner) {
        this.inner = inner;
    }

    /** The one that it passes on to. */
    public final Socket inner() {
        return inner;
    }

    @Override
    public InputStream getInputStream() throws IOException {
        return inner.getInputStream();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        return inner.getOutputStream();
    }

    @Override
    public void setSoTimeout(int timeout) throws SocketException {
        inner.setSoTimeout(timeout);
    }

    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
        inner.setTcpNoDelay(on);
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }
}
