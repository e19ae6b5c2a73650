package io.leasehold;

import io.leasehold.testsupport.Faults;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.SocketChannel;

/** A socket of somebody else's making: whatever it is asked can fail. */
final class FailingSocket extends Socket {
    private final Faults faults;
    private final String place;

    FailingSocket(Faults faults, String place) {
        this.faults = faults;
        this.place = place;
    }

    @Override
    public boolean isClosed() {
        faults.pass(place);
        return super.isClosed();
    }

    @Override
    public boolean isConnected() {
        faults.pass(place);
        return super.isConnected();
    }

    @Override
    public int getSoLinger() throws SocketException {
        faults.pass(place);
        return super.getSoLinger();
    }

    @Override
    public void setSoLinger(boolean on, int linger) throws SocketException {
        faults.pass(place);
        super.setSoLinger(on, linger);
    }

    @Override
    public InputStream getInputStream() throws IOException {
        faults.pass(place);
        return super.getInputStream();
    }

    @Override
    public SocketChannel getChannel() {
        faults.pass(place);
        return super.getChannel();
    }

    @Override
    public InetAddress getInetAddress() {
        faults.pass(place);
        return super.getInetAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
        faults.pass(place);
        return super.getLocalAddress();
    }

    @Override
    public int getPort() {
        faults.pass(place);
        return super.getPort();
    }

    @Override
    public int getLocalPort() {
        faults.pass(place);
        return super.getLocalPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        faults.pass(place);
        return super.getRemoteSocketAddress();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        faults.pass(place);
        return super.getLocalSocketAddress();
    }

    @Override
    public String toString() {
        faults.pass(place);
        return super.toString();
    }
}
