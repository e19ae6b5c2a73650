package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.log.Texts;
import io.leasehold.testsupport.DelegatingSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.File;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sockets that pass on to another one: what is believed of them, and what is not asked of them. */
class WrappedSocketsTest {
    private final List<SocketsTest.Pair> pairs = new ArrayList<>();

    private SocketsTest.Pair connect() throws Exception {
        SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
        pairs.add(pair);
        return pair;
    }

    @AfterEach
    void end() throws Exception {
        for (SocketsTest.Pair pair : pairs) {
            pair.end();
        }
    }

    /** Passes on what it has to; the rest {@link Socket} answers, who was never connected. */
    private static class Sparse extends Socket {
        private final Socket inner;

        Sparse(Socket inner) {
            this.inner = inner;
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return inner.getInputStream();
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return inner.getOutputStream();
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public boolean isBound() {
            return true;
        }

        @Override
        public void close() throws IOException {
            inner.close();
        }
    }

    /** Also says from where to where it goes. */
    private static class Named extends Sparse {
        private final Object ends;

        /** One that says it goes where {@code ends} does. */
        Named(Socket inner, Socket ends) {
            super(inner);
            // Not a field that can hold a socket.
            this.ends = ends;
        }

        Socket ends() {
            return (Socket) ends;
        }

        @Override
        public InetAddress getInetAddress() {
            return ends().getInetAddress();
        }

        @Override
        public int getPort() {
            return ends().getPort();
        }

        @Override
        public InetAddress getLocalAddress() {
            return ends().getLocalAddress();
        }

        @Override
        public int getLocalPort() {
            return ends().getLocalPort();
        }
    }

    /** Says only from where it goes. */
    private static final class NamedHere extends Sparse {
        private final SocketAddress local;

        NamedHere(Socket inner) {
            super(inner);
            local = inner.getLocalSocketAddress();
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return local;
        }
    }

    /** Says only to where it goes. */
    private static final class NamedThere extends Sparse {
        private final SocketAddress remote;

        NamedThere(Socket inner) {
            super(inner);
            remote = inner.getRemoteSocketAddress();
        }

        @Override
        public SocketAddress getRemoteSocketAddress() {
            return remote;
        }
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    private static Disposer<Socket> closing() {
        return new Disposer<Socket>() {
            @Override
            public void dispose(Socket socket, Cause cause) {
                try {
                    SocketsTest.close(socket);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public boolean mayBlock(Socket socket) {
                return Sockets.mayBlockToClose(socket);
            }
        };
    }

    private static final int KINDS = 5;

    /** The JDK would open a socket of its own to answer for it, and keep that until a collection. */
    @Test
    void nothingIsOpenedForASocketThatDoesNotPassOnWhatItIsAsked() throws Exception {
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(closing()).build();
        List<Socket> kept = new ArrayList<>();
        int before = 0;
        for (int i = 0; i < 60; i++) {
            SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
            // The one is believed, the others are not.
            Socket sparse = new Sparse(pair.ours);
            Socket ours = Arrays.asList(new Named(pair.ours, pair.ours), sparse, new Sparse(sparse), new NamedHere(pair.ours),
                    new NamedThere(pair.ours)).get(i % KINDS);
            kept.add(ours);
            Lease<Socket> lease = pool.tryLease("a");
            lease.opened(ours);
            lease.attach(ours);
            assertFalse(TcpKeepAlive.of(30, 5, 3).setOn(ours) && i % KINDS != 0);
            lease.release();
            pool.tryLease("a").discard();
            assertTrue(pair.ours.isClosed());
            pair.theirs.close();
            if (i == 10) {
                // The library's own, and the JVM's for what was loaded, are there.
                before = descriptors();
            }
        }
        assertEquals(60, kept.size());
        assertTrue(descriptors() - before < 10, "from " + before + " to " + descriptors());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatDoesNotSayThatItGoesWhereItsInnerOneGoesIsNotBelieved(boolean isNamed) throws Exception {
        SocketsTest.Pair inner = connect();
        SocketsTest.Pair other = connect();
        Socket ours = isNamed ? new Named(inner.ours, other.ours) : new Sparse(inner.ours);
        SocketProbe probe = SocketProbe.of(ours);
        assertEquals(Liveness.UNKNOWN, probe.ask());
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(closing()).build();
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(ours);
        lease.attach(ours);
        lease.release();
        inner.theirs.close();
        Eventually.await("the close", () -> inner.probe.ask() == Liveness.CLOSED);
        assertEquals(Liveness.UNKNOWN, probe.ask());
        // Whoever leases it asks it itself.
        assertSame(ours, pool.tryLease("a").connection());
    }

    @Test
    void theAddressOfEachEndCounts() throws Exception {
        SocketsTest.Pair inner = connect();
        SocketsTest.Pair other = connect();
        Socket fromElsewhere = new Named(inner.ours, inner.ours) {
            @Override
            public int getLocalPort() {
                return other.ours.getLocalPort();
            }
        };
        Socket toElsewhere = new Named(inner.ours, inner.ours) {
            @Override
            public int getPort() {
                return other.ours.getPort();
            }
        };
        Socket toAnotherHost = new Named(inner.ours, inner.ours) {
            @Override
            public InetAddress getInetAddress() {
                try {
                    return InetAddress.getByName("127.0.0.2");
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        assertEquals(Liveness.UNKNOWN, Sockets.probe(fromElsewhere));
        assertEquals(Liveness.UNKNOWN, Sockets.probe(toElsewhere));
        assertEquals(Liveness.UNKNOWN, Sockets.probe(toAnotherHost));
        assertEquals(Liveness.ALIVE, Sockets.probe(new Named(inner.ours, inner.ours)));
    }

    /** Has two fields that can hold a socket, of which one is right. */
    private static class Doubtful extends Named {
        @SuppressWarnings("unused")
        private final Socket another;

        Doubtful(Socket inner, Socket another) {
            super(inner, inner);
            this.another = another;
        }
    }

    @Test
    void ofTwoFieldsNoneIsTakenAndTheStreamLeadsOn() throws Exception {
        SocketsTest.Pair pair = connect();
        assertEquals(Liveness.ALIVE, Sockets.probe(new Doubtful(pair.ours, connect().ours)));
        Socket unseen = new Doubtful(pair.ours, connect().ours) {
            @Override
            public InputStream getInputStream() {
                return new InputStream() {
                    @Override
                    public int read() {
                        return -1;
                    }
                };
            }
        };
        assertEquals(Liveness.UNKNOWN, Sockets.probe(unseen));
    }

    /** A stream that belongs to its socket leads back to it first. */
    @Test
    void aStreamOfAWrappersOwnLeadsOnToTheOneItReads() throws Exception {
        SocketsTest.Pair pair = connect();
        Socket ours = new Doubtful(pair.ours, connect().ours) {
            @Override
            public InputStream getInputStream() throws IOException {
                return new FilterInputStream(super.getInputStream()) {
                    @Override
                    public int available() throws IOException {
                        return isClosed() ? 0 : super.available();
                    }
                };
            }
        };
        assertEquals(Liveness.ALIVE, Sockets.probe(ours));
        pair.theirs.getOutputStream().write(1);
        Eventually.await("the byte", () -> Sockets.probe(ours) == Liveness.READABLE);
    }

    /** Refers to another one that refers to it. */
    private static final class Circular extends Socket {
        private Socket inner;

        Circular(Socket inner) {
            this.inner = inner;
        }
    }

    @Test
    void whatLeadsInACircleOrTooFarIsNotFound() throws Exception {
        Circular one = new Circular(null);
        Circular two = new Circular(one);
        assertEquals(Liveness.UNKNOWN, Sockets.probe(one));
        one.inner = two;
        assertEquals(Liveness.UNKNOWN, Sockets.probe(one));
        Circular itself = new Circular(null);
        itself.inner = itself;
        assertEquals(Liveness.UNKNOWN, Sockets.probe(itself));
        Socket deep = connect().ours;
        for (int i = 0; i < 7; i++) {
            deep = new DelegatingSocket(deep);
        }
        assertEquals(Liveness.ALIVE, Sockets.probe(deep));
        assertEquals(Liveness.UNKNOWN, Sockets.probe(new DelegatingSocket(deep)));
    }

    /** Filters around its inner one's stream, so many of them. */
    private static Socket behindFilters(Socket inner, Socket another, int filters) {
        return new Doubtful(inner, another) {
            @Override
            public InputStream getInputStream() throws IOException {
                InputStream filtered = super.getInputStream();
                for (int i = 0; i < filters; i++) {
                    filtered = new FilterInputStream(filtered) {};
                }
                return filtered;
            }
        };
    }

    @Test
    void aStreamThatLeadsTooFarOrInACircleIsFollowedNoFurther() throws Exception {
        SocketsTest.Pair pair = connect();
        SocketsTest.Pair other = connect();
        assertEquals(Liveness.ALIVE, Sockets.probe(behindFilters(pair.ours, other.ours, 7)));
        assertEquals(Liveness.UNKNOWN, Sockets.probe(behindFilters(pair.ours, other.ours, 8)));
        InputStream circular = new FilterInputStream(null) {
            {
                in = this;
            }
        };
        assertEquals(Liveness.UNKNOWN, Sockets.probe(new Doubtful(pair.ours, other.ours) {
            @Override
            public InputStream getInputStream() {
                return circular;
            }
        }));
    }

    @Test
    void whatSaysThatItIsNotConnectedIsBelievedWhereItGoes() throws Exception {
        SocketsTest.Pair pair = connect();
        assertEquals(Liveness.ALIVE, Sockets.probe(new Named(pair.ours, pair.ours) {
            @Override
            public boolean isConnected() {
                return false;
            }
        }));
    }

    @Test
    void whatSaysThatItGoesNowhereIsNoFailure() throws Exception {
        SocketsTest.Pair pair = connect();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            assertEquals(Liveness.UNKNOWN, Sockets.probe(new Sparse(pair.ours) {
                @Override
                public SocketAddress getLocalSocketAddress() {
                    return null;
                }

                @Override
                public SocketAddress getRemoteSocketAddress() {
                    return null;
                }
            }));
            assertFalse(log.messages().contains(Texts.ASKING_FAILED), log.lines()::toString);
        }
    }

    /** Fails when it is asked. */
    private static final class Failing extends Named {
        private final Consumer<String> failure;

        Failing(Socket inner, Consumer<String> failure) {
            super(inner, inner);
            this.failure = failure;
        }

        @Override
        public int getLocalPort() {
            failure.accept("of the test's own making");
            return super.getLocalPort();
        }
    }

    @Test
    void whatFailsToSayWhereItGoesIsNotBelieved() throws Exception {
        SocketsTest.Pair pair = connect();
        assertEquals(Liveness.ALIVE, Sockets.probe(new Failing(pair.ours, text -> {})));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            assertEquals(Liveness.UNKNOWN, Sockets.probe(new Failing(pair.ours, text -> {
                throw new IllegalStateException(text);
            })));
            assertTrue(log.messages().contains(Texts.ASKING_FAILED), log.lines()::toString);
        }
        assertEquals(Liveness.UNKNOWN, Sockets.probe(new Failing(pair.ours, text -> {
            throw new NoClassDefFoundError(text);
        })));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"PLAIN", "PLAIN_WITHOUT_PROXY", "ACCEPTED", "OF_A_CHANNEL"})
    void bytesThatWaitBehindAWrapperAreNoVerdict(SocketsTest.Kind kind) throws Exception {
        SocketsTest.Pair pair = kind.connect();
        pairs.add(pair);
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(closing()).watching(Watching.PROBE).build();
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(pair.ours);
        lease.attach(pair.ours);
        lease.release();
        pair.theirs.getOutputStream().write(1);
        Eventually.await("the byte", () -> pair.probe.ask() == Liveness.READABLE);
        lease = pool.tryLease("a");
        assertSame(pair.ours, lease.connection());
        lease.release();
        assertEquals(Liveness.UNKNOWN, pair.probe.betweenRequests(false));
        pair.theirs.close();
        Eventually.await("the end", () -> pair.probe.ask() == Liveness.CLOSED);
        assertEquals(Liveness.CLOSED, pair.probe.betweenRequests(false));
        // From here on another thread may close it, and it must not be asked.
        assertNull(pool.tryLease("a").connection());
        assertEquals(1, pool.counters().stale());
    }

    @Test
    void anInnerOneThatIsClosedUnderItsWrapperIsClosed() throws Exception {
        SocketsTest.Pair pair = connect();
        Socket ours = new Named(pair.ours, pair.ours);
        SocketProbe probe = SocketProbe.of(ours);
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(closing()).build();
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(ours);
        lease.attach(ours);
        lease.release();
        pair.ours.close();
        // Its number may be another's by now.
        connect();
        assertFalse(ours.isClosed());
        assertEquals(Liveness.CLOSED, probe.ask());
        assertNull(pool.tryLease("a").connection());
    }

    @Test
    void aCloseThatHangsBehindAWrapperIsCutShort() throws Exception {
        SocketsTest.Pair pair = connect();
        Socket ours = new Named(pair.ours, pair.ours) {
            @Override
            public void close() throws IOException {
                // Waits for the peer's goodbye.
                getInputStream().read();
                super.close();
            }
        };
        CountDownLatch closed = new CountDownLatch(1);
        Disposer<Socket> disposer = new Disposer<Socket>() {
            @Override
            public void dispose(Socket socket, Cause cause) {
                closing().dispose(socket, cause);
                closed.countDown();
            }

            @Override
            public boolean mayBlock(Socket socket) {
                return true;
            }
        };
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(ours);
        lease.attach(ours);
        lease.discard();
        assertTrue(closed.await(60, TimeUnit.SECONDS), "it waits for ever");
        assertTrue(pair.ours.isClosed());
    }

    @Test
    void aLingeringSocketBehindAWrapperMayBlockAndIsClosedWithoutLingering() throws Exception {
        SocketsTest.Pair pair = connect();
        Socket ours = new Named(pair.ours, pair.ours) {
            @Override
            public void setSoLinger(boolean on, int seconds) throws SocketException {
                throw new AssertionError("the inner one is told");
            }
        };
        assertFalse(Sockets.mayBlockToClose(ours));
        pair.ours.setSoLinger(true, 600);
        assertTrue(Sockets.mayBlockToClose(ours));
        int[] lingersAtItsClose = {0};
        CountDownLatch closed = new CountDownLatch(1);
        Disposer<Socket> disposer = new Disposer<Socket>() {
            @Override
            public void dispose(Socket socket, Cause cause) {
                try {
                    lingersAtItsClose[0] = pair.ours.getSoLinger();
                } catch (SocketException e) {
                    throw new AssertionError(e);
                }
                closing().dispose(socket, cause);
                closed.countDown();
            }

            @Override
            public boolean mayBlock(Socket socket) {
                return Sockets.mayBlockToClose(socket);
            }
        };
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(disposer).build();
        Lease<Socket> lease = pool.tryLease("a");
        lease.opened(ours);
        lease.attach(ours);
        lease.discard();
        assertTrue(closed.await(60, TimeUnit.SECONDS));
        assertEquals(-1, lingersAtItsClose[0]);
    }
}
