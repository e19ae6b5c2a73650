package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.log.Texts;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.util.Collections;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is done for leased connections that need it. */
class HelpLeasedTest {
    private final Queue<String> threads = new ConcurrentLinkedQueue<>();
    private final Queue<AtomicBoolean> helped = new ConcurrentLinkedQueue<>();
    private ConnectionPool<String, AtomicBoolean> pool = pool(AtomicBoolean::get, connection -> {
        threads.add(Thread.currentThread().getName());
        helped.add(connection);
        connection.set(false);
    });

    private static ConnectionPool<String, AtomicBoolean> pool(Predicate<AtomicBoolean> needsHelp, Consumer<AtomicBoolean> help) {
        return ConnectionPool.<String, AtomicBoolean>builder((connection, cause) -> {}).helpLeased(needsHelp, help).maxTotal(2).build();
    }

    @AfterEach
    void close() {
        pool.close();
    }

    private Lease<AtomicBoolean> leased(AtomicBoolean connection) {
        Lease<AtomicBoolean> lease = pool.tryLease("a");
        lease.opened(connection);
        return lease;
    }

    @Test
    void aLeasedConnectionIsHelpedOnAThreadThatMayWaitAndAnIdleOneIsNot() throws Exception {
        AtomicBoolean first = new AtomicBoolean();
        AtomicBoolean idle = new AtomicBoolean();
        Lease<AtomicBoolean> lease = leased(first);
        leased(idle).release();
        idle.set(true);
        for (int times = 1; times <= 2; times++) {
            int expected = times;
            first.set(true);
            Eventually.await("it to be helped", () -> helped.size() == expected);
            Eventually.await("the help to have ended", () -> !first.get());
        }
        helped.forEach(connection -> assertSame(first, connection));
        threads.forEach(thread -> assertEquals("leasehold-disposer", thread));
        assertFalse(lease.isEnded());
        lease.release();
        assertEquals(2, pool.stats().available());
    }

    @Test
    void oneThatIsBeingHelpedIsLeftAloneAndKeepsNobodyFromIt() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        AtomicBoolean stuck = new AtomicBoolean(true);
        AtomicBoolean other = new AtomicBoolean();
        AtomicInteger times = new AtomicInteger();
        AtomicInteger others = new AtomicInteger();
        pool = pool(AtomicBoolean::get, connection -> {
            if (connection == other) {
                connection.set(false);
                others.incrementAndGet();
                return;
            }
            times.incrementAndGet();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                connection.set(false);
            }
        });
        Lease<AtomicBoolean> first = leased(stuck);
        Lease<AtomicBoolean> second = leased(other);
        Eventually.await("one to be helped", () -> times.get() == 1);
        for (int i = 1; i <= 3; i++) {
            int expected = i;
            other.set(true);
            Eventually.await("the other to be helped, too", () -> others.get() == expected);
        }
        assertEquals(1, times.get());
        end.countDown();
        Eventually.await("the help to have ended", () -> !stuck.get());
        first.release();
        second.release();
    }

    @Test
    void whatFailsIsTriedAgain() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger tried = new AtomicInteger();
        pool = pool(connection -> {
            if (asked.incrementAndGet() == 1) {
                throw new IllegalStateException("cannot tell");
            }
            return connection.get();
        }, connection -> {
            if (tried.incrementAndGet() == 1) {
                throw new IllegalStateException("cannot help");
            }
            connection.set(false);
        });
        AtomicBoolean connection = new AtomicBoolean(true);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            Lease<AtomicBoolean> lease = leased(connection);
            Eventually.await("it to be helped", () -> !connection.get());
            assertEquals(2, tried.get());
            lease.release();
            assertTrue(log.messages().contains(pool.name() + ": " + Texts.NEEDS_HELP_FAILED), log.lines()::toString);
            assertTrue(log.messages().contains(pool.name() + ": " + Texts.HELP_FAILED), log.lines()::toString);
        }
    }

    @Test
    void bothAreNeeded() {
        ConnectionPool.Builder<String, AtomicBoolean> builder = ConnectionPool.builder((connection, cause) -> {});
        assertThrows(IllegalArgumentException.class, () -> builder.helpLeased(null, connection -> {}));
        assertThrows(IllegalArgumentException.class, () -> builder.helpLeased(connection -> true, null));
    }

    /** Of a pool that wants no help nobody is asked whether he needs it. */
    @Test
    void whereThereIsNoHelpNothingIsSaid() throws Exception {
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool = ConnectionPool.<String, AtomicBoolean>builder((connection, cause) -> {}).evictIdle(1, TimeUnit.MILLISECONDS).build();
            Lease<AtomicBoolean> lease = leased(new AtomicBoolean());
            // The first look is over when the second has closed what was idle.
            for (int looks = 0; looks < 2; looks++) {
                leased(new AtomicBoolean()).release();
                Eventually.await("what is idle to be closed", () -> pool.stats().available() == 0);
            }
            lease.release();
            assertEquals(Collections.emptyList(), log.thrown());
        }
    }
}
