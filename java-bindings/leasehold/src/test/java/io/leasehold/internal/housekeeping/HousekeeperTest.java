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
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
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
        HousekeeperThread.needNoMore();
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
            second.enqueue();
            awaitAwake("both are", () -> tidied.size() == 2);
            Eventually.await("it is logged", () -> log.thrown().contains(failure));
            assertTrue(log.messages().contains(Texts.TIDY_FAILED), log.lines()::toString);
            assertFalse(log.messages().contains(Texts.WORK_FAILED), log.lines()::toString);
            assertTrue(first.wasBusy, "it does not end over it");
        }
    }

    @Test
    void whatThereWasNoMemoryForIsDoneAgain() throws Exception {
        OutOfMemoryError failure = new OutOfMemoryError("of the test's own making");
        Found found = new Found("found");
        found.failures.add(failure);
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            found.enqueue();
            awaitAwake("it is done again", () -> tidied.size() == 2);
            assertTrue(log.thrown().contains(failure));
            assertTrue(log.messages().contains(Texts.WORK_FAILED), log.lines()::toString);
            assertFalse(log.messages().contains(Texts.TIDY_FAILED), log.lines()::toString);
        }
    }

    /** Whose failure keeps nothing from the others. */
    private static final class Failing implements Chores {
        private final RuntimeException failure;
        volatile int looks;

        Failing(RuntimeException failure) {
            this.failure = failure;
        }

        @Override
        public boolean lookAfterRequests(Effects effects) {
            looks++;
            HousekeeperTest.<RuntimeException>failWith(failure);
            return false;
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
        public void noteClosed(int[] events, int from, int to, Effects effects) {}

        @Override
        public void carryOut(Effects effects) {}

        @Override
        public void endLeases(Effects effects) {}

        @Override
        public void end(Effects effects) {}
    }

    private KeptPool take(Chores chores) {
        Engine engine = Engine.create(Ours.LOOKUP, 1, 1, 1, 0, false, false, false, false, 1, true);
        held.add(engine);
        return KeptPool.take(engine, engine.forHousekeeper(), chores, false);
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
        } finally {
            for (KeptPool pool : pools) {
                pool.collected(new Effects());
            }
        }
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
