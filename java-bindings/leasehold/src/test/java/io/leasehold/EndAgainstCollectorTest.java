package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.leasehold.internal.natives.Effects;
import io.leasehold.testsupport.Eventually;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A lease that its holder ends is not a lost one, whenever the collector comes; and of one that is, nobody else's suffers. */
class EndAgainstCollectorTest {
    /** After so many calls the JIT has compiled what is called, and knows which objects that needs no more. */
    private static final int UNTIL_COMPILED = 30_000;
    private static final int TRIES = 100_000;

    private final Disposals disposals = new Disposals();
    private final Queue<String> leaks = new ConcurrentLinkedQueue<>();
    private final ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(disposals)
            .leakListener((route, connection) -> leaks.add(route + " " + connection))
            .build();

    private Lease<Connection> opened(String route) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(route));
        return lease;
    }

    /** Nothing but the call itself refers to the lease. */
    private static void discardOne(BlockingQueue<Lease<Connection>> leases) {
        leases.poll().discard();
    }

    private void lose(String route) {
        opened(route);
    }

    @Test
    void aLeaseIsNotLostWhileItIsEnded() throws Exception {
        BlockingQueue<Lease<Connection>> leases = new ArrayBlockingQueue<>(1);
        for (int i = 0; i < UNTIL_COMPILED; i++) {
            leases.add(opened("warm"));
            discardOne(leases);
        }
        disposals.take();
        leases.add(opened("a"));
        LeaseRef ref = leases.peek().ref;
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread ending = new Thread(() -> {
            try {
                discardOne(leases);
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        // Within the end of the lease, and before the engine is asked.
        synchronized (ref) {
            ending.start();
            Eventually.await("it is about to end", () -> ending.getState() == Thread.State.BLOCKED);
            // Of what was found lost with the first the housekeeper has heard by the time it says the second.
            for (String lost : new String[] {"first", "second"}) {
                lose(lost);
                Eventually.awaitAfterCollection("what is lost is found", () -> leaks.contains(lost + " " + lost));
            }
        }
        ending.join();
        assertNull(failure.get());
        assertEquals(2, leaks.size(), leaks.toString());
        assertEquals(0, pool.stats().leased());
    }

    @Test
    void whatIsGivenBackAndFoundLostAtOnceIsEndedAndNoOther() throws Exception {
        // Of the first slot, which a number that is no handle might be taken for.
        Lease<Connection> other = opened("other");
        AtomicReference<LeaseRef> lost = new AtomicReference<>();
        AtomicInteger turn = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread housekeeper = new Thread(() -> {
            try {
                for (int i = 1; i <= TRIES; i++) {
                    while (turn.get() != i) {
                        Thread.yield();
                    }
                    lost.get().collected(new Effects());
                    turn.set(-i);
                }
            } catch (Throwable e) {
                failure.set(e);
                turn.set(Integer.MIN_VALUE);
            }
        });
        housekeeper.start();
        for (int i = 1; i <= TRIES && other.connection().closedFor == null; i++) {
            Lease<Connection> lease = opened("a");
            lost.set(lease.ref);
            turn.set(i);
            for (int pause = i % 100; pause > 0; pause--) {
                turn.get();
            }
            lease.tryDiscard();
            while (turn.get() > 0) {
                Thread.yield();
            }
        }
        assertNull(other.connection().closedFor);
        assertNull(failure.get());
        housekeeper.join();
        assertEquals(1, pool.stats().leased());
        assertEquals(TRIES, disposals.count());
        other.discard();
    }
}
