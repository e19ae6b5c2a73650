package io.leasehold.tests.servers;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Free loopback ports. They lie below the range from which Linux takes the ports of outgoing connections, so that a server that is stopped
 * and started again finds its own port free. JVMs that run at the same time mostly have ports of their own, and each takes them in turn:
 * clients go on to try the port of a server that is gone, or keep a socket that was connected to it, and the next server there would
 * count them.
 */
final class Ports {
    private static final int COUNT = 1_000;
    private static final int FIRST = 15_000 + processId() % 17 * COUNT;
    private static final AtomicInteger NEXT = new AtomicInteger(new Random().nextInt(COUNT));

    private Ports() {
    }

    private static int processId() {
        // That of the process and the machine's name.
        return Integer.parseInt(ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
    }

    static int[] free(int n) throws IOException {
        ServerSocket[] held = new ServerSocket[n];
        int[] ports = new int[n];
        try {
            // All are held until all are found, so that none is found twice.
            for (int i = 0; i < n; i++) {
                held[i] = bind();
                ports[i] = held[i].getLocalPort();
            }
        } finally {
            for (ServerSocket socket : held) {
                if (socket != null) {
                    socket.close();
                }
            }
        }
        return ports;
    }

    private static ServerSocket bind() throws IOException {
        IOException last = null;
        for (int tries = 0; tries < 100; tries++) {
            try {
                return new ServerSocket(FIRST + NEXT.getAndIncrement() % COUNT, 1, InetAddress.getLoopbackAddress());
            } catch (IOException taken) {
                last = taken;
            }
        }
        throw last;
    }
}
