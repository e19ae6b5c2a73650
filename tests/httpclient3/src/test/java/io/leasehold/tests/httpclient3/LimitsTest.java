package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.LimitJudge;
import io.leasehold.testsupport.Threads;
import java.util.List;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Limits as the server sees them. */
class LimitsTest {
    private static final int THREADS = 20;
    private static final int REQUESTS = 15;

    /** How many of the requests of all threads, to as many of the judge's ports in turn, were refused. */
    private static int refused(Client client, LimitJudge judge, int ports) throws Exception {
        List<Integer> refused = Threads.run(THREADS, thread -> () -> {
            int n = 0;
            for (int i = 0; i < REQUESTS; i++) {
                GetMethod get = new GetMethod(judge.url((thread + i) % ports));
                try {
                    if (client.http.executeMethod(get) == LimitJudge.REFUSED) {
                        n++;
                    } else {
                        assertEquals(LimitJudge.SERVED, get.getResponseBodyAsString());
                    }
                } finally {
                    get.releaseConnection();
                }
            }
            return n;
        });
        return refused.stream().mapToInt(Integer::intValue).sum();
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aHostGetsAsManyConnectionsAsItsLimit(Manager kind) throws Exception {
        try (LimitJudge judge = new LimitJudge(5, 5, 5)) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(5, 100);
            assertEquals(0, refused(new Client(manager), judge, 1));
            assertEquals(5, judge.mostUnderWay());
            // None was closed, so none was opened twice.
            assertEquals(5, judge.connections());
            assertEquals(5, manager.getConnectionsInPool());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aHostGetsTwoConnectionsUnlessToldOtherwise(Manager kind) throws Exception {
        try (LimitJudge judge = new LimitJudge(2, 2, 2)) {
            assertEquals(0, refused(new Client(kind.make()), judge, 1));
            assertEquals(2, judge.connections());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void allHostsTogetherGetAsManyConnectionsAsTheTotalLimit(Manager kind) throws Exception {
        try (LimitJudge judge = new LimitJudge(4, 5, 5)) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(4, 5);
            assertEquals(0, refused(new Client(manager), judge, 2));
            assertEquals(5, judge.mostUnderWay());
            assertTrue(manager.getConnectionsInPool() <= 5);
        }
    }

    @Test
    void theJudgeSeesOneConnectionTooMany() throws Exception {
        try (LimitJudge judge = new LimitJudge(5, 5, 5)) {
            assertTrue(refused(new Client(Manager.STOCK_MULTI_THREADED.makeMultiThreaded(6, 6)), judge, 1) > 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD"})
    void noThreadWaitsForAnotherWithoutALimit(Manager kind) throws Exception {
        try (LimitJudge judge = new LimitJudge(THREADS, THREADS, THREADS)) {
            assertEquals(0, refused(new Client(kind.make()), judge, 1));
            assertEquals(THREADS, judge.mostUnderWay());
            assertEquals(THREADS, judge.connections());
        }
    }
}
