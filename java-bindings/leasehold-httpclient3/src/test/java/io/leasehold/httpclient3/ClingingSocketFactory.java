package io.leasehold.httpclient3;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Makes sockets whose close waits until it may end, as they say. */
final class ClingingSocketFactory implements SimpleSocketFactory {
    final CountDownLatch mayClose = new CountDownLatch(1);

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        Socket socket = new Socket(host, port) {
            @Override
            public void close() throws IOException {
                try {
                    if (!mayClose.await(1, TimeUnit.MINUTES)) {
                        throw new AssertionError("somebody waits for this close who ought not to");
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                super.close();
            }
        };
        // Who closes such a socket has to wait.
        socket.setSoLinger(true, 60);
        return socket;
    }
}
