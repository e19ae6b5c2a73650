package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What LeaseholdHttpConnectionManager does for several threads, where 3.1 has nothing to compare with. */
class SharedSimpleManagerTest {
    private final LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
    // Its methods may wait, and say so.
    private final HttpConnectionManager waiting = manager;
    private final ExecutorService other = Executors.newCachedThreadPool();
    private LogCapture log;
    private ScriptedServer server;

    @BeforeEach
    void start() throws Exception {
        log = LogCapture.of("org.apache.commons.httpclient");
        server = ScriptedServer.plain();
    }

    @AfterEach
    void stop() throws Exception {
        other.shutdownNow();
        manager.shutdown();
        server.close();
        log.close();
    }

    @Test
    void eachThreadHasAConnectionOfItsOwn() throws Exception {
        HttpConnection mine = lease("127.0.0.1");
        HttpConnection others = elsewhere(() -> lease("127.0.0.1"));
        assertNotSame(mine, others);
        assertTrue(mine.isOpen() && others.isOpen());
        assertSame(mine, manager.getConnection(to("127.0.0.1")));
        mine.releaseConnection();
        assertTrue(others.isOpen());
        others.releaseConnection();
    }

    @Test
    void nobodyWaitsUnlessALimitIsSet() throws Exception {
        int threads = 40;
        CyclicBarrier allHold = new CyclicBarrier(threads);
        List<Future<Boolean>> done = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            done.add(other.submit(() -> {
                HttpConnection connection = manager.getConnection(to("127.0.0.1"));
                allHold.await(60, TimeUnit.SECONDS);
                connection.releaseConnection();
                return true;
            }));
        }
        for (Future<Boolean> each : done) {
            assertTrue(each.get());
        }
    }

    @Test
    void thereAreNoMoreConnectionsThanWereHeldAtOnce() throws Exception {
        HttpConnection mine = lease("127.0.0.1");
        elsewhere(() -> {
            for (String host : new String[] {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.2"}) {
                lease(host).releaseConnection();
            }
            return null;
        });
        mine.releaseConnection();
        for (int ended : new int[] {1, 2, 3}) {
            server.peer(ended).awaitEnd();
        }
        assertEquals("open", server.peer(0).end());
        assertEquals("open", server.peer(4).end());
    }

    @Test
    void aConnectionMayBeReleasedByAnotherThread() throws Exception {
        HttpConnection first = lease("127.0.0.1");
        elsewhere(() -> {
            first.releaseConnection();
            return null;
        });
        HttpConnection second = manager.getConnection(to("127.0.0.1"));
        assertSame(first, second);
        assertTrue(second.isOpen());
        second.releaseConnection();
        assertEquals(1, server.peers().size());
    }

    @Test
    void aReleasedConnectionIsDeadForItsFormerHolderOnceAnotherThreadHasIt() throws Exception {
        HttpConnection former = lease("127.0.0.1");
        former.releaseConnection();
        HttpConnection current = elsewhere(() -> manager.getConnection(to("127.0.0.1")));
        former.close();
        former.releaseConnection();
        manager.releaseConnection(former);
        assertFalse(former.isOpen());
        assertTrue(current.isOpen());
        current.releaseConnection();
    }

    @Test
    void shutdownClosesWhatIsIdleAndWhatTheCallerHoldsAndTheRestWhenReleased() throws Exception {
        HttpConnection mine = lease("127.0.0.1");
        HttpConnection others = elsewhere(() -> lease("127.0.0.1"));
        HttpConnection[] thirds = new HttpConnection[1];
        Thread third = new Thread(() -> thirds[0] = lease("127.0.0.1"));
        third.start();
        third.join();
        HttpConnection idle = thirds[0];
        idle.releaseConnection();
        manager.shutdown();
        assertFalse(mine.isOpen());
        assertFalse(idle.isOpen());
        assertTrue(others.isOpen());
        others.releaseConnection();
        assertFalse(others.isOpen());
        mine.releaseConnection();
        for (ScriptedServer.Peer peer : server.peers()) {
            peer.awaitEnd();
        }
        lease("127.0.0.1").releaseConnection();
        assertEquals(4, server.peers().size());
    }

    @Test
    void aDeadThreadsConnectionStaysWithWhoeverReadsFromIt() throws Exception {
        HttpClient client = new HttpClient(manager);
        client.setHostConfiguration(to("127.0.0.1"));
        GetMethod download = new GetMethod("/chunked-stall");
        inAThreadThatDies(() -> client.executeMethod(download));
        lease("127.0.0.1").releaseConnection();
        lease("127.0.0.2").releaseConnection();
        server.proceed();
        assertEquals("firstrest", download.getResponseBodyAsString());
        download.releaseConnection();
    }

    @Test
    void whatADeadThreadHeldIsClosedWhenALimitWouldMakeSomebodyWait() throws Exception {
        manager.getParams().setMaxTotalConnections(1);
        HttpConnection[] theirs = new HttpConnection[1];
        WeakReference<Thread> dead = inAThreadThatDies(() -> theirs[0] = lease("127.0.0.1"));
        // It has not to wait, so that no timeout is wrong.
        HttpConnection mine = waiting.getConnectionWithTimeout(to("127.0.0.1"), -1);
        server.peer(0).awaitEnd();
        assertFalse(theirs[0].isOpen());
        Eventually.awaitAfterCollection("the thread to go", () -> dead.get() == null);
        mine.releaseConnection();
    }

    @Test
    void whoWaitsIsServedWhenTheHolderDies() throws Exception {
        manager.getParams().setMaxTotalConnections(1);
        AtomicReference<HttpConnection> theirs = new AtomicReference<>();
        CountDownLatch mayDie = new CountDownLatch(1);
        Thread holder = new Thread(() -> {
            theirs.set(lease("127.0.0.1"));
            try {
                mayDie.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        holder.start();
        Eventually.await("it is held", () -> theirs.get() != null);
        FutureTask<HttpConnection> wait = new FutureTask<>(() -> manager.getConnection(to("127.0.0.1")));
        Thread waiter = new Thread(wait);
        waiter.start();
        Eventually.await("somebody waits", () -> waiter.getState() == Thread.State.TIMED_WAITING);
        mayDie.countDown();
        wait.get(1, TimeUnit.MINUTES).releaseConnection();
        assertFalse(theirs.get().isOpen());
    }

    /** Who waits looks every second for what the dead have left, and queues anew. */
    @Test
    void aWaitForMoreThanASecondGoesOnAfterASecond() throws Exception {
        for (long timeout : new long[] {TimeUnit.DAYS.toMillis(1), 0}) {
            ManualClock clock = new ManualClock();
            LeaseholdHttpConnectionManager timed = clock.driving(LeaseholdHttpConnectionManager::new);
            timed.getParams().setMaxTotalConnections(1);
            HttpConnection mine = timed.getConnection(to("127.0.0.1"));
            Future<HttpConnection> waiter = other.submit(() -> timed.getConnectionWithTimeout(to("127.0.0.1"), timeout));
            for (int second = 1; second <= 3; second++) {
                long timedOut = second;
                Eventually.await("it waits", () -> timed.getPool().stats().pending() == 1);
                clock.advance(1, TimeUnit.SECONDS);
                Eventually.await("a second of it to be over", () -> timed.getMetrics().timedOut() == timedOut);
            }
            Eventually.await("it waits", () -> timed.getPool().stats().pending() == 1);
            mine.releaseConnection();
            waiter.get().releaseConnection();
        }
    }

    @Test
    void whatADeadThreadHeldIsClosedWhenItIsCollected() throws Exception {
        inAThreadThatDies(() -> lease("127.0.0.1"));
        HttpConnection mine = lease("127.0.0.1");
        Eventually.awaitAfterCollection("the end of the dead thread's connection", () -> server.peer(0).hasEnded());
        mine.releaseConnection();
        assertEquals("open", server.peer(1).end());
    }

    @Test
    void aLimitThatIsFarKeepsNothingThatADeadThreadHeld() throws Exception {
        manager.getParams().setDefaultMaxConnectionsPerHost(2);
        inAThreadThatDies(() -> lease("127.0.0.1"));
        HttpConnection mine = lease("127.0.0.2");
        Eventually.awaitAfterCollection("the end of the dead thread's connection", () -> server.peer(0).hasEnded());
        mine.releaseConnection();
        assertEquals("open", server.peer(1).end());
    }

    @Test
    void whatADeadThreadHeldIsClosedWhenALimitIsReachedLater() throws Exception {
        manager.getParams().setMaxTotalConnections(2);
        HttpConnection[] theirs = new HttpConnection[1];
        inAThreadThatDies(() -> theirs[0] = lease("127.0.0.1"));
        HttpConnection mine = lease("127.0.0.1");
        assertTrue(theirs[0].isOpen());
        elsewhere(() -> lease("127.0.0.1")).releaseConnection();
        assertFalse(theirs[0].isOpen());
        mine.releaseConnection();
    }

    /** A thread leads to its application, by its class loader. */
    @Test
    void aDeadThreadIsNotKeptByWhatItHasReleased() throws Exception {
        HttpConnection[] theirs = new HttpConnection[1];
        WeakReference<Thread> dead = inAThreadThatDies(() -> {
            theirs[0] = lease("127.0.0.1");
            theirs[0].releaseConnection();
            return null;
        });
        Eventually.awaitAfterCollection("the thread to go", () -> dead.get() == null);
        assertTrue(theirs[0].isOpen());
    }

    @Test
    void aLimitSetByTheApplicationMakesThreadsWait() throws Exception {
        manager.getParams().setMaxTotalConnections(1);
        HttpConnection mine = lease("127.0.0.1");
        Exception late = elsewhere(() -> assertThrows(ConnectionPoolTimeoutException.class,
                () -> waiting.getConnectionWithTimeout(to("127.0.0.1"), 20)));
        assertEquals("Timeout waiting for connection", late.getMessage());
        assertEquals("timeout value is negative", elsewhere(() -> assertThrows(IllegalArgumentException.class,
                () -> manager.getConnectionWithTimeout(to("127.0.0.1"), -1))).getMessage());
        Future<HttpConnection> waiter = other.submit(() -> manager.getConnectionWithTimeout(to("127.0.0.2"), 0));
        mine.releaseConnection();
        waiter.get().releaseConnection();
        server.peer(0).awaitEnd();
    }

    @Test
    void aLimitForOneHostHoldsUpThatHostOnly() throws Exception {
        manager.getParams().setMaxConnectionsPerHost(to("127.0.0.1"), 1);
        HttpConnection mine = lease("127.0.0.1");
        elsewhere(() -> assertThrows(ConnectionPoolTimeoutException.class,
                () -> waiting.getConnectionWithTimeout(to("127.0.0.1"), 1)));
        elsewhere(() -> {
            lease("127.0.0.2").releaseConnection();
            return null;
        });
        mine.releaseConnection();
    }

    @Test
    void aLimitForEveryHostHoldsUpEachByItself() throws Exception {
        manager.getParams().setDefaultMaxConnectionsPerHost(1);
        HttpConnection mine = lease("127.0.0.1");
        elsewhere(() -> assertThrows(ConnectionPoolTimeoutException.class,
                () -> waiting.getConnectionWithTimeout(to("127.0.0.1"), 1)));
        elsewhere(() -> lease("127.0.0.2")).releaseConnection();
        mine.releaseConnection();
    }

    @Test
    void anInterruptEndsAWait() throws Exception {
        manager.getParams().setMaxTotalConnections(1);
        HttpConnection mine = lease("127.0.0.1");
        elsewhere(() -> {
            Thread.currentThread().interrupt();
            IllegalThreadStateException e = assertThrows(IllegalThreadStateException.class,
                    () -> manager.getConnectionWithTimeout(to("127.0.0.1"), 0));
            assertEquals("Interrupted while waiting in LeaseholdHttpConnectionManager", e.getMessage());
            assertFalse(Thread.interrupted());
            return null;
        });
        mine.releaseConnection();
    }

    @Test
    void oneClientServesManyThreads() throws Exception {
        HttpClient client = new HttpClient(manager);
        client.setHostConfiguration(to("127.0.0.1"));
        int threads = 8;
        CountDownLatch ready = new CountDownLatch(threads);
        List<Future<Integer>> done = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            done.add(other.submit(() -> {
                ready.countDown();
                ready.await();
                int answers = 0;
                for (int request = 0; request < 100; request++) {
                    GetMethod get = new GetMethod(request % 10 == 9 ? "/close" : request % 10 == 4 ? "/chunked" : "/ok");
                    try {
                        assertEquals(200, client.executeMethod(get));
                        assertTrue(get.getResponseBodyAsString().startsWith("c"));
                        answers++;
                    } finally {
                        get.releaseConnection();
                    }
                }
                return answers;
            }));
        }
        for (Future<Integer> each : done) {
            assertEquals(100, each.get());
        }
    }

    @Test
    void aSubclassSeesWhatWasLeasedLast() {
        class Looking extends LeaseholdHttpConnectionManager {
            HttpConnection last() {
                return httpConnection;
            }
        }
        Looking looking = new Looking();
        HttpConnection leased = looking.getConnection(to("127.0.0.1"));
        assertSame(leased, looking.last());
        leased.releaseConnection();
    }

    private HttpConnection lease(String host) {
        HttpConnection connection = manager.getConnection(to(host));
        try {
            if (!connection.isOpen()) {
                connection.open();
                // One exchange, so that the server has accepted and numbered it.
                connection.print("HEAD /ok HTTP/1.1\r\n\r\n", "US-ASCII");
                connection.flushRequestOutputStream();
                while (!connection.readLine("US-ASCII").isEmpty()) {
                    // The head of the answer.
                }
                assertFalse(connection.isResponseAvailable());
            }
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
        return connection;
    }

    private HostConfiguration to(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, server.port(), "http");
        return configuration;
    }

    private static WeakReference<Thread> inAThreadThatDies(Callable<?> step) throws Exception {
        FutureTask<?> task = new FutureTask<>(step);
        Thread thread = new Thread(task);
        thread.start();
        thread.join();
        task.get();
        return new WeakReference<>(thread);
    }

    private <T> T elsewhere(Callable<T> step) throws Exception {
        return other.submit(step).get();
    }
}
