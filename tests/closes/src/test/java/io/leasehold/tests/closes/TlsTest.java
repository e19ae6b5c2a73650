package io.leasehold.tests.closes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.Watching;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What TLS has to say to itself, on idle connections and at their close. */
class TlsTest {
    @ParameterizedTest
    @EnumSource
    void aConnectionOnWhichSessionTicketsArriveWhileItIsIdleServesTheNextRequest(Ours kind) throws Exception {
        try (Nginx server = Nginx.builder().tls().directive("ssl_protocols TLSv1.3;").start()) {
            Ours.Client client = kind.client(new Tls(server.trust()));
            client.connect(server.url(WebServer.HELLO));
            Eventually.await("tickets are there", () -> server.sockets().unread(Side.CLIENT) > 0);
            client.post(server.url(WebServer.HELLO));
            client.post(server.url(WebServer.HELLO));
            assertEquals(1, server.connections());
            assertEquals(0, client.manager().getCounters().closedByPeer() + client.manager().getCounters().stale());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPeerThatDoesNotReadWhatTlsSaysAtTheCloseDelaysNobody(Ours kind) throws Exception {
        Tls tls = new Tls(TestTls.context());
        Ours.Client client = kind.client(tls);
        try (DeafServer deaf = new DeafServer(); Nginx server = Nginx.builder().keepAlive(100).start()) {
            client.post(deaf.url());
            tls.fill();
            deaf.hangUp();
            Eventually.await("it is closed by its peer", () -> client.manager().getCounters().closedByPeer() == 1);
            // Neither leases nor the housekeeper wait for its close.
            for (int i = 1; i <= 3; i++) {
                client.post(server.url(WebServer.HELLO));
                long closed = 1 + i;
                Eventually.await("closes are seen", () -> client.manager().getCounters().closedByPeer() == closed);
            }
            awaitGone(deaf);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStaleConnectionWhosePeerDoesNotReadDelaysNoLease(Ours kind) throws Exception {
        Tls tls = new Tls(TestTls.context());
        Ours.Client client = kind.client(tls);
        // Nobody but the lease finds out.
        client.manager().setWatching(Watching.PROBE);
        try (DeafServer deaf = new DeafServer()) {
            client.post(deaf.url());
            tls.fill();
            deaf.hangUp();
            Eventually.await("the client is told", () -> SocketTable.ofPort(deaf.port()).count(Side.CLIENT, State.CLOSE_WAIT) == 1);
            client.post(deaf.url());
            assertEquals(1, client.manager().getCounters().stale());
            assertEquals(2, deaf.connections());
            Eventually.await("its close is cut short", () -> SocketTable.ofPort(deaf.port()).count(Side.CLIENT, State.CLOSE_WAIT) == 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aShutdownWaitsForNoPeerOfWhatIsInUse(Ours kind) throws Exception {
        Tls tls = new Tls(TestTls.context());
        Ours.Client client = kind.client(tls);
        try (DeafServer deaf = new DeafServer()) {
            client.post(deaf.url());
            client.hold(deaf.url());
            tls.fill();
            client.shutdown();
            awaitGone(deaf);
            assertEquals(1, deaf.connections());
        }
    }

    private static void awaitGone(DeafServer deaf) throws Exception {
        Eventually.await("its socket is closed here",
                () -> SocketTable.ofPort(deaf.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
    }
}
