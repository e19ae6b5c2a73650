package io.leasehold.tests.closes;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.closes.Column.Sharing;
import io.leasehold.testsupport.Eventually;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** A short run; what it says of stock clients shows that the server does what it is there for. */
class ClosesTest {
    /** Its reactor is early or late with a close as the machine likes, so nothing is to be seen by what it loses. */
    private static final String EITHER_WAY = "HTTPCLIENT5_ASYNC";

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = EITHER_WAY)
    void noRequestIsLostToACloseThatCameBeforeItsLease(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.post(20, Sharing.NONE, 20, 60, 60, 10);
            judge(column);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = EITHER_WAY)
    void noRequestOfThreadsThatShareARouteIsLostToACloseThatCameBeforeItsLease(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.post(20, Sharing.TENS, 20, 60, 60, 10);
            judge(column);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = EITHER_WAY)
    void noRequestIsLostToAServerThatClosesWhenItPleases(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.post(40, Sharing.NONE, 4, 500, 1_500, 100);
            judge(column);
        }
    }

    private static void judge(Column column) {
        assertTrue(column.lostAsExpected(), () -> column.lost + " lost of " + column.failed + " that failed: " + column.messages);
    }

    @ParameterizedTest
    @EnumSource
    void connectionsThatTheServerClosesAreClosedHere(Contender contender) throws Exception {
        try (Column column = new Column(contender)) {
            column.letServerClose(50);
            int left = column.leftExpected(50);
            Eventually.await(left + " sockets are in CLOSE_WAIT", () -> column.closeWait() == left);
        }
    }
}
