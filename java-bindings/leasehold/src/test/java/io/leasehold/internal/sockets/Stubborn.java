package io.leasehold.internal.sockets;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;

/** A connected socket that says, once it is told to, what one of somebody else's making may say, or one in the middle of its close. */
final class Stubborn extends Socket {
    RuntimeException failure;
    boolean isClosing;
    /** What happens while it is asked whether it is closed, once. */
    Runnable meanwhile;

    Stubborn(ServerSocket server) throws IOException {
        super(server.getInetAddress(), server.getLocalPort());
    }

    private void fail() {
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public boolean isClosed() {
        fail();
        Runnable now = meanwhile;
        meanwhile = null;
        if (now != null) {
            now.run();
        }
        return super.isClosed();
    }

    @Override
    public int getSoLinger() throws SocketException {
        fail();
        if (isClosing) {
            throw new SocketException("of the test's own making");
        }
        return super.getSoLinger();
    }
}
