package io.leasehold.httpclient3;

import io.leasehold.testsupport.TranscriptDiff;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One thread's random leases, releases, evictions and raised limits on both multi-threaded managers: which connection each lease gets,
 * which go to make room, every count and every log line agree.
 */
class RandomScriptTest {
    private static final int STEPS = 800;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void bothManagersAgree(long seed) throws Exception {
        List<String> stock = play(Subject.STOCK, seed);
        TranscriptDiff.assertNone(stock, play(Subject.LEASEHOLD, seed));
        TranscriptDiff.assertNone(stock, play(Subject.LEASEHOLD_UNWATCHED, seed));
    }

    private static List<String> play(Subject subject, long seed) throws Exception {
        Random random = new Random(seed);
        Protocol memory = new Protocol("http", new MemorySocketFactory(), 80);
        try (Stage stage = new Stage(subject)) {
            stage.logInNoOrder();
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnectionManagerParams params = manager.getParams();
            params.setMaxTotalConnections(4);
            List<HttpConnection> held = new ArrayList<>();
            for (int i = 0; i < STEPS; i++) {
                HostConfiguration host = new HostConfiguration();
                host.setHost("host" + random.nextInt(4), 80, memory);
                int choice = random.nextInt(100);
                if (choice < 45) {
                    HttpConnection leased = stage.play(i + " lease " + host.getHost(), () -> {
                        HttpConnection connection = manager.getConnectionWithTimeout(host, 1);
                        if (!connection.isOpen()) {
                            connection.open();
                        }
                        return connection;
                    });
                    if (leased != null) {
                        held.add(leased);
                    }
                } else if (choice < 92) {
                    if (!held.isEmpty()) {
                        HttpConnection released = held.remove(random.nextInt(held.size()));
                        boolean byManager = random.nextBoolean();
                        stage.act(i + " release", () -> {
                            if (byManager) {
                                manager.releaseConnection(released);
                            } else {
                                released.releaseConnection();
                            }
                        });
                    }
                } else if (choice < 94) {
                    stage.act(i + " close idle", () -> manager.closeIdleConnections(0));
                } else if (choice < 96) {
                    stage.act(i + " close idle for an hour", () -> manager.closeIdleConnections(3_600_000));
                } else if (choice < 97) {
                    stage.act(i + " delete closed", manager::deleteClosedConnections);
                } else if (choice < 98 && params.getMaxTotalConnections() < 9) {
                    params.setMaxTotalConnections(params.getMaxTotalConnections() + 1);
                } else if (choice < 99 && params.getDefaultMaxConnectionsPerHost() < 4) {
                    params.setDefaultMaxConnectionsPerHost(params.getDefaultMaxConnectionsPerHost() + 1);
                } else if (params.getMaxConnectionsPerHost(host) < 5) {
                    params.setMaxConnectionsPerHost(host, params.getMaxConnectionsPerHost(host) + 1);
                }
                stage.play(i + " in pool", () -> manager.getConnectionsInPool() + ", " + manager.getConnectionsInPool(host)
                        + " of them for " + host.getHost());
            }
            return stage.transcript();
        }
    }
}
