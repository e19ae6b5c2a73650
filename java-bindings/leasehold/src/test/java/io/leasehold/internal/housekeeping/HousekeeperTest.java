package io.leasehold.internal.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.Ours;
import io.leasehold.Watching;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.natives.PeerWatch;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the housekeeper does about failures in its work, and about much of it at once. */
class HousekeeperTest {
    /** In the queue as if the collector had put it there; fails as often as it is told to. */
    private final class Found extends CollectedWeak<Object> {
        private final String name;
        private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        volatile boolean wasBusy;

        Found(String name) {
            super(HousekeeperTest.this);
            this.name = name;
        }

        @Override
        public void collected(Effects effects) {
            wasBusy = HousekeeperThread.work.isBusy();
            tidied.add(name);
            HousekeeperTest.<RuntimeException>failWith(failures.poll());
        }
    }

    private final Queue<String> tidied = new ConcurrentLinkedQueue<>();
    // What would be collected otherwise, and its pool be over.
    private final List<Engine> held = new ArrayList<>();
    private final List<KeptPool> taken = new ArrayList<>();

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void failWith(Throwable failure) throws E {
        if (failure != null) {
            throw (E) failure;
        }
    }

    @BeforeAll
    static void prepareTheHousekeeper() {
        ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a").discard();
    }

    @BeforeEach
    void keepItThere() {
        HousekeeperThread.need();
    }

    @AfterEach
    void letItGo() {
        for (KeptPool pool : taken) {
            pool.collected(new Effects());
        }
        HousekeeperThread.needNoMore();
    }

    private static boolean pauses() {
        return Thread.getAllStackTraces().values().stream()
                .anyMatch(stack -> isIn(stack, Housekeeper.class, "pause") && isIn(stack, Thread.class, "sleep"));
    }

    private static boolean isIn(StackTraceElement[] stack, Class<?> type, String method) {
        return Arrays.stream(stack).anyMatch(frame -> frame.getClassName().equals(type.getName()) && frame.getMethodName().equals(method));
    }

    private static void awaitAwake(String what, BooleanSupplier condition) throws Exception {
        Eventually.await(what, () -> {
            HousekeeperThread.wake();
            return condition.getAsBoolean();
        });
    }

    @Test
    void whatFailsToBeTidiedUpIsLoggedAndTheNextIsTidiedUp() throws Exception {
        RuntimeException failure = new IllegalStateException("of the test's own making");
        Found first = new Found("first");
        Found second = new Found("second");
        first.failures.add(failure);
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            first.enqueue();
            awaitAwake("the first one is", () -> tidied.size() == 1);
            second.enqueue();
            awaitAwake("the second one is", () -> tidied.size() == 2);
            assertTrue(log.thrown().contains(failure));
            assertTrue(log.messages().contains(Texts.TIDY_FAILED), log.lines()::toString);
            assertFalse(log.messages().contains(Texts.WORK_FAILED), log.lines()::toString);
            assertTrue(first.wasBusy, "it does not end over it");
        }
    }

    @Test
    void whatThereWasNoMemoryForIsDoneAgain() throws Exception {
        OutOfMemoryError failure = new OutOfMemoryError("of the test's own making");
        Found found = new Found("found");
        // Again and again, but not as fast as it can.
        found.failures.addAll(Collections.nCopies(1000, failure));
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            found.enqueue();
            awaitAwake("it pauses", HousekeeperTest::pauses);
            found.failures.clear();
            awaitAwake("it is done again", () -> tidied.size() >= 2 && !HousekeeperThread.work.isBusy());
            assertTrue(log.thrown().contains(failure));
            assertTrue(log.messages().contains(Texts.WORK_FAILED), log.lines()::toString);
            assertFalse(log.messages().contains(Texts.TIDY_FAILED), log.lines()::toString);
        }
    }

    /** Whose failure keeps nothing from the others. */
    private static final class Failing implements Chores {
        private final RuntimeException failure;
        volatile int looks;
        boolean isAnyOverdue;
        boolean isCarriedOut;
        int noted;

        Failing(RuntimeException failure) {
            this.failure = failure;
        }

        @Override
        public boolean lookAfterRequests(Effects effects) {
            looks++;
            HousekeeperTest.<RuntimeException>failWith(failure);
            return isAnyOverdue;
        }

        @Override
        public boolean lookAfterConnections(Effects effects, int[] numbers) {
            return true;
        }

        @Override
        public void willTellNumbers() {}

        @Override
        public void tellNumbers() {}

        @Override
        public void noteClosed(int[] events, int from, int to, Effects effects) {
            noted += (to - from) / PeerWatch.EVENT;
            HousekeeperTest.<RuntimeException>failWith(failure);
        }

        @Override
        public void carryOut(Effects effects) {
            isCarriedOut = true;
        }

        @Override
        public void endLeases(Effects effects) {}

        @Override
        public void end(Effects effects) {}
    }

    private KeptPool take(Chores chores) {
        return take(chores, false);
    }

    private KeptPool take(Chores chores, boolean evicts) {
        Engine engine = Engine.create(Ours.LOOKUP, 1, 1, 1, 0, false, false, false, false, 1, true);
        held.add(engine);
        KeptPool pool = KeptPool.take(engine, engine.forHousekeeper(), chores, evicts);
        taken.add(pool);
        return pool;
    }

    @Test
    void whatFailsForOnePoolIsLoggedAndDoneForTheOthers() throws Exception {
        RuntimeException failure = new IllegalStateException("of the test's own making");
        Failing fails = new Failing(failure);
        Failing works = new Failing(null);
        KeptPool[] pools = {take(fails), take(works)};
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            for (KeptPool pool : pools) {
                pool.resume();
            }
            // As soon as a clock is moved on, and then once a second.
            Housekeeper.timeMoved();
            Eventually.await("both are looked after", () -> works.looks > 0);
            assertTrue(fails.looks > 0);
            Eventually.await("it is logged", () -> log.messages().contains(Texts.LOOK_FAILED));
            assertTrue(log.thrown().contains(failure));
        }
    }

    @Test
    void thatAPeersCloseCannotBeNotedIsLoggedAndTheOthersAreNoted() {
        RuntimeException failure = new IllegalStateException("of the test's own making");
        Failing fails = new Failing(failure);
        Failing works = new Failing(null);
        KeptPool[] pools = {take(fails), take(works)};
        int[] events = events(pools[0].number(), pools[1].number(), pools[1].number());
        Housekeeper housekeeper = new Housekeeper();
        System.arraycopy(events, 0, housekeeper.events, 0, events.length);
        housekeeper.endOfEvents = events.length;
        assertTrue(housekeeper.isBusy());
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            housekeeper.tellOfClosed();
            assertTrue(log.messages().contains(Texts.PEER_CLOSED_FAILED), log.lines()::toString);
            assertTrue(log.thrown().contains(failure));
        }
        assertEquals(2, works.noted);
        assertTrue(fails.isCarriedOut, "what was noted before it failed");
        assertFalse(works.isCarriedOut);
        assertTrue(housekeeper.isBusy());
        housekeeper.tellOfClosed();
        assertTrue(works.isCarriedOut);
        assertFalse(housekeeper.isBusy());
    }

    /** Events of pools of these numbers. */
    private static int[] events(int... numbers) {
        int[] events = new int[numbers.length * PeerWatch.EVENT];
        for (int i = 0; i < numbers.length; i++) {
            events[i * PeerWatch.EVENT] = numbers[i];
        }
        return events;
    }

    @Test
    void eventsAreToldOfAFewOfOnePoolAtATime() {
        int[] pools = new int[Housekeeper.FEW + 3];
        Arrays.fill(pools, 7);
        pools[Housekeeper.FEW + 2] = 8;
        int[] events = events(pools);
        int few = Housekeeper.FEW * PeerWatch.EVENT;
        assertEquals(few, Housekeeper.endOfFew(events, 0, events.length));
        assertEquals(few + 2 * PeerWatch.EVENT, Housekeeper.endOfFew(events, few, events.length), "where another pool's begin");
        assertEquals(events.length, Housekeeper.endOfFew(events, few + 2 * PeerWatch.EVENT, events.length), "with no room for another one");
        assertEquals(PeerWatch.EVENT, Housekeeper.endOfFew(events, 0, PeerWatch.EVENT), "what lies behind was told of before");
    }

    @Test
    void poolsOfWhichSomethingMayGoByTimeAloneAreLookedAfterMoreOften() {
        Failing evicts = new Failing(null);
        Failing other = new Failing(null);
        KeptPool[] pools = {take(evicts, true), take(other)};
        List<KeptPool> active = Arrays.asList(pools);
        Housekeeper housekeeper = new Housekeeper();
        long from = housekeeper.lastLook;
        long second = TimeUnit.SECONDS.toNanos(1);
        assertFalse(housekeeper.isTimeForAll(from + second - 1));
        assertTrue(housekeeper.isTimeForAll(from + second));
        housekeeper.look(active, false, from + second);
        assertEquals(Arrays.asList(1, 0), Arrays.asList(evicts.looks, other.looks));
        assertTrue(housekeeper.isTimeForAll(from + second), "the others were not looked after");
        housekeeper.look(active, true, from + second);
        assertEquals(Arrays.asList(2, 1), Arrays.asList(evicts.looks, other.looks));
        assertFalse(housekeeper.isTimeForAll(from + 2 * second - 1));
        // After a clock was moved on all are, once.
        housekeeper.isTimeMoved = true;
        assertTrue(housekeeper.isTimeForAll(from + second));
        assertEquals(0, housekeeper.millisToWait(false));
        housekeeper.look(active, true, from + second);
        assertFalse(housekeeper.isTimeForAll(from + second));
        // And while nobody was told of a request that has an answer, be it of one pool only.
        evicts.isAnyOverdue = true;
        housekeeper.look(active, true, from + second);
        assertTrue(housekeeper.isTimeForAll(from + second));
        evicts.isAnyOverdue = false;
        housekeeper.look(active, true, from + second);
        assertFalse(housekeeper.isTimeForAll(from + second));
    }

    // More than other tests may have left or take back.
    private static final int MANY = 1_000_000;

    /** As if so many more pools were not at rest of which something may have to go by time alone. */
    private static void addEvicting(int more) {
        synchronized (HousekeeperThread.class) {
            KeptPool.evicting += more;
        }
    }

    /** Not at once, as something of other tests' may be being closed. */
    private static void awaitCalm(int millis, Housekeeper housekeeper, boolean isWatchOpen) throws Exception {
        Eventually.await("calm for " + millis + " ms", () -> housekeeper.millisOfCalm(isWatchOpen) == millis);
    }

    @Test
    void howLongItWaitsDependsOnWhatThereIsToDo() throws Exception {
        Housekeeper housekeeper = new Housekeeper();
        assertTrue(housekeeper.lastLook - housekeeper.lastFound >= TimeUnit.SECONDS.toNanos(1), "nothing was found yet");
        CountDownLatch end = new CountDownLatch(1);
        addEvicting(-MANY);
        try {
            awaitCalm(1000, housekeeper, false);
            awaitCalm(1000, housekeeper, true);
            addEvicting(2 * MANY);
            try {
                awaitCalm(250, housekeeper, true);
            } finally {
                addEvicting(-2 * MANY);
            }
            // Until a second later, which is to be far on any machine.
            housekeeper.lastFound = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
            awaitCalm(50, housekeeper, true);
            awaitCalm(1000, housekeeper, false);
            Failing chores = new Failing(null);
            chores.isAnyOverdue = true;
            housekeeper.look(Collections.singletonList(take(chores)), true, System.nanoTime());
            awaitCalm(50, housekeeper, false);
            housekeeper.look(Collections.emptyList(), true, System.nanoTime());
            awaitCalm(1000, housekeeper, false);
            Closings.add(new Closings.Task() {
                @Override
                protected void run() {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            });
            awaitCalm(50, housekeeper, false);
        } finally {
            end.countDown();
            addEvicting(MANY);
        }
    }

    @Test
    void itDoesNotWaitWhileAnythingIsLeftToDo() throws Exception {
        Housekeeper housekeeper = new Housekeeper();
        Eventually.await("no request's time is up", () -> housekeeper.millisToWait(true) > 0);
        Parting.addTo(housekeeper.partings, new Failing(null));
        assertEquals(0, housekeeper.millisToWait(true));
    }

    /** Waits and tidies up as the housekeeper does, as if there were a watch or not. */
    private static final class Waiting implements HousekeeperThread.Work {
        final Housekeeper housekeeper = new Housekeeper();
        private final Effects effects = new Effects();
        volatile boolean isWatchOpen;
        volatile Thread thread;
        volatile int rounds;

        @Override
        public void round() {
            thread = Thread.currentThread();
            try {
                housekeeper.await(isWatchOpen);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            housekeeper.tidy();
            // Of other tests' requests, or it would not wait.
            Deadlines.keep(effects);
            rounds++;
        }

        @Override
        public boolean isBusy() {
            return housekeeper.isBusy();
        }
    }

    @Test
    void itFindsWhatWasCollectedWhetherThereIsAWatchOrNot() throws Exception {
        HousekeeperThread.Work work = HousekeeperThread.work;
        Waiting waiting = new Waiting();
        HousekeeperThread.does(waiting);
        try {
            awaitAwake("it is at work", () -> waiting.rounds > 0);
            Eventually.await("it waits", () -> waiting.thread.getState() == Thread.State.TIMED_WAITING);
            new Found("without").enqueue();
            Eventually.await("it is found", () -> tidied.contains("without"));
            waiting.housekeeper.isTimeMoved = true;
            int before = waiting.rounds;
            awaitAwake("it has seen that a clock was moved", () -> waiting.rounds > before);
            int then = waiting.rounds;
            Eventually.await("it does not wait", () -> waiting.rounds > then + 1);
            new Found("in haste").enqueue();
            Eventually.await("it is found", () -> tidied.contains("in haste"));
            waiting.isWatchOpen = true;
            waiting.housekeeper.isTimeMoved = false;
            new Found("with").enqueue();
            awaitAwake("it is found", () -> tidied.contains("with"));
        } finally {
            HousekeeperThread.does(work);
            HousekeeperThread.wake();
        }
    }

    @Test
    void whoseTimeIsUpIsTold() throws Exception {
        CountDownLatch isUp = new CountDownLatch(1);
        long end = System.nanoTime();
        Deadlines.add(new Deadlines.Due() {
            @Override
            public long end() {
                return end;
            }

            @Override
            public long number() {
                return -1;
            }

            @Override
            public void isUp(Effects effects) {
                isUp.countDown();
            }
        });
        Eventually.await("it is told", () -> isUp.getCount() == 0);
    }

    /** More than are closed before the housekeeper looks up again. */
    private static final int BURST = 40;

    /** Opens connections that are idle then; what is their peers'. */
    private static List<Socket> openIdle(ConnectionPool<String, Socket> pool, int n) throws Exception {
        List<Lease<Socket>> leases = new ArrayList<>();
        List<Socket> peers = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, n, InetAddress.getLoopbackAddress())) {
            for (int i = 0; i < n; i++) {
                Socket socket = new Socket(server.getInetAddress(), server.getLocalPort());
                peers.add(server.accept());
                Lease<Socket> lease = pool.tryLease("a");
                lease.opened(socket);
                lease.attach(socket);
                leases.add(lease);
            }
        }
        leases.forEach(Lease::release);
        return peers;
    }

    private static ConnectionPool<String, Socket> pool(Runnable atClose) {
        return ConnectionPool.<String, Socket>builder((socket, cause) -> {
            atClose.run();
            try {
                socket.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }).watching(Watching.WATCH).build();
    }

    @Test
    void ofABurstNoneIsForgottenAndItIsBusyUntilTheLastIsClosed() throws Exception {
        CountDownLatch isHeldUp = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        ConnectionPool<String, Socket> holdUp = pool(() -> {
            isHeldUp.countDown();
            try {
                mayGoOn.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Queue<Boolean> wasBusy = new ConcurrentLinkedQueue<>();
        Runnable note = () -> wasBusy.add(HousekeeperThread.work.isBusy());
        List<ConnectionPool<String, Socket>> pools = Arrays.asList(pool(note), pool(note));
        List<Socket> peers = new ArrayList<>(openIdle(pools.get(0), BURST));
        peers.addAll(openIdle(pools.get(1), BURST));
        Socket first = openIdle(holdUp, 1).get(0);
        try {
            first.close();
            Eventually.await("it is held up", () -> isHeldUp.getCount() == 0);
            for (Socket peer : peers) {
                peer.close();
            }
        } finally {
            mayGoOn.countDown();
        }
        Eventually.await("all are closed", () -> wasBusy.size() == 2 * BURST);
        assertTrue(wasBusy.peek(), "with the others still to be closed");
        for (ConnectionPool<String, Socket> pool : pools) {
            assertEquals(BURST, pool.counters().closedByPeer());
            pool.close();
        }
        holdUp.close();
    }
}
