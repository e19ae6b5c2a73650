package io.leasehold;

import static java.util.Arrays.asList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Connections whose closing waits for their peer, which delays nobody. */
class BlockingDisposalTest {
    private static final String DISPOSER = "leasehold-disposer";

    /** Closes as TLS may: by waiting for an answer. Refers to no pool, as the contract demands. */
    private static final class Waiting implements Disposer<Socket> {
        final Queue<String> closed = new ConcurrentLinkedQueue<>();

        @Override
        public boolean mayBlock(Socket socket) {
            return true;
        }

        @Override
        public void dispose(Socket socket, Cause cause) {
            try {
                int answer = socket.getInputStream().read();
                socket.close();
                closed.add(Thread.currentThread().getName() + " " + answer);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static long threads(String name) {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals(name)).count();
    }

    @Test
    void aPeerThatNeverAnswersDelaysNoCallerAndIsCutShort() throws Exception {
        Waiting disposer = new Waiting();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
        try (Socket theirs = pair.theirs) {
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(pair.ours);
            lease.attach(pair.ours);
            // Returns, although the peer says nothing.
            lease.discard();
            assertEquals(0, pool.stats().leased());
            Eventually.await("the close that hung was ended", () -> disposer.closed.contains(DISPOSER + " -1"));
            assertEquals(-1, theirs.getInputStream().read(), "nothing of ours keeps the connection open");
        }
        pool.close();
    }

    @Test
    void aCloseThatCannotBeCutShortIsLeftToItselfAndTheOthersGoOn() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Queue<String> closed = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder(new Disposer<String>() {
            @Override
            public boolean mayBlock(String connection) {
                return true;
            }

            @Override
            public void dispose(String connection, Cause cause) {
                if (connection.equals("stuck")) {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
                closed.add(connection);
            }
        }).build();
        for (String connection : new String[] {"stuck", "next", "last"}) {
            Lease<String> lease = pool.tryLease("a");
            lease.opened(connection);
            lease.discard();
        }
        Eventually.await("the others are closed", () -> closed.size() == 2);
        assertFalse(closed.contains("stuck"));
        end.countDown();
        Eventually.await("it is closed, too", () -> closed.contains("stuck"));
        pool.close();
    }

    @Test
    void aCrowdOfPeersThatNeverAnswerIsClosedTogether() throws Exception {
        int n = 60;
        Waiting disposer = new Waiting();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        List<Socket> theirs = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
            theirs.add(pair.theirs);
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(pair.ours);
            lease.attach(pair.ours);
            lease.discard();
        }
        // One after the other they would take longer than this waits.
        Eventually.await("all are closed", () -> disposer.closed.size() == n);
        for (Socket peer : theirs) {
            assertEquals(-1, peer.getInputStream().read());
            peer.close();
        }
        pool.close();
    }

    @Test
    void whatIsQueuedToBeClosedTakesNoMoreDescriptors() throws Exception {
        int n = 100;
        CountDownLatch end = new CountDownLatch(1);
        Queue<Socket> closed = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(new Disposer<Socket>() {
            @Override
            public boolean mayBlock(Socket socket) {
                return true;
            }

            @Override
            public void dispose(Socket socket, Cause cause) {
                try {
                    end.await();
                    socket.close();
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
                closed.add(socket);
            }
        }).build();
        List<SocketsTest.Pair> pairs = new ArrayList<>();
        List<Lease<Socket>> leases = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
            pairs.add(pair);
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(pair.ours);
            lease.attach(pair.ours);
            leases.add(lease);
        }
        leases.forEach(Lease::release);
        int before = openDescriptors();
        pool.close();
        assertTrue(openDescriptors() < before + n / 2, "each has a second descriptor");
        end.countDown();
        Eventually.await("all are closed", () -> closed.size() == n);
        for (SocketsTest.Pair pair : pairs) {
            pair.theirs.close();
        }
    }

    @Test
    void whatWasClosedAsideHasLeftNoDescriptorOpen() throws Exception {
        int n = 50;
        Closing disposer = new Closing();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        int before = openDescriptors();
        for (int i = 0; i < n; i++) {
            SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
            discard(pool, pair.ours, true);
            pair.theirs.close();
        }
        Eventually.await("all are closed", () -> disposer.closed.size() == n);
        Eventually.await("their second descriptors are, too", () -> openDescriptors() < before + n / 2);
        pool.close();
    }

    private static int openDescriptors() {
        return new File("/proc/self/fd").list().length;
    }

    @Test
    void aSocketThatIsToLingerHoldsUpNobodyAndLosesNothing() throws Exception {
        byte[] much = new byte[100_000];
        Queue<Cause> closed = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(new Disposer<Socket>() {
            @Override
            public boolean mayBlock(Socket socket) {
                return Sockets.mayBlockToClose(socket);
            }

            @Override
            public void dispose(Socket socket, Cause cause) {
                try {
                    socket.close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                closed.add(cause);
            }
        }).build();
        try (ServerSocket server = new ServerSocket()) {
            server.setReceiveBufferSize(4096);
            server.bind(new InetSocketAddress(SocketsTest.LOOPBACK, 0));
            Socket ours = new Socket(SocketsTest.LOOPBACK, server.getLocalPort());
            ours.setSendBufferSize(2 * much.length);
            ours.setSoLinger(true, 600);
            try (Socket theirs = server.accept()) {
                // More than the peer has room for, and it does not read.
                ours.getOutputStream().write(much);
                Lease<Socket> lease = pool.tryLease("a");
                lease.opened(ours);
                lease.attach(ours);
                lease.discard();
                Eventually.await("it is closed", () -> closed.size() == 1);
                int left = much.length;
                for (int n; left > 0 && (n = theirs.getInputStream().read(much)) > 0; left -= n) {}
                assertEquals(0, left);
                assertEquals(-1, theirs.getInputStream().read());
            }
        }
        pool.close();
    }

    @Test
    void aLeakedConnectionWhoseCloseHangsHoldsUpNoHousekeeping() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Queue<String> closed = new ConcurrentLinkedQueue<>();
        // It does not know that its closes may block: nobody expects that of a connection in use.
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((String connection, Cause cause) -> {
            if (connection.equals("stuck")) {
                try {
                    end.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
            closed.add(connection + " " + cause);
        }).leakListener(Disposals.LEAKS_ARE_EXPECTED).build();
        leak(pool, "stuck");
        Eventually.awaitAfterCollection("it was found", () -> pool.stats().leased() == 0);
        leak(pool, "next");
        Eventually.awaitAfterCollection("the next one was, too", () -> closed.contains("next LEAKED"));
        assertEquals(1, closed.size());
        end.countDown();
        Eventually.await("it is closed, too", () -> closed.contains("stuck LEAKED"));
        pool.close();
    }

    private static void leak(ConnectionPool<String, String> pool, String connection) {
        pool.tryLease("a").opened(connection);
    }

    @Test
    @Tag("long")
    void aFloodOfClosesLosesNoneAlsoWhenThePoolEndsAndItsThreadsGo() throws Exception {
        int n = 20_000;
        Queue<Integer> closed = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Integer> pool = ConnectionPool.<String, Integer>builder(new Disposer<Integer>() {
            @Override
            public boolean mayBlock(Integer connection) {
                return connection % 7 != 0;
            }

            @Override
            public void dispose(Integer connection, Cause cause) {
                closed.add(connection);
            }
        }).build();
        Lease<?>[] leases = new Lease<?>[n];
        for (int i = 0; i < n; i++) {
            Lease<Integer> lease = pool.tryLease("a");
            lease.opened(i);
            leases[i] = lease;
        }
        for (int i = 0; i < n; i++) {
            if (i % 3 == 0) {
                leases[i].discard();
            } else {
                leases[i].release();
            }
        }
        pool.shutdown(ShutdownMode.IMMEDIATE);
        Eventually.await("all are closed", () -> closed.size() == n);
        assertEquals(n, closed.stream().distinct().count());
        Eventually.await("the disposer's thread has ended", () -> threads(DISPOSER) == 0);
    }

    @Test
    void whatCannotBlockIsClosedBeforeTheCallReturns() {
        Disposals disposals = new Disposals();
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(disposals).build();
        Lease<Connection> lease = pool.tryLease("a");
        lease.opened(new Connection("c"));
        lease.discard();
        assertEquals(1, disposals.count());
        pool.close();
    }

    @Test
    void thatItIsLetGoIsToldByWhoFoundTheCauseBeforeItIsClosedAside() throws Exception {
        Queue<String> told = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder(new Disposer<String>() {
            @Override
            public void letGo(String connection, Cause cause) {
                told.add(connection + " let go " + cause + " " + Thread.currentThread().getName());
                throw new IllegalStateException("of the test's own making");
            }

            @Override
            public boolean mayBlock(String connection) {
                return true;
            }

            @Override
            public void dispose(String connection, Cause cause) {
                told.add(connection + " closed " + cause + " " + Thread.currentThread().getName());
            }
        }).build();
        Lease<String> lease = pool.tryLease("a");
        lease.opened("c");
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            lease.discard();
            assertTrue(log.messages().containsAll(asList(pool.name() + ": disposing of a connection to a: DISCARDED",
                    pool.name() + ": a disposer failed when it was told that a connection was let go (DISCARDED)")),
                    log.messages().toString());
        }
        Eventually.await("it is closed", () -> told.size() == 2);
        assertEquals(asList("c let go DISCARDED " + Thread.currentThread().getName(), "c closed DISCARDED " + DISPOSER),
                new ArrayList<>(told));
        pool.close();
    }

    @Test
    void aDisposerThatCannotSayIsTakenToBlock() throws Exception {
        Queue<String> threads = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder(new Disposer<String>() {
            @Override
            public boolean mayBlock(String connection) {
                throw new IllegalStateException("of the test's own making");
            }

            @Override
            public void dispose(String connection, Cause cause) {
                threads.add(Thread.currentThread().getName());
            }
        }).build();
        Lease<String> lease = pool.tryLease("a");
        lease.opened("c");
        lease.release();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.closeIdle(0, TimeUnit.SECONDS);
            assertTrue(log.messages().toString().contains("failed to say whether"), log.messages().toString());
        }
        Eventually.await("it is closed", () -> threads.size() == 1);
        assertTrue(threads.contains(DISPOSER));
        pool.close();
    }

    /** Closes sockets where that may block; what it is to close first waits for a permit, if it is one of those that hang. */
    private static final class Closing implements Disposer<Socket> {
        final Queue<Socket> closed = new ConcurrentLinkedQueue<>();
        final Semaphore hang = new Semaphore(0);

        @Override
        public boolean mayBlock(Socket socket) {
            return true;
        }

        @Override
        public void dispose(Socket socket, Cause cause) {
            if (socket instanceof Hanging) {
                hang.acquireUninterruptibly();
            }
            try {
                socket.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            closed.add(socket);
        }
    }

    private static final class Hanging extends Socket {}

    /** A socket of somebody else's making that fails in whatever it is asked before its close. */
    private static final class Failing extends Socket {
        @Override
        public int getSoLinger() {
            throw new StackOverflowError("of the test's own making");
        }

        @Override
        public void setSoTimeout(int timeout) {
            throw new NoClassDefFoundError("of the test's own making");
        }
    }

    private static void discard(ConnectionPool<String, Socket> pool, Socket socket, boolean isAttached) {
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(socket);
        if (isAttached) {
            lease.attach(socket);
        }
        lease.discard();
    }

    @Test
    void errorsOfConnectionsStopNoDisposer() throws Exception {
        Closing disposer = new Closing();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).watching(Watching.OFF).build();
        for (int i = 0; i < 40; i++) {
            discard(pool, new Failing(), true);
        }
        for (int i = 0; i < 10; i++) {
            discard(pool, new Socket(), true);
        }
        Eventually.await("all are closed", () -> disposer.closed.size() == 50);
        pool.close();
    }

    @Test
    @Tag("long")
    void closesThatHangForGoodStopNoOther() throws Exception {
        Closing disposer = new Closing();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        int hanging = 19;
        for (int i = 0; i < hanging; i++) {
            discard(pool, new Hanging(), false);
        }
        for (int i = 0; i < 10; i++) {
            discard(pool, new Socket(), true);
        }
        Eventually.await("all the others are closed", () -> disposer.closed.size() == 10);
        disposer.hang.release(hanging);
        Eventually.await("all are closed", () -> disposer.closed.size() == hanging + 10);
        Eventually.await("the disposer's threads have ended", () -> threads(DISPOSER) == 0);
        pool.close();
    }

    /** Passes on to another socket, of which nothing leads to it. */
    private static final class Veiled extends Socket {
        private final Object[] inner;

        Veiled(Socket inner) {
            this.inner = new Object[] {inner};
        }

        private Socket inner() {
            return (Socket) inner[0];
        }

        @Override
        public InputStream getInputStream() throws IOException {
            InputStream in = inner().getInputStream();
            return new InputStream() {
                @Override
                public int read() throws IOException {
                    return in.read();
                }
            };
        }

        @Override
        public void setSoTimeout(int timeout) throws SocketException {
            inner().setSoTimeout(timeout);
        }

        @Override
        public synchronized void close() throws IOException {
            try {
                inner().getInputStream().read();
            } finally {
                inner().close();
            }
        }
    }

    @Test
    void aCloseThatReadsFromASocketWhoseDescriptorNobodyKnowsIsBounded() throws Exception {
        Queue<Throwable> ended = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(new Disposer<Socket>() {
            @Override
            public boolean mayBlock(Socket socket) {
                return true;
            }

            @Override
            public void dispose(Socket socket, Cause cause) {
                try {
                    socket.close();
                } catch (IOException e) {
                    ended.add(e);
                }
            }
        }).build();
        SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
        discard(pool, new Veiled(pair.ours), true);
        Eventually.await("it was ended", () -> ended.size() == 1);
        assertEquals(SocketTimeoutException.class, ended.peek().getClass());
        pair.theirs.close();
        pool.close();
    }
}
