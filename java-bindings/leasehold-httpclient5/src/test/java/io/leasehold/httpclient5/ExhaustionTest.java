package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Overflow;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A release that runs out of stack has happened, or can be said again: no place is lost and no connection left open. */
class ExhaustionTest {
    // Each of the kinds has as many; a quarter of the ends is enough to lose something without what is tested here.
    private static final int DIVES = 12;
    // More than one for each step that is taken near the end of a stack.
    private static final int ENTRIES = 8_000;
    private static final int NEAR = 200;

    /** Closes without a call. */
    private static final class Quiet extends Conn {
        private volatile boolean isQuietlyClosed;

        Quiet() {
            super("quiet");
        }

        @Override
        boolean isClosed() {
            return isQuietlyClosed;
        }

        @Override
        public void close(CloseMode mode) {
            isQuietlyClosed = true;
        }
    }

    private final LeaseholdConnPool<String, Conn> pool = new LeaseholdConnPool<>(ENTRIES, ENTRIES);
    private final List<PoolEntry<String, Conn>> entries = new ArrayList<>();
    private final List<Conn> connections = new ArrayList<>();
    private int next;

    @AfterEach
    void close() {
        pool.close(CloseMode.IMMEDIATE);
    }

    private void leaseAll() throws Exception {
        entries.clear();
        while (entries.size() < ENTRIES) {
            entries.add(pool.lease("a", null).get());
        }
    }

    private void connectAll() {
        for (PoolEntry<String, Conn> entry : entries) {
            Conn connection = new Quiet();
            connections.add(connection);
            entry.assignConnection(connection);
        }
    }

    @ParameterizedTest(name = "{0}, reusable: {1}")
    @CsvSource({"opened,true", "opened,false", "leased,true", "leased,false", "replaced,true", "replaced,false"})
    void releases(String kind, boolean isReusable) throws Exception {
        leaseAll();
        connectAll();
        if (!kind.equals("opened")) {
            entries.forEach(entry -> pool.release(entry, true));
            leaseAll();
        }
        if (kind.equals("replaced")) {
            entries.forEach(entry -> entry.discardConnection(CloseMode.IMMEDIATE));
            connectAll();
        }
        // What is loaded by the first call is not what this is about.
        release(true);
        release(false);
        int overflows = Overflow.atEveryDepth(DIVES, () -> {
            if (!hasRoom()) {
                release(isReusable);
            }
        });
        assertTrue(overflows > 0, "it never overflowed");
        while (next < ENTRIES) {
            release(isReusable);
        }
        assertEquals(0, pool.getTotalStats().getLeased());
        assertEquals(pool.getTotalStats().getAvailable(), connections.stream().filter(connection -> !connection.isClosed()).count());
    }

    private static boolean hasRoom() {
        try {
            return descend(NEAR) > 0;
        } catch (StackOverflowError e) {
            return false;
        }
    }

    private static int descend(int frames) {
        return frames == 0 ? 1 : 1 + descend(frames - 1);
    }

    private void release(boolean isReusable) {
        if (next == ENTRIES) {
            return;
        }
        try {
            pool.release(entries.get(next), isReusable);
        } catch (IllegalStateException e) {
            // It had happened.
        }
        next++;
    }
}
