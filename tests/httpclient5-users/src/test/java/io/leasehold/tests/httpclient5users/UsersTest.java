package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.LeaseholdManager;
import io.leasehold.Watching;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever a program uses HttpClient through, its requests run on the manager that it gives, and as that promises. */
class UsersTest {
    private static Program start(User user, Nginx server) throws Exception {
        return user.start(server.url(WebServer.HELLO));
    }

    private static int open(Nginx server) throws Exception {
        return SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT);
    }

    private static LeaseholdManager leasehold(Program program) {
        return (LeaseholdManager) program.manager();
    }

    /** Connections that requests have closed which were answered. */
    private static long givenUp(User user, Program program) {
        long closed = leasehold(program).getMetrics().closedByLease();
        assertTrue(closed == 0 || user.givesUp, closed + " connections were not kept");
        return closed;
    }

    @ParameterizedTest
    @EnumSource
    void requestsShareAConnectionOfTheManager(User user) throws Exception {
        try (Nginx server = Nginx.builder().start()) {
            try (Program program = start(user, server)) {
                for (int i = 0; i < 10; i++) {
                    assertEquals(WebServer.GREETING, program.post());
                    // An asynchronous client has its response a moment before the connection is released.
                    Eventually.await("it is released", () -> program.manager().getTotalStats().getLeased() == 0);
                    assertEquals(server.connections() - givenUp(user, program), program.manager().getTotalStats().getAvailable());
                }
                assertTrue(server.connections() - givenUp(user, program) <= 1);
                assertEquals(program.manager().getTotalStats().getAvailable(), open(server));
            }
            assertEquals(10, server.requests());
            assertEquals(0, open(server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void manyThreadsStayWithinTheManagersLimits(User user) throws Exception {
        try (Nginx server = Nginx.builder().start(); Program program = start(user, server)) {
            program.manager().setMaxTotal(2);
            Threads.run(8, i -> () -> {
                for (int n = 0; n < 10; n++) {
                    assertEquals(WebServer.GREETING, program.post());
                    assertTrue(program.manager().getTotalStats().getLeased() <= 2);
                }
                return null;
            });
            assertEquals(80, server.requests());
            Eventually.await("all are released", () -> program.manager().getTotalStats().getLeased() == 0);
            long kept = server.connections() - givenUp(user, program);
            assertTrue(kept <= 2);
            assertEquals(kept, program.manager().getTotalStats().getAvailable());
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheServerClosesIsClosedHereAndNotUsed(User user) throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(100).start(); Program program = start(user, server)) {
            for (int i = 1; i <= 3; i++) {
                long opened = i;
                assertEquals(WebServer.GREETING, program.post());
                assertEquals(opened, server.connections());
                Eventually.await("its socket is gone", () -> open(server) == 0);
                Eventually.await("its place is free", () -> program.manager().getTotalStats().getAvailable() == 0);
                assertEquals(opened, leasehold(program).getCounters().closedByPeer() + givenUp(user, program));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "ELASTICSEARCH") // A reactor closes what its server closes in any case.
    void whatIsNotWatchedIsFoundClosedByTheNextRequest(User user) throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(100).start(); Program program = start(user, server)) {
            leasehold(program).setWatching(Watching.PROBE);
            for (int i = 1; i <= 3; i++) {
                assertEquals(WebServer.GREETING, program.post());
                server.awaitConnectionsClosed();
                assertEquals(i, server.connections());
                assertEquals(1, SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT));
            }
        }
    }
}
