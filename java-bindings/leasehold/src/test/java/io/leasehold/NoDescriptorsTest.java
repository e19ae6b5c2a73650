package io.leasehold;

import static java.util.Arrays.asList;
import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A program whose descriptors are used up when the first socket is to be watched, in a JVM of its own. */
class NoDescriptorsTest {
    /** What runs in that JVM: says what becomes of a connection then, and of one when there are descriptors again. */
    public static final class Application {
        private static final int LOOKS = 100;

        public static void main(String[] args) throws Exception {
            ConnectionPool<String, Socket> pool =
                    ConnectionPool.<String, Socket>builder(new Closer()).watching(Watching.WATCH).build();
            InetAddress loopback = InetAddress.getByName("127.0.0.1");
            try (ServerSocket server = new ServerSocket(0, 2, loopback); LogCapture log = LogCapture.of(ConnectionPool.class)) {
                Socket first = new Socket(loopback, server.getLocalPort());
                Socket firstPeer = server.accept();
                Socket second = new Socket(loopback, server.getLocalPort());
                Socket secondPeer = server.accept();
                Lease<Socket> lease = pool.tryLease("a");
                lease.opened(first);
                List<FileInputStream> hoard = hoard();
                // One is left to load classes with; the watch takes two.
                hoard.remove(0).close();
                lease.attach(first);
                lease.release();
                firstPeer.close();
                Eventually.await("its close has arrived", () -> Sockets.probe(first) == Liveness.CLOSED);
                lease = pool.tryLease("a");
                System.out.println("without: " + lease.connection() + ", " + pool.counters().stale() + " stale");
                Eventually.await("it is logged", () -> log.messages().toString().contains("not watched, only probed"));
                for (FileInputStream file : hoard) {
                    file.close();
                }
                lease.opened(second);
                lease.attach(second);
                lease.release();
                secondPeer.close();
                Eventually.await("it is closed", () -> pool.stats().available() == 0);
                System.out.println("again: " + pool.counters().closedByPeer() + " closed by its peer");
            }
        }

        /** All descriptors, those too that the JVM's own threads have for a moment, to look how much memory there is, say. */
        private static List<FileInputStream> hoard() throws InterruptedException {
            List<FileInputStream> hoard = new ArrayList<>();
            for (int inVain = 0; inVain < LOOKS; ) {
                try {
                    hoard.add(new FileInputStream("/dev/null"));
                    inVain = 0;
                } catch (FileNotFoundException noDescriptorLeft) {
                    inVain++;
                    Thread.sleep(1);
                }
            }
            return hoard;
        }
    }

    private static final class Closer implements Disposer<Socket> {
        @Override
        public void dispose(Socket socket, Cause cause) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void whatCannotBeWatchedIsAskedAtTheLeaseUntilThereIsAWatchAgain() throws Exception {
        String output = OwnJvm.run(asList("sh", "-c", "ulimit -n 256 && exec \"$@\"", "sh"), Application.class, emptyList());
        assertTrue(output.contains("without: null, 1 stale"), output);
        assertTrue(output.contains("again: 1 closed by its peer"), output);
    }
}
