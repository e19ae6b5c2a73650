package io.leasehold;

import static java.util.Arrays.asList;
import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.sockets.FoundSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections whose socket the pool was told, and what it does when their peers close them. */
class WatchTest {
    /** Closes sockets and keeps a record. */
    private static final class Closer implements Disposer<Socket> {
        final Queue<Cause> causes = new ConcurrentLinkedQueue<>();

        @Override
        public void dispose(Socket socket, Cause cause) {
            try {
                SocketsTest.close(socket);
            } catch (java.io.IOException e) {
                throw new AssertionError(e);
            }
            causes.add(cause);
        }
    }

    private final Closer closer = new Closer();
    private final List<SocketsTest.Pair> pairs = new ArrayList<>();

    private SocketsTest.Pair connect(SocketsTest.Kind kind) throws Exception {
        SocketsTest.Pair pair = kind.connect();
        pairs.add(pair);
        return pair;
    }

    private SocketsTest.Pair connect() throws Exception {
        return connect(SocketsTest.Kind.PLAIN);
    }

    @AfterEach
    void close() throws Exception {
        for (SocketsTest.Pair pair : pairs) {
            pair.end();
        }
    }

    private ConnectionPool<String, Socket> pool(Watching watching) {
        return ConnectionPool.<String, Socket>builder(closer).watching(watching).build();
    }

    private static Lease<Socket> open(ConnectionPool<String, Socket> pool, SocketsTest.Pair pair) {
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(pair.ours);
        lease.attach(pair.ours);
        return lease;
    }

    private void awaitClosed(int n) throws Exception {
        Eventually.await(n + " are closed", () -> closer.causes.size() == n);
    }

    /** Returns once the housekeeper has dealt with every event that came before the call. */
    private void awaitTheHousekeeper() throws Exception {
        Closer others = new Closer();
        ConnectionPool<String, Socket> other = ConnectionPool.<String, Socket>builder(others).build();
        SocketsTest.Pair pair = connect();
        open(other, pair).release();
        pair.theirs.close();
        Eventually.await("the housekeeper has looked", () -> others.causes.size() == 1);
        other.close();
    }

    @ParameterizedTest
    @EnumSource
    void anIdleConnectionThatItsPeerClosesIsDisposedOfAtOnce(SocketsTest.Kind kind) throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair pair = connect(kind);
        open(pool, pair).release();
        pair.theirs.close();
        awaitClosed(1);
        assertEquals(singletonList(Cause.PEER_CLOSED), new ArrayList<>(closer.causes));
        assertEquals(0, pool.stats().available());
        assertEquals(1, pool.counters().closedByPeer());
        assertEquals(0, pool.counters().stale());
        assertNull(pool.tryLease("a").connection());
    }

    @Test
    void anIdleConnectionThatItsPeerResetsIsDisposedOfAtOnce() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.setSoLinger(true, 0);
        pair.theirs.close();
        awaitClosed(1);
        assertEquals(0, pool.stats().available());
    }

    @Test
    void anIdleConnectionWhoseFarHalfIsClosedAfterBytesIsDisposedOfAtOnce() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.getOutputStream().write("HTTP/1.1 408 Request Timeout\r\n\r\n".getBytes("US-ASCII"));
        pair.theirs.shutdownOutput();
        awaitClosed(1);
        assertEquals(0, pool.stats().available());
    }

    @Test
    void aConnectionThatItsPeerClosesDuringTheLeaseIsDisposedOfAtItsRelease() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        SocketsTest.Pair pair = connect();
        Lease<Socket> lease = open(pool, pair);
        pair.theirs.close();
        awaitTheHousekeeper();
        assertEquals(emptyList(), new ArrayList<>(closer.causes));
        lease.release();
        assertEquals(singletonList(Cause.PEER_CLOSED), new ArrayList<>(closer.causes));
    }

    @Test
    void aConnectionClosedBeforeItWasAttachedIsNotKept() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        SocketsTest.Pair pair = connect();
        pair.theirs.close();
        open(pool, pair).release();
        awaitClosed(1);
        assertEquals(0, pool.stats().available());
    }

    @Test
    void aProbeFindsAtTheLeaseWhatNobodyWatched() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.PROBE);
        SocketsTest.Pair closed = connect();
        SocketsTest.Pair alive = connect();
        Lease<Socket> first = open(pool, alive);
        open(pool, closed).release();
        first.release();
        closed.theirs.close();
        Eventually.await("it is closed", () -> Sockets.probe(closed.ours) == Liveness.CLOSED);
        assertSame(alive.ours, pool.tryLease("a").connection());
        try (Lease<Socket> lease = pool.tryLease("a")) {
            assertNull(lease.connection(), "a vacancy in its place");
            assertEquals(singletonList(Cause.PEER_CLOSED), new ArrayList<>(closer.causes));
            assertEquals(1, pool.counters().stale());
            assertEquals(0, pool.counters().closedByPeer());
            lease.opened(connect().ours);
            lease.release();
        }
        assertEquals(1, pool.stats().available());
    }

    @Test
    void aPlainConnectionOnWhichBytesWaitIsNotLeased() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.getOutputStream().write(1);
        Eventually.await("it has come", () -> Sockets.probe(pair.ours) == Liveness.READABLE);
        assertNull(pool.tryLease("a").connection());
        awaitClosed(1);
    }

    @Test
    void aTlsConnectionOnWhichBytesWaitIsKept() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair pair = connect(SocketsTest.Kind.TLS_LAYERED);
        open(pool, pair).release();
        pair.theirs.getOutputStream().write(1);
        Eventually.await("it has come", () -> Sockets.probe(pair.ours) == Liveness.READABLE);
        awaitTheHousekeeper();
        assertSame(pair.ours, pool.tryLease("a").connection());
    }

    @Test
    void withWatchingOffNothingIsNoticed() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.OFF);
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.close();
        awaitTheHousekeeper();
        assertSame(pair.ours, pool.tryLease("a").connection());
    }

    @Test
    void aDetachedSocketIsNotWatched() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair pair = connect();
        Lease<Socket> lease = open(pool, pair);
        lease.detach();
        lease.release();
        lease.detach();
        pair.theirs.close();
        awaitTheHousekeeper();
        assertSame(pair.ours, pool.tryLease("a").connection());
    }

    @Test
    void whatWasKnownOfASocketDoesNotConcernTheNextOne() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair first = connect();
        Lease<Socket> lease = open(pool, first);
        first.theirs.close();
        awaitTheHousekeeper();
        // The holder has noticed, too, and the connection gets another socket.
        lease.detach();
        first.ours.close();
        SocketsTest.Pair second = connect();
        lease.attach(second.ours);
        lease.release();
        assertEquals(1, pool.stats().available());
        second.theirs.close();
        awaitClosed(1);
        assertEquals(0, pool.stats().available());
    }

    @Test
    void aConnectionThatTakesThePlaceOfAnotherIsNotMistakenForIt() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        SocketsTest.Pair first = connect();
        Lease<Socket> lease = open(pool, first);
        // Not detached, and closed after the next one has its place: the event comes late.
        lease.reopen();
        SocketsTest.Pair second = connect();
        lease.opened(second.ours);
        lease.attach(second.ours);
        lease.release();
        first.theirs.close();
        awaitTheHousekeeper();
        assertEquals(1, pool.stats().available());
    }

    @Test
    @Tag("long")
    void noHealthyConnectionIsEvictedWhereDescriptorsAreReused() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        List<SocketsTest.Pair> healthy = new ArrayList<>();
        List<Lease<Socket>> leases = new ArrayList<>();
        int n = 200;
        try (ServerSocket server = new ServerSocket(0, 50, SocketsTest.LOOPBACK)) {
            for (int i = 0; i < n; i++) {
                // Closed by its user under the pool, so that its number is free for the next socket while events are under way.
                Socket doomed = new Socket(SocketsTest.LOOPBACK, server.getLocalPort());
                Socket peer = server.accept();
                Lease<Socket> lease = pool.tryLease("a");
                lease.opened(doomed);
                lease.attach(doomed);
                peer.close();
                doomed.close();
                Socket next = new Socket(SocketsTest.LOOPBACK, server.getLocalPort());
                lease.attach(next);
                healthy.add(new SocketsTest.Pair(next, server.accept()));
                leases.add(lease);
            }
        }
        pairs.addAll(healthy);
        leases.forEach(Lease::release);
        awaitTheHousekeeper();
        assertEquals(n, pool.stats().available());
        assertEquals(0, pool.counters().closedByPeer());
        for (SocketsTest.Pair pair : healthy) {
            pair.theirs.close();
        }
        Eventually.await("all are gone", () -> pool.stats().available() == 0);
        assertEquals(n, pool.counters().closedByPeer());
    }

    /** Is closed by its user, under the pool, while the pool looks at it for the n-th time. */
    private static final class ClosedUnderThePool extends Socket {
        private int looks;
        private int closedAt = -1;
        private Runnable afterwards;

        ClosedUnderThePool(ServerSocket server) throws IOException {
            super(SocketsTest.LOOPBACK, server.getLocalPort());
        }

        void closeAtLook(int n, Runnable afterwards) {
            looks = 0;
            closedAt = n;
            this.afterwards = afterwards;
        }

        @Override
        public boolean isClosed() {
            boolean before = super.isClosed();
            if (++looks == closedAt) {
                closeNow();
            }
            return before;
        }

        void closeNow() {
            closedAt = -1;
            try {
                close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            afterwards.run();
        }
    }

    /** Attaches a socket that has the number of one that was just closed. */
    private void attachOneOfNumber(int number, ServerSocket server, Lease<Socket> lease) {
        try {
            Socket ours = oneOfNumber(number, server).ours;
            lease.opened(ours);
            lease.attach(ours);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Look 1 is the pool's before it looks who is watched, 2 is the one before the number is held on to; 0 is after all. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aSocketThatIsClosedUnderThePoolTakesNobodyItsWatch(int whileItIsAttached) throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        try (ServerSocket server = new ServerSocket(0, 50, SocketsTest.LOOPBACK)) {
            ClosedUnderThePool doomed = new ClosedUnderThePool(server);
            int number = FoundSocket.of(doomed).descriptor();
            Socket doomedsPeer = server.accept();
            Lease<Socket> lease = pool.tryLease("a");
            Lease<Socket> others = pool.tryLease("b");
            lease.opened(doomed);
            if (whileItIsAttached > 0) {
                doomed.closeAtLook(whileItIsAttached, () -> attachOneOfNumber(number, server, others));
                lease.attach(doomed);
                assertTrue(doomed.closedAt < 0, "it was not looked at so often");
            } else {
                lease.attach(doomed);
                doomed.closeAtLook(1, () -> attachOneOfNumber(number, server, others));
                lease.detach();
                if (doomed.closedAt > 0) {
                    // It was not looked at.
                    doomed.closeNow();
                }
            }
            others.release();
            lease.discard();
            assertEquals(1, pool.stats().available());
            pairs.get(pairs.size() - 1).theirs.close();
            Eventually.await("the other's close is told", () -> pool.stats().available() == 0);
            doomedsPeer.close();
        }
    }

    /** Has something happen when the pool looks at it for the n-th time. */
    private static final class LookedAt extends Socket {
        private int left;
        private Runnable event;

        LookedAt(ServerSocket server) throws IOException {
            super(SocketsTest.LOOPBACK, server.getLocalPort());
        }

        @Override
        public boolean isClosed() {
            if (--left == 0) {
                Runnable now = event;
                // An idle connection that refers to its pool keeps that from being collected, and the housekeeper's thread with it.
                event = null;
                now.run();
            }
            return super.isClosed();
        }
    }

    /** Look 1 is the pool's before it asks anew whether the lease goes on, 2 the one before the socket is watched. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aLeaseThatEndsWhileItsSocketIsAttachedLeavesTheNextOneNone(int look) throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        try (ServerSocket server = new ServerSocket(0, 1, SocketsTest.LOOPBACK); LookedAt socket = new LookedAt(server)) {
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(socket);
            AtomicReference<Lease<Socket>> next = new AtomicReference<>();
            socket.event = () -> {
                lease.release();
                next.set(pool.tryLease("a"));
            };
            socket.left = look;
            assertFalse(lease.tryAttach(socket));
            assertSame(socket, next.get().connection());
            assertTrue(Arrays.stream(pool.state.cells.bySlot).allMatch(cell -> cell == null || cell.attachment == null));
            next.get().release();
            server.accept().close();
            Eventually.await("its close has come", () -> Sockets.probe(socket) == Liveness.CLOSED);
            awaitTheHousekeeper();
            assertEquals(1, pool.stats().available(), "nobody was told of it");
        }
    }

    /** Its number is given back when it begins to linger. Until the end a TLS socket says it is open, and a plain one may say nothing. */
    @ParameterizedTest
    @EnumSource
    @Tag("long")
    void aSocketWhoseCloseLingersTakesNobodyItsWatch(SocketsTest.Kind kind) throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        ExecutorService threads = Executors.newCachedThreadPool();
        SocketsTest.Pair doomed = connect(kind);
        try (ServerSocket server = new ServerSocket(0, 50, SocketsTest.LOOPBACK)) {
            // More than the peer has room for, and it does not read.
            byte[] much = new byte[5_000_000];
            doomed.theirs.setReceiveBufferSize(4096);
            doomed.ours.setSendBufferSize(2 * much.length);
            doomed.ours.setSoLinger(true, 600);
            doomed.ours.getOutputStream().write(much);
            int number = FoundSocket.of(doomed.ours).descriptor();
            // Held to the end: lost, it would be closed by the pool, too.
            Lease<Socket> held = open(pool, doomed);
            Future<?> close = threads.submit(() -> {
                doomed.ours.close();
                return null;
            });
            SocketsTest.Pair next = oneOfNumber(number, server);
            threads.submit(() -> open(pool, next).release()).get(30, TimeUnit.SECONDS);
            assertTrue(isWatched(pool, next.ours), "it is not watched");
            assertEquals(next.theirs.getLocalPort(), next.ours.getPort());
            next.theirs.close();
            Eventually.await("its close is told", () -> pool.counters().closedByPeer() == 1);
            assertFalse(close.isDone(), "there was nothing to linger for");
            assertFalse(held.isEnded());
        } finally {
            // Whoever lingers need not any more.
            doomed.theirs.setSoLinger(true, 0);
            doomed.theirs.close();
            threads.shutdown();
        }
    }

    private static boolean isWatched(ConnectionPool<String, Socket> pool, Socket socket) {
        return Arrays.stream(pool.state.cells.bySlot)
                .anyMatch(cell -> cell != null && cell.attachment != null && cell.attachment.get() == socket && cell.attachment.isWatched);
    }

    /** A connection whose socket has the number of one that is being closed. */
    private SocketsTest.Pair oneOfNumber(int number, ServerSocket server) throws Exception {
        SocketsTest.Pair[] found = new SocketsTest.Pair[1];
        Eventually.await("a socket has the number", () -> {
            Socket one = new Socket(SocketsTest.LOOPBACK, server.getLocalPort());
            Socket other = server.accept();
            // The first that is free goes to the one, the next to the other.
            found[0] = FoundSocket.of(other).descriptor() == number ? new SocketsTest.Pair(other, one) : new SocketsTest.Pair(one, other);
            pairs.add(found[0]);
            return FoundSocket.of(found[0].ours).descriptor() == number;
        });
        return found[0];
    }

    /** Closes that hang: of one connection until the end, of the others until their socket is shut down. */
    private static final class Hanging implements Disposer<Socket> {
        final CountDownLatch end = new CountDownLatch(1);
        final Queue<Socket> closed = new ConcurrentLinkedQueue<>();
        private final Socket stuck;

        Hanging(Socket stuck) {
            this.stuck = stuck;
        }

        @Override
        public boolean mayBlock(Socket socket) {
            return true;
        }

        @Override
        public void dispose(Socket socket, Cause cause) {
            try {
                if (socket == stuck) {
                    end.await();
                } else {
                    socket.getInputStream().read();
                }
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
            closed.add(socket);
        }
    }

    /** Looks 1 to 3 are all that the pool takes before it has a close under way. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aSocketThatIsClosedUnderThePoolCostsNobodyElseItsConnection(int look) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, SocketsTest.LOOPBACK)) {
            ClosedUnderThePool doomed = new ClosedUnderThePool(server);
            int number = FoundSocket.of(doomed).descriptor();
            Socket doomedsPeer = server.accept();
            Hanging disposer = new Hanging(doomed);
            ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
            Lease<Socket> lease = open(pool, new SocketsTest.Pair(doomed, doomedsPeer));
            CompletableFuture<SocketsTest.Pair> stranger = new CompletableFuture<>();
            doomed.closeAtLook(look, () -> {
                try {
                    stranger.complete(oneOfNumber(number, server));
                } catch (Throwable e) {
                    stranger.completeExceptionally(e);
                }
            });
            lease.discard();
            SocketsTest.Pair strangers = stranger.get(60, TimeUnit.SECONDS);
            // Which is cut short later than the one before would be.
            open(pool, connect()).discard();
            Eventually.await("the other one was cut short", () -> disposer.closed.size() == 1);
            // In the same look of the housekeeper, perhaps, but then before the next one.
            awaitTheHousekeeper();
            assertEquals(Liveness.ALIVE, Sockets.probe(strangers.ours));
            disposer.end.countDown();
            Eventually.await("both are closed", () -> disposer.closed.size() == 2);
            doomedsPeer.close();
            pool.close();
        }
    }

    @Test
    void aPoolThatNobodyRefersToIsCollectedThoughItsConnectionsAreWatched() throws Exception {
        List<WeakReference<Object>> pools = new ArrayList<>();
        int n = 20;
        for (int i = 0; i < n; i++) {
            ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
            SocketsTest.Pair pair = connect();
            open(pool, pair).release();
            pools.add(new WeakReference<>(pool));
            if (i % 2 == 0) {
                pair.theirs.close();
            }
        }
        Eventually.awaitAfterCollection("all are collected", () -> pools.stream().allMatch(pool -> pool.get() == null));
        Eventually.awaitAfterCollection("all are closed", () -> closer.causes.size() == n);
    }

    /** Holds the housekeeper up at the first close, as a disposer must not. */
    private static final class HoldUp implements Disposer<Socket> {
        final CountDownLatch isHeld = new CountDownLatch(1);
        final CountDownLatch mayGoOn = new CountDownLatch(1);

        @Override
        public void dispose(Socket socket, Cause cause) {
            isHeld.countDown();
            try {
                mayGoOn.await();
                socket.close();
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** More than are closed before the housekeeper looks up again. */
    private static final int BURST = 200;

    private List<SocketsTest.Pair> openIdle(ConnectionPool<String, Socket> pool) throws Exception {
        List<SocketsTest.Pair> open = new ArrayList<>();
        List<Lease<Socket>> leases = new ArrayList<>();
        for (int i = 0; i < BURST; i++) {
            open.add(connect());
            leases.add(open(pool, open.get(i)));
        }
        leases.forEach(Lease::release);
        return open;
    }

    private HoldUp holdTheHousekeeperUp() throws Exception {
        HoldUp holdUp = new HoldUp();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(holdUp).watching(Watching.WATCH).build();
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.close();
        holdUp.isHeld.await();
        return holdUp;
    }

    /** A pool whose every close notes how many are idle, and then fails. */
    private ConnectionPool<String, Socket> failing(Queue<Integer> idleThen, AtomicReference<Supplier<Integer>> idle) {
        return ConnectionPool.<String, Socket>builder((Socket socket, Cause cause) -> {
            idleThen.add(idle.get().get());
            closer.dispose(socket, cause);
            throw new StackOverflowError("of the test's own making");
        }).watching(Watching.WATCH).build();
    }

    @Test
    void ofABurstNothingIsLeasedOnceTheFirstIsDisposedOfAndNoneIsLostToAnothersFailure() throws Exception {
        Queue<Integer> idleThen = new ConcurrentLinkedQueue<>();
        AtomicReference<Supplier<Integer>> idle = new AtomicReference<>();
        List<ConnectionPool<String, Socket>> pools = asList(failing(idleThen, idle), failing(idleThen, idle));
        idle.set(() -> pools.stream().mapToInt(pool -> pool.stats().available()).sum());
        List<List<SocketsTest.Pair>> open = asList(openIdle(pools.get(0)), openIdle(pools.get(1)));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            HoldUp holdUp = holdTheHousekeeperUp();
            for (int i = 0; i < BURST; i++) {
                open.get(0).get(i).theirs.close();
                open.get(1).get(i).theirs.close();
            }
            assertEquals(2 * BURST, idle.get().get());
            holdUp.mayGoOn.countDown();
            awaitClosed(2 * BURST);
        }
        assertEquals(0, idleThen.peek());
    }

    /** Its memory is freed on the thread that has still to close what its engine has given up. */
    @Test
    void ofABurstThatAPoolDoesNotOutliveEachIsClosedOnce() throws Exception {
        HoldUp holdUp = holdTheHousekeeperUp();
        List<SocketsTest.Pair> open = new ArrayList<>();
        WeakReference<Object> gone = new WeakReference<>(poolWithIdle(open));
        for (SocketsTest.Pair pair : open) {
            pair.theirs.close();
        }
        Eventually.awaitAfterCollection("the pool is collected", () -> gone.get() == null);
        holdUp.mayGoOn.countDown();
        awaitClosed(BURST);
        awaitTheHousekeeper();
        assertEquals(BURST, closer.causes.size());
    }

    private Object poolWithIdle(List<SocketsTest.Pair> open) throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        open.addAll(openIdle(pool));
        return pool;
    }

    @Test
    void aPoolMayEndWhileEventsAreUnderWay() throws Exception {
        for (int round = 0; round < 50; round++) {
            ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
            List<Lease<Socket>> leases = new ArrayList<>();
            List<SocketsTest.Pair> open = asList(connect(), connect(), connect());
            for (SocketsTest.Pair pair : open) {
                leases.add(open(pool, pair));
            }
            leases.subList(1, 3).forEach(Lease::release);
            for (SocketsTest.Pair pair : open) {
                pair.theirs.close();
            }
            pool.shutdown(ShutdownMode.IMMEDIATE);
            leases.get(0).tryRelease();
            int all = 3 * (round + 1);
            awaitClosed(all);
        }
    }

    @Test
    void whatHasExpiredIsDisposedOfWhereAsked() throws Exception {
        ManualClock clock = new ManualClock();
        ConnectionPool<String, Socket> pool =
                ConnectionPool.<String, Socket>builder(closer).manualClock(clock).evictExpired(true).build();
        Lease<Socket> lease = open(pool, connect());
        lease.updateExpiry(5, TimeUnit.SECONDS);
        Lease<Socket> other = open(pool, connect());
        lease.release();
        other.release();
        clock.advance(4_999, TimeUnit.MILLISECONDS);
        awaitTheHousekeeper();
        assertEquals(2, pool.stats().available());
        clock.advance(1, TimeUnit.MILLISECONDS);
        awaitClosed(1);
        assertEquals(singletonList(Cause.EXPIRED), new ArrayList<>(closer.causes));
        assertEquals(1, pool.counters().expired());
        assertEquals(1, pool.stats().available());
    }

    @Test
    void whatWasIdleForLongIsDisposedOfWhereAsked() throws Exception {
        ManualClock clock = new ManualClock();
        ConnectionPool<String, Socket> pool =
                ConnectionPool.<String, Socket>builder(closer).manualClock(clock).evictIdle(5, TimeUnit.SECONDS).build();
        Lease<Socket> later = open(pool, connect());
        open(pool, connect()).release();
        clock.advance(5, TimeUnit.SECONDS);
        later.release();
        awaitClosed(1);
        assertEquals(1, pool.counters().idle());
        assertEquals(1, pool.stats().available());
        clock.advance(5, TimeUnit.SECONDS);
        awaitClosed(2);
    }

    @Test
    void byDefaultWhatHasExpiredWaitsForALease() throws Exception {
        ManualClock clock = new ManualClock();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(closer).manualClock(clock).build();
        Lease<Socket> lease = open(pool, connect());
        lease.updateExpiry(5, TimeUnit.SECONDS);
        lease.release();
        clock.advance(1, TimeUnit.HOURS);
        awaitTheHousekeeper();
        assertEquals(1, pool.stats().available());
        assertNull(pool.tryLease("a").connection());
        awaitClosed(1);
    }

    @Test
    void whatIsDisposedOfIsLoggedAtDebug() throws Exception {
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
            SocketsTest.Pair pair = connect();
            open(pool, pair).release();
            pair.theirs.close();
            awaitClosed(1);
            assertTrue(log.lines().contains("FINE io.leasehold.ConnectionPool: " + pool.name()
                    + ": disposing of a connection to a: PEER_CLOSED"),
                    log.lines().toString());
        }
    }

    @Test
    @Tag("long")
    void aRouteThatCannotSayItsNameCostsNobodyItsClose() throws Exception {
        Object nameless = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("of the test's own making");
            }
        };
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            ConnectionPool<Object, Socket> pool = ConnectionPool.<Object, Socket>builder(closer).build();
            List<SocketsTest.Pair> all = new ArrayList<>();
            List<Lease<Socket>> leases = new ArrayList<>();
            for (Object route : asList(nameless, "a", nameless, "a")) {
                SocketsTest.Pair pair = connect();
                Lease<Socket> lease = pool.tryLease(route);
                lease.opened(pair.ours);
                lease.attach(pair.ours);
                all.add(pair);
                leases.add(lease);
            }
            leases.forEach(Lease::release);
            for (SocketsTest.Pair pair : all) {
                pair.theirs.close();
            }
            awaitClosed(4);
            Lease<Socket> lease = pool.tryLease(nameless);
            lease.opened(connect().ours);
            lease.discard();
            assertEquals(5, closer.causes.size());
            pool.tryLease(nameless).opened(connect().ours);
            Eventually.awaitAfterCollection("the leaked one is closed", () -> closer.causes.contains(Cause.LEAKED));
        }
    }

    @Test
    void whatIsLeasedStaleIsLoggedAtDebugBeforeTheLeaseReturns() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.PROBE);
        SocketsTest.Pair pair = connect();
        open(pool, pair).release();
        pair.theirs.close();
        Eventually.await("it is closed", () -> Sockets.probe(pair.ours) == Liveness.CLOSED);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            assertNull(pool.tryLease("a").connection());
            assertTrue(log.lines().contains("FINE io.leasehold.ConnectionPool: " + pool.name()
                    + ": a connection to a was leased stale: its peer had closed it"
                    + " unnoticed"), log.lines().toString());
        }
    }

    /** Looks at a pool while a call that disposes of a connection has not yet returned. */
    private static final class Meanwhile implements Disposer<Socket> {
        volatile Runnable look = () -> {};

        @Override
        public void dispose(Socket socket, Cause cause) {
            look.run();
        }
    }

    /** What another thread can meet that uses a lease just as this one discards it. */
    @Test
    void whatIsSaidOfALeaseThatIsBeingDiscardedConcernsNobodyElse() throws Exception {
        Meanwhile meanwhile = new Meanwhile();
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(meanwhile).build();
        SocketsTest.Pair stranger = connect();
        SocketsTest.Pair other = connect();
        // In the first slot of all.
        Lease<Socket> strangers = open(pool, stranger);
        Lease<Socket> lease = open(pool, connect());
        strangers.release();
        List<String> outcomes = new ArrayList<>();
        meanwhile.look = () -> {
            outcomes.add("tryAttach " + lease.tryAttach(other.ours));
            lease.detach();
            for (Runnable use : Arrays.<Runnable>asList(() -> lease.attach(other.ours), () -> lease.opened(other.ours), lease::reopen,
                    lease::replaceStale)) {
                outcomes.add(assertThrows(IllegalStateException.class, use::run).getMessage());
            }
        };
        lease.discard();
        meanwhile.look = () -> {};
        String ended = "this lease has ended: it ends once, and its connection must not be used after that";
        assertEquals(asList("tryAttach false", ended, ended, ended, ended), outcomes);
        Lease<Socket> again = pool.tryLease("a");
        assertSame(stranger.ours, again.connection());
        again.release();
        stranger.theirs.close();
        Eventually.await("its close is noticed", () -> pool.counters().closedByPeer() == 1);
    }

    @Test
    void aSocketThatIsAttachedBeforeItIsConnectedAndAgainAfterwardsIsWatched() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.WATCH);
        try (ServerSocket server = new ServerSocket(0, 1, SocketsTest.LOOPBACK)) {
            Socket socket = new Socket();
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(socket);
            lease.attach(socket);
            socket.connect(server.getLocalSocketAddress());
            lease.attach(socket);
            lease.release();
            server.accept().close();
            awaitClosed(1);
        }
        assertEquals(1, pool.counters().closedByPeer());
    }

    @Test
    void mistakesSayWhatToDo() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        Lease<Socket> lease = pool.tryLease("a");
        SocketsTest.Pair pair = connect();
        assertTrue(assertThrows(IllegalStateException.class, () -> lease.attach(pair.ours)).getMessage().contains("opened"));
        lease.opened(pair.ours);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> lease.attach(null)).getMessage().contains("detach"));
        lease.release();
        assertThrows(IllegalStateException.class, () -> lease.attach(pair.ours));
        assertFalse(lease.tryAttach(pair.ours));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> ConnectionPool.builder(closer).watching(null))
                .getMessage().contains("watching"));
    }

    @Test
    void aSocketThatNothingIsKnownOfIsKept() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        try (Socket unconnected = new Socket()) {
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(unconnected);
            lease.attach(unconnected);
            lease.release();
            assertSame(unconnected, pool.tryLease("a").connection());
        }
    }

    @Test
    void aSocketClosedByItsUserIsNotLeased() throws Exception {
        ConnectionPool<String, Socket> pool = pool(Watching.BOTH);
        SocketsTest.Pair pair = connect();
        Lease<Socket> lease = open(pool, pair);
        pair.ours.close();
        lease.release();
        assertNotSame(pair.ours, pool.tryLease("a").connection());
    }

    @Test
    void aSocketThatOnlyPassesOnToAnotherIsNotTakenForClosed() throws Exception {
        ConnectionPool<String, Object> pool = ConnectionPool.<String, Object>builder((connection, cause) -> {}).watching(Watching.BOTH).build();
        try (Socket wrapper = new Socket()) {
            // Gives it a descriptor of its own, which stays unconnected.
            wrapper.setTcpNoDelay(true);
            Lease<Object> lease = pool.tryLease("a");
            lease.opened("a connection");
            lease.attach(wrapper);
            lease.release();
            // A watched one would be gone by the time the housekeeper has told of another's close.
            closeAnotherAndAwaitIt();
            assertEquals(1, pool.stats().available());
        } finally {
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
    }

    /** An event that comes after all that were there before. */
    private static void closeAnotherAndAwaitIt() throws Exception {
        ConnectionPool<String, Object> pool = ConnectionPool.<String, Object>builder((connection, cause) -> {}).build();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                Socket socket = new Socket("127.0.0.1", server.getLocalPort())) {
            Lease<Object> lease = pool.tryLease("b");
            lease.opened("another");
            lease.attach(socket);
            lease.release();
            server.accept().close();
            Eventually.await("the other was told of", () -> pool.stats().available() == 0);
        } finally {
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
    }
}
