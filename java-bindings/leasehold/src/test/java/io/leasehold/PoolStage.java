package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.BusyStage;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Faults;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A pool with a state to which one of the idle connections is bound. */
final class PoolStage extends BusyStage<Lease<PoolStage.Closable>> {
    static final String DISPOSE = "Disposer.dispose";
    static final String DISPOSE_ASIDE = "Disposer.dispose, aside";
    static final String LET_GO = "Disposer.letGo";
    static final String MAY_BLOCK = "Disposer.mayBlock";
    static final String LEAKED = "LeakListener.leaked";
    static final String CLOSED = "CloseListener.closed";
    static final String ACTION = "BiConsumer.accept";
    static final String PREDICATE = "BiPredicate.test";
    static final String IS_CLOSED = "Predicate.test";
    static final String HELP = "Consumer.accept";
    static final String USE = "Function.apply";
    static final String KEPT = "LeaseKeeper.kept";
    static final String USE_AGAIN = "LeaseKeeper.apply";
    static final String LEASED = "LeaseHook.leased";
    static final String FAILED = "LeaseHook.failed";
    static final String UNDO = "Runnable.run";
    static final String EQUALS = "a route's equals";
    static final String HASH_CODE = "a route's hashCode";
    static final String TO_STRING = "a route's toString";
    static final String STATE_EQUALS = "a state's equals";
    static final String STATE_HASH_CODE = "a state's hashCode";
    static final String SOCKET = "a socket's methods";

    /** A route or a state that is compared by callers' code. */
    final class Key {
        private final String name;
        private final boolean isState;

        Key(String name, boolean isState) {
            this.name = name;
            this.isState = isState;
        }

        @Override
        public boolean equals(Object other) {
            faults.pass(isState ? STATE_EQUALS : EQUALS);
            return other instanceof Key && ((Key) other).name.equals(name);
        }

        @Override
        public int hashCode() {
            faults.pass(isState ? STATE_HASH_CODE : HASH_CODE);
            // All meet in one bucket, so that they are compared.
            return 7;
        }

        @Override
        public String toString() {
            faults.pass(TO_STRING);
            return name;
        }
    }

    /** A connection that counts how often it was closed. */
    static final class Closable {
        final AtomicInteger closed = new AtomicInteger();
        /** Written by the test. */
        volatile boolean isClosedByOthers;
        /** Written by the test, and by who has helped. */
        volatile boolean needsHelp;
    }

    /** Fails as the stage's callers' code does. Refers to no pool. */
    private static final class FailingDisposer implements Disposer<Closable> {
        private final Faults faults;
        private final boolean mayBlock;

        FailingDisposer(Faults faults, boolean mayBlock) {
            this.faults = faults;
            this.mayBlock = mayBlock;
        }

        @Override
        public void dispose(Closable connection, Cause cause) {
            connection.closed.incrementAndGet();
            faults.pass(mayBlock ? DISPOSE_ASIDE : DISPOSE);
        }

        @Override
        public void letGo(Closable connection, Cause cause) {
            faults.pass(LET_GO);
        }

        @Override
        public boolean mayBlock(Closable connection) {
            faults.pass(MAY_BLOCK);
            return mayBlock;
        }
    }

    /** Another pool, on which nothing may be lost whatever happens on the stage: its closes go to the disposer's thread. */
    static final class Witness {
        private static final Queue<String> CLOSED = new ConcurrentLinkedQueue<>();
        private static final ConnectionPool<String, Object> POOL = ConnectionPool.<String, Object>builder(new Disposer<Object>() {
            @Override
            public boolean mayBlock(Object connection) {
                return true;
            }

            @Override
            public void dispose(Object connection, Cause cause) {
                CLOSED.add(connection + " " + Thread.currentThread().getName());
            }
        }).maxTotal(1).build();
        private static final AtomicInteger COUNT = new AtomicInteger();

        private Witness() {}

        /** Leases, and returns once the disposer's thread has closed, and with it what it was to close before. */
        static void check() throws Exception {
            String name = "witness " + COUNT.incrementAndGet();
            Lease<Object> lease = POOL.tryLease("a");
            assertNotNull(lease, "the other pools lease");
            lease.opened(name);
            lease.discard();
            Eventually.await("the disposer's thread closes", () -> CLOSED.remove(name + " leasehold-disposer"));
        }
    }

    private final List<Closable> opened = new ArrayList<>();
    private final List<Lease<Closable>> leases = new ArrayList<>();
    final ManualClock clock = new ManualClock();
    final Key a = new Key("a", false);
    final Key b = new Key("b", false);
    final Key c = new Key("c", false);
    final Key state = new Key("somebody", true);
    final ConnectionPool<Key, Closable> pool;
    /** A lease to "b". */
    final Lease<Closable> mine;
    /** A connected socket that may fail. */
    final Socket socket;
    private final Socket peer;
    private final AtomicInteger hooksTold = new AtomicInteger();
    private final AtomicInteger helped = new AtomicInteger();
    private final FailingListener leakListener;

    PoolStage(boolean mayBlock) throws Exception {
        super(ConnectionPool.class.getName());
        leakListener = new FailingListener(faults);
        pool = ConnectionPool.<Key, Closable>builder(new FailingDisposer(faults, mayBlock))
                .maxTotal(TOTAL)
                .maxPerRoute(PER_ROUTE)
                .manualClock(clock)
                .leakListener(leakListener)
                .evictClosed(new FailingPredicate(faults, connection -> connection.isClosedByOthers))
                .helpLeased(new FailingPredicate(faults, connection -> connection.needsHelp), new FailingHelp(faults, helped))
                .build();
        pool.addCloseListener(new FailingCloseListener(faults));
        socket = new FailingSocket(faults, SOCKET);
        try (ServerSocket server = new ServerSocket(0, 1, SocketsTest.LOOPBACK)) {
            socket.connect(server.getLocalSocketAddress());
            peer = server.accept();
        }
        Lease<Closable> unbound = open(a, null);
        Lease<Closable> bound = open(a, state);
        bound.release(state);
        unbound.updateExpiry(1, TimeUnit.HOURS);
        unbound.release();
        mine = open(b, null);
        open(b, null);
        // Found under another object that is equal to it.
        Key sameAsB = new Key("b", false);
        begin(() -> pool.lease(sameAsB, Long.MAX_VALUE, TimeUnit.SECONDS), () -> pool.stats().pending() == 1);
    }

    /** Tells what is asked about a connection. */
    private static final class FailingPredicate implements Predicate<Closable> {
        private final Faults faults;
        private final Predicate<Closable> asked;

        FailingPredicate(Faults faults, Predicate<Closable> asked) {
            this.faults = faults;
            this.asked = asked;
        }

        @Override
        public boolean test(Closable connection) {
            faults.pass(IS_CLOSED);
            return asked.test(connection);
        }
    }

    private static final class FailingHelp implements Consumer<Closable> {
        private final Faults faults;
        private final AtomicInteger helped;

        FailingHelp(Faults faults, AtomicInteger helped) {
            this.faults = faults;
            this.helped = helped;
        }

        @Override
        public void accept(Closable connection) {
            connection.needsHelp = false;
            try {
                faults.pass(HELP);
            } finally {
                helped.incrementAndGet();
            }
        }
    }

    /** Refers to no pool. */
    static final class FailingCloseListener implements CloseListener<Key> {
        private final Faults faults;

        FailingCloseListener(Faults faults) {
            this.faults = faults;
        }

        @Override
        public void closed(Key route, Cause cause, long ageMillis, long uses) {
            faults.pass(CLOSED);
        }
    }

    private static final class FailingListener implements LeakListener<Key, Closable> {
        private final Faults faults;
        private final AtomicInteger told = new AtomicInteger();

        FailingListener(Faults faults) {
            this.faults = faults;
        }

        @Override
        public void leaked(Key route, Closable connection) {
            try {
                faults.pass(LEAKED);
            } finally {
                told.incrementAndGet();
            }
        }
    }

    /** An equal route or state that is another object. */
    Key like(Key key) {
        return new Key(key.name, key.isState);
    }

    Closable connection() {
        Closable connection = new Closable();
        opened.add(connection);
        return connection;
    }

    /** Leases and opens. */
    Lease<Closable> open(Key route, Key boundTo) {
        Lease<Closable> lease = held(pool.tryLease(route, boundTo));
        if (lease.connection() == null) {
            lease.opened(connection());
        }
        return lease;
    }

    /** The lease, which the stage ends at last. */
    Lease<Closable> held(Lease<Closable> lease) {
        assertNotNull(lease, "there is room");
        leases.add(lease);
        return lease;
    }

    /** Keeps a lease, if there is one. */
    void keep(Lease<Closable> lease) {
        if (lease != null) {
            leases.add(lease);
        }
    }

    /** Keeps a lease, and fails as the stage's callers' code does. */
    Lease<Closable> use(Lease<Closable> lease) {
        faults.pass(USE);
        keep(lease);
        return lease;
    }

    /** Keeps no lease, and makes something of new ones. */
    LeaseKeeper<Closable, Lease<Closable>> keeper() {
        return new LeaseKeeper<Closable, Lease<Closable>>() {
            @Override
            public Lease<Closable> kept(Closable connection) {
                faults.pass(KEPT);
                return null;
            }

            @Override
            public Lease<Closable> apply(Lease<Closable> lease) {
                faults.pass(USE_AGAIN);
                keep(lease);
                return lease;
            }
        };
    }

    /** A vacancy beyond the stage's limit. */
    Lease<Closable> vacancy() {
        pool.setMaxTotal(TOTAL + 1);
        Lease<Closable> vacancy = held(pool.tryLease(c));
        assertNull(vacancy.connection());
        return vacancy;
    }

    /** The lease that was taken last. */
    Lease<Closable> lastLease() {
        return leases.get(leases.size() - 1);
    }

    /** Leases to "b" behind the waiter, in vain; what ends the waiting does so as soon as it has begun. */
    void leaseInVain(Runnable end) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        Thread ending = new Thread(() -> {
            while (pool.stats().pending() < 2) {
                if (isOver.get()) {
                    return;
                }
                Thread.yield();
            }
            end.run();
        });
        ending.start();
        try {
            keep(pool.lease(like(b), 1, TimeUnit.SECONDS));
        } finally {
            isOver.set(true);
            ending.join();
        }
    }

    /** Keeps a future's lease, or throws what it failed with. */
    void take(CompletableFuture<Lease<Closable>> future) throws Exception {
        if (!future.cancel(false)) {
            try {
                keep(future.getNow(null));
            } catch (CompletionException e) {
                // What a future fails with here is thrown to whoever asked.
                throw (Exception) e.getCause();
            }
        }
    }

    /** A request whose hook keeps the lease, and fails as the stage's callers' code does. */
    LeaseRequest request(Key route) {
        return pool.requestLease(route, null, Long.MAX_VALUE, TimeUnit.SECONDS, hook());
    }

    LeaseRequest request(Key route, Duration timeout) {
        return pool.requestLease(route, null, timeout, hook());
    }

    private LeaseHook<Closable> hook() {
        return new LeaseHook<Closable>() {
            @Override
            public void leased(Lease<Closable> lease) {
                try {
                    faults.pass(LEASED);
                    keep(lease);
                } finally {
                    hooksTold.incrementAndGet();
                }
            }

            @Override
            public void failed(Throwable why) {
                try {
                    faults.pass(FAILED);
                } finally {
                    hooksTold.incrementAndGet();
                }
            }
        };
    }

    void requestInVain() throws Exception {
        request(like(b));
        pool.shutdown(ShutdownMode.GRACEFUL);
        Eventually.await("the hook is told", () -> hooksTold.get() > 0);
    }

    /** The connection is its taker's to close. */
    void close(Closable taken) {
        taken.closed.incrementAndGet();
    }

    /** The peer of the stage's socket closes. */
    void peerCloses() throws Exception {
        peer.close();
        Eventually.await("the housekeeper has heard of it", () -> pool.stats().available() < 3 || pool.isShutDown());
    }

    /** Leases a connection with the stage's socket and makes it idle. */
    void makeWatchedIdle() {
        pool.setMaxTotal(TOTAL + 1);
        Lease<Closable> watched = open(c, null);
        watched.attach(socket);
        watched.release();
    }

    /** Somebody else closes an idle connection. Returns once it is gone, or nobody could tell. */
    void othersClose() throws Exception {
        for (Closable connection : opened) {
            connection.isClosedByOthers = true;
        }
        Eventually.await("the housekeeper has asked", () -> pool.stats().available() < 2 || pool.isShutDown() || faults.isReached());
    }

    /** A leased connection needs help. Returns once it was given, or nobody could tell. */
    void needHelp() throws Exception {
        mine.connection().needsHelp = true;
        Eventually.await("the help is given", () -> helped.get() > 0 || pool.isShutDown() || faults.isReached());
    }

    /** Loses a lease. */
    void leak() {
        pool.setMaxTotal(TOTAL + 1);
        Lease<Closable> lost = pool.tryLease(c);
        lost.opened(connection());
    }

    /** Returns once the lost lease was found, and the listener was told, if nobody has shut the pool down before. */
    void awaitLeak() throws Exception {
        Eventually.awaitAfterCollection("the lost lease is given back",
                () -> pool.stats().leased() <= 2 && (leakListener.told.get() > 0 || pool.isShutDown()));
    }

    @Override
    public void callBack() {
        pool.stats();
        pool.stats(a);
        Lease<Closable> lease = pool.tryLease(a);
        if (lease != null) {
            lease.tryDiscard();
        }
        pool.closeIdle(0, TimeUnit.SECONDS);
        pool.setMaxTotal(pool.getMaxTotal());
    }

    @Override
    public void shutDown() {
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    @Override
    public void awaitQuiet() throws Exception {
        Witness.check();
    }

    @Override
    protected void restoreSettings() {
        pool.resume();
        pool.setMaxTotal(TOTAL);
        pool.setDefaultMaxPerRoute(PER_ROUTE);
        pool.removeMaxPerRoute(a);
        pool.removeMaxPerRoute(b);
    }

    @Override
    protected void endAll() {
        leases.forEach(Lease::tryDiscard);
        leases.clear();
        mine.tryDiscard();
    }

    @Override
    protected void end(Lease<Closable> waiters) {
        waiters.tryDiscard();
    }

    @Override
    protected boolean isShutDown() {
        if (pool.isShutDown()) {
            assertThrows(PoolShutDownException.class, () -> pool.tryLease(a));
        }
        return pool.isShutDown();
    }

    @Override
    protected boolean tellsOfShutdown(Throwable failure) {
        return failure instanceof PoolShutDownException;
    }

    @Override
    protected void awaitNothingLeased() throws Exception {
        Eventually.await("nothing is leased any more: " + pool, () -> pool.stats().leased() == 0 && pool.stats().pending() == 0);
    }

    @Override
    protected void takeAll() {
        for (Key route : new Key[] {a, a, b, b}) {
            open(route, null);
        }
    }

    @Override
    protected void assertAllIsTaken() {
        assertEquals(TOTAL, pool.stats().leased());
        assertNull(pool.tryLease(c), "no more than the limit can be had");
    }

    @Override
    protected void closeIdle() {
        pool.closeIdle(0, TimeUnit.SECONDS);
    }

    @Override
    protected void assertNothingIsLeft() throws Exception {
        assertEquals("0 0 0", pool.stats().leased() + " " + pool.stats().pending() + " " + pool.stats().available());
        Witness.check();
        // What the housekeeper closes it closes in its own time.
        Eventually.await("every connection is closed", () -> opened.stream().allMatch(connection -> connection.closed.get() > 0));
        assertTrue(opened.stream().allMatch(connection -> connection.closed.get() == 1), "no connection is closed twice");
    }

    @Override
    public void close() throws Exception {
        super.close();
        peer.close();
        socket.close();
    }

    @Override
    public String toString() {
        return pool.toString();
    }
}
