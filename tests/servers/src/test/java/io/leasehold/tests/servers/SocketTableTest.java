package io.leasehold.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The kernel's table as it may look while others open and close connections. */
class SocketTableTest {
    private static final int PORT = 0x9C40;

    private static String line(String local, String remote, String state) {
        return "   7: 0100007F:" + local + " 0100007F:" + remote + " " + state
                + " 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20";
    }

    @Test
    void aSocketThatIsListedSeveralTimesIsOne() {
        List<String> lines = Arrays.asList(
                line("9C40", "0000", "0A"), line("8001", "9C40", "01"), line("8002", "9C40", "08"), line("9C40", "8002", "05"),
                line("8001", "9C40", "08"), line("8002", "9C40", "08"), line("9C40", "8002", "05"), line("8003", "9C41", "08"));
        SocketTable table = SocketTable.ofPort(PORT, lines, Collections.emptyList());
        // In the state in which it was listed last.
        assertEquals("[CLIENT CLOSE_WAIT, CLIENT CLOSE_WAIT, SERVER FIN_WAIT2]", table.toString());
        assertEquals(2, table.count(Side.CLIENT, State.CLOSE_WAIT));
        assertEquals(table.toString(), SocketTable.ofPort(PORT, Collections.emptyList(), lines).toString());
    }
}
