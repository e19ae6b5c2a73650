package io.leasehold.tests.closes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A server that vanishes without a word: no packet of it arrives any more. */
class VanishTest {
    @ParameterizedTest
    @EnumSource
    void tcpKeepAliveFindsOutAndTheIdleConnectionIsClosedWithoutALease(Ours kind) throws Exception {
        try (Network network = network(); ClosingServer server = new ClosingServer(network.prefix(), Network.THERE)) {
            Ours.Client client = kind.client();
            client.manager().setTcpKeepAlive(1, 1, 2);
            client.post(server.url(0));
            network.losePackets();
            Eventually.await("it is closed", () -> client.manager().getCounters().closedByPeer() == 1);
            Eventually.await("its socket is gone",
                    () -> SocketTable.ofPort(server.port(0)).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
            assertEquals(0, client.manager().getCounters().stale());
        }
    }

    private static Network network() {
        try {
            return new Network();
        } catch (IOException e) {
            return abort("no network of its own for a server that vanishes, which takes root's rights and iproute2: " + e.getMessage());
        }
    }
}
