package io.leasehold.testsupport;

import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;

/** A socket that passes on what it is asked to another one, as those that libraries make do. */
public final class DelegatingSocket extends SparseSocket {
    /** Passes on to this one, which is connected. */
    public DelegatingSocket(Socket inner) {
        super(inner);
    }

    @Override
    public InetAddress getInetAddress() {
        return inner().getInetAddress();
    }

    @Override
    public int getPort() {
        return inner().getPort();
    }

    @Override
    public InetAddress getLocalAddress() {
        return inner().getLocalAddress();
    }

    @Override
    public int getLocalPort() {
        return inner().getLocalPort();
    }

    @Override
    public void setSoLinger(boolean on, int seconds) throws SocketException {
        inner().setSoLinger(on, seconds);
    }

    @Override
    public void setSendBufferSize(int bytes) throws SocketException {
        inner().setSendBufferSize(bytes);
    }

    @Override
    public int getSoTimeout() throws SocketException {
        return inner().getSoTimeout();
    }

    @Override
    public int getSoLinger() throws SocketException {
        return inner().getSoLinger();
    }

    @Override
    public boolean getKeepAlive() throws SocketException {
        return inner().getKeepAlive();
    }

    @Override
    public boolean isConnected() {
        return inner().isConnected();
    }

    @Override
    public boolean isBound() {
        return inner().isBound();
    }

    @Override
    public boolean isClosed() {
        return inner().isClosed();
    }
}
