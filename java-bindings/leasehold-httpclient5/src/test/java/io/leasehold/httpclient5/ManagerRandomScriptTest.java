package io.leasehold.httpclient5;

import io.leasehold.testsupport.TranscriptDiff;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One thread's random leases with and without states, releases of all kinds, endpoints that are closed and connected once more, evictions
 * and raised limits on both classic managers: which connection each lease gets, which go to make room, every count and every log line
 * agree.
 */
@DisabledForJreRange(min = JRE.JAVA_18, disabledReason = "it knows no JDK, and runs on the oldest with two versions of HttpClient")
class ManagerRandomScriptTest {
    private static final int STEPS = 800;
    private static final String[] STATES = {null, null, null, "x", "y"};

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void bothManagersAgree(long seed) throws Exception {
        TranscriptDiff.assertNone(play(ManagerSubject.STOCK, seed), play(ManagerSubject.LEASEHOLD, seed));
    }

    private static List<String> play(ManagerSubject subject, long seed) throws Exception {
        Random random = new Random(seed);
        try (ManagerStage stage = new ManagerStage(subject)) {
            // Which of several is closed first differs.
            stage.logInNoOrder();
            PoolingHttpClientConnectionManager manager = stage.manager(2, 4);
            List<ConnectionEndpoint> held = new ArrayList<>();
            for (int i = 0; i < STEPS; i++) {
                HttpRoute route = stage.inMemory("host" + random.nextInt(4));
                int choice = random.nextInt(100);
                String state = STATES[random.nextInt(STATES.length)];
                if (choice < 46) {
                    ConnectionEndpoint leased = random.nextInt(8) == 0
                            ? stage.lease(manager, route, state)
                            : stage.open(manager, route, state);
                    if (leased != null) {
                        held.add(leased);
                    }
                } else if (choice < 91) {
                    if (!held.isEmpty()) {
                        release(stage, manager, held.remove(random.nextInt(held.size())), state, random);
                    }
                } else if (choice < 93) {
                    stage.act(i + " close idle", () -> manager.closeIdle(TimeValue.ZERO_MILLISECONDS));
                } else if (choice < 95) {
                    stage.act(i + " close idle for an hour", () -> manager.closeIdle(TimeValue.ofHours(1)));
                } else if (choice < 97) {
                    stage.act(i + " close expired", manager::closeExpired);
                } else if (choice < 98 && manager.getMaxTotal() < 9) {
                    manager.setMaxTotal(manager.getMaxTotal() + 1);
                } else if (choice < 99 && manager.getDefaultMaxPerRoute() < 4) {
                    manager.setDefaultMaxPerRoute(manager.getDefaultMaxPerRoute() + 1);
                } else if (manager.getMaxPerRoute(route) < 5) {
                    manager.setMaxPerRoute(route, manager.getMaxPerRoute(route) + 1);
                }
                stage.counts(manager, route);
            }
            return stage.transcript();
        }
    }

    private static void release(ManagerStage stage, PoolingHttpClientConnectionManager manager, ConnectionEndpoint endpoint, String state,
            Random random) {
        int kind = random.nextInt(24);
        if (kind <= 2) {
            stage.act("close under its lease", () -> endpoint.close(CloseMode.IMMEDIATE));
        }
        if (kind == 2) {
            stage.connect(manager, endpoint);
        }
        stage.release(manager, endpoint, state, kind == 3 ? null : kind < 12 ? TimeValue.ofHours(1) : TimeValue.NEG_ONE_MILLISECOND);
    }
}
