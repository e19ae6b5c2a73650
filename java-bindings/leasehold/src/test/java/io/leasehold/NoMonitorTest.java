package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Monitors;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** No monitor of the pool's is held while a caller's code runs: connections' closes, predicates, keys, and the methods of sockets. */
class NoMonitorTest {
    private static final Monitors MONITORS = new Monitors();

    /** A key that looks wherever it is compared. */
    private static final class Key {
        private final int number;

        Key(int number) {
            this.number = number;
        }

        @Override
        public int hashCode() {
            MONITORS.ask();
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            MONITORS.ask();
            return other instanceof Key && number == ((Key) other).number;
        }
    }

    /** A socket that looks wherever it is asked anything that may wait for its close. */
    private static final class Looking extends Socket {
        Looking(ServerSocket server) throws IOException {
            super(InetAddress.getLoopbackAddress(), server.getLocalPort());
        }

        @Override
        public boolean isClosed() {
            MONITORS.ask();
            return super.isClosed();
        }

        @Override
        public int getSoLinger() throws SocketException {
            MONITORS.ask();
            return super.getSoLinger();
        }

        @Override
        public synchronized void close() throws IOException {
            MONITORS.ask();
            super.close();
        }
    }

    private static final Disposer<Socket> DISPOSER = new Disposer<Socket>() {
        @Override
        public void dispose(Socket connection, Cause cause) {
            MONITORS.ask();
            try {
                connection.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void letGo(Socket connection, Cause cause) {
            MONITORS.ask();
        }

        @Override
        public boolean mayBlock(Socket connection) {
            MONITORS.ask();
            return false;
        }
    };

    @Test
    void inNoCallOfThePool() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ConnectionPool<Key, Socket> pool =
                        ConnectionPool.<Key, Socket>builder(DISPOSER).maxTotal(4).maxPerRoute(4).build()) {
            List<Lease<Socket>> leases = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                pool.setMaxPerRoute(new Key(i % 2), 3);
                Lease<Socket> lease = pool.lease(new Key(i % 2), i == 0 ? null : new Key(i), 1, TimeUnit.SECONDS);
                leases.add(lease);
                lease.opened(new Looking(server));
                lease.attach(lease.connection());
                lease.attach(new Looking(server));
                lease.attach(lease.connection());
            }
            leases.get(0).reopen().close();
            leases.get(0).opened(new Looking(server));
            leases.get(0).attach(leases.get(0).connection());
            leases.get(1).replace();
            leases.get(2).detach();
            for (Lease<Socket> lease : leases) {
                lease.release(new Key(7));
            }
            pool.closeIdleIf((route, connection) -> {
                MONITORS.ask();
                return false;
            });
            pool.setMaxTotal(1);
            pool.setDefaultMaxPerRoute(1);
            pool.setMaxPerRoute(new Key(0), 0);
            pool.removeMaxPerRoute(new Key(1));
            pool.clear(new Key(0));
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
        assertTrue(MONITORS.asked() > 0);
        assertEquals(emptyList(), MONITORS.held());
    }
}
