package io.leasehold.httpclient5;

import io.leasehold.testsupport.TranscriptDiff;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One thread's random leases with and without states, releases of all kinds, connections that are closed or changed under a lease,
 * evictions and raised limits on HttpCore's pool and on ours: which entry and which connection each lease gets, which connections go to
 * make room, and every count agree. What waits is not counted: HttpCore's pool counts, for a while, those who have given up.
 */
class RandomScriptTest {
    private static final int STEPS = 1500;
    private static final String[] STATES = {null, null, null, "x", "y"};

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void bothPoolsAgree(long seed) throws Exception {
        TranscriptDiff.assertNone(play(Subject.STOCK, seed), play(Subject.LEASEHOLD, seed));
    }

    private static List<String> play(Subject subject, long seed) throws Exception {
        Random random = new Random(seed);
        try (PoolStage stage = new PoolStage(subject)) {
            // Which of several is closed first differs.
            stage.logInNoOrder();
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4, TimeValue.ofHours(5), PoolReusePolicy.LIFO, null, stage.listener());
            List<PoolEntry<String, Conn>> held = new ArrayList<>();
            for (int i = 0; i < STEPS; i++) {
                String route = "host" + random.nextInt(4);
                int choice = random.nextInt(100);
                String state = STATES[random.nextInt(STATES.length)];
                if (choice < 46) {
                    PoolEntry<String, Conn> leased = random.nextInt(8) == 0
                            ? stage.lease(pool, route, state)
                            : stage.open(pool, route, state);
                    if (leased != null) {
                        held.add(leased);
                    }
                } else if (choice < 91) {
                    if (!held.isEmpty()) {
                        release(stage, pool, held.remove(random.nextInt(held.size())), state, random);
                    }
                } else if (choice < 93) {
                    stage.act(i + " close idle", () -> pool.closeIdle(TimeValue.ZERO_MILLISECONDS));
                } else if (choice < 95) {
                    stage.act(i + " close idle for an hour", () -> pool.closeIdle(TimeValue.ofHours(1)));
                } else if (choice < 97) {
                    stage.act(i + " close expired", pool::closeExpired);
                } else if (choice < 98 && pool.getMaxTotal() < 9) {
                    pool.setMaxTotal(pool.getMaxTotal() + 1);
                } else if (choice < 99 && pool.getDefaultMaxPerRoute() < 4) {
                    pool.setDefaultMaxPerRoute(pool.getDefaultMaxPerRoute() + 1);
                } else if (pool.getMaxPerRoute(route) < 5) {
                    pool.setMaxPerRoute(route, pool.getMaxPerRoute(route) + 1);
                }
                stage.play("counts", () -> counts(pool.getTotalStats()) + counts(pool.getStats(route)));
            }
            return stage.transcript();
        }
    }

    private static void release(PoolStage stage, ManagedConnPool<String, Conn> pool, PoolEntry<String, Conn> entry, String state,
            Random random) {
        int kind = random.nextInt(24);
        if (kind == 0) {
            stage.discard(pool, entry);
            return;
        }
        if (kind <= 2) {
            stage.act("close under its lease", () -> entry.discardConnection(CloseMode.IMMEDIATE));
        }
        if (kind == 2) {
            entry.assignConnection(stage.connect(entry.getRoute()));
        }
        if (kind == 3) {
            stage.act("release without a word", () -> pool.release(entry, true));
        } else {
            stage.release(pool, entry, state, kind < 12 ? TimeValue.ofHours(1) : TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    private static String counts(PoolStats stats) {
        return "[leased: " + stats.getLeased() + "; available: " + stats.getAvailable() + "; max: " + stats.getMax() + "]";
    }
}
