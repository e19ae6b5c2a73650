package io.leasehold.bench;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Has JVMs measure one at a time: each turn is a byte to the JVM that measures next, and its byte back when it has done so. A socket
 * ends with its process, so that nobody waits for a JVM that has died.
 */
final class Turns implements Closeable {
    private final ServerSocket server;
    private final Random random = new Random(1);

    Turns() throws IOException {
        server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    }

    int port() {
        return server.getLocalPort();
    }

    /**
     * Waits until so many JVMs ask for their turn, then has each measure so many times, in an order drawn anew for each round. Fails
     * when a JVM ends before that, and when these turns are closed while JVMs are still awaited.
     */
    void grant(int jvms, int rounds) throws IOException {
        List<Socket> order = new ArrayList<>();
        try {
            while (order.size() < jvms) {
                order.add(server.accept());
            }
            for (int i = 0; i < rounds; i++) {
                Collections.shuffle(order, random);
                for (Socket jvm : order) {
                    jvm.getOutputStream().write(0);
                    if (jvm.getInputStream().read() < 0) {
                        throw new EOFException("a JVM ended during its turn");
                    }
                }
            }
        } finally {
            for (Socket jvm : order) {
                jvm.close();
            }
        }
    }

    /** Nobody can ask for turns any more. */
    @Override
    public void close() throws IOException {
        server.close();
    }
}
