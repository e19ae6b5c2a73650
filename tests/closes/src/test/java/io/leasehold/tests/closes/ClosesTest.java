package io.leasehold.tests.closes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A short run; what it says of stock clients shows that the server does what it is there for. */
class ClosesTest {
    @ParameterizedTest
    @EnumSource
    void noRequestIsLostToACloseThatCameBeforeItsLease(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.post(20, 20, 60, 60, 10);
            judge(column);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noRequestIsLostToAServerThatClosesWhenItPleases(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.post(40, 4, 500, 1_500, 100);
            judge(column);
        }
    }

    private static void judge(Column column) {
        if (column.contender.isOurs) {
            assertEquals(0, column.lost, () -> column.failed + " failed: " + column.messages);
        } else {
            // Many pauses are longer than the keep-alive by more than any client may need to notice.
            assertTrue(column.lost > 0, "a client that does not look loses some");
        }
    }

    @ParameterizedTest
    @EnumSource
    void connectionsThatTheServerClosesAreClosedHere(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.letServerClose(50);
            int left = contender.isOurs ? 0 : 50;
            Eventually.await(left + " sockets are in CLOSE_WAIT", () -> column.closeWait() == left);
        }
    }
}
