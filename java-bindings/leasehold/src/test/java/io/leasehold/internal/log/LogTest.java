package io.leasehold.internal.log;

import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.logging.Filter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** A line that is wanted is logged, one that cannot be made is logged as that, and nothing of it reaches who logs. */
class LogTest {
    private static final String NAME = "io.leasehold.ConnectionPool";

    private final RuntimeException cause = new IllegalStateException("the cause");
    private final Error failure = new NoClassDefFoundError("of the test's own making");
    private final Object nameless = new Object() {
        @Override
        public String toString() {
            throw failure;
        }
    };

    /** What this thread has logged: pools of other tests may be cleaned up meanwhile. */
    private static List<LogRecord> mine(LogCapture log) {
        int self = new LogRecord(Level.OFF, "").getThreadID();
        return log.records().stream().filter(record -> record.getThreadID() == self).collect(toList());
    }

    private static List<String> lines(LogCapture log) {
        return mine(log).stream().map(record -> record.getLevel() + " " + record.getMessage()).collect(toList());
    }

    private static List<Throwable> thrown(LogCapture log) {
        return mine(log).stream().map(LogRecord::getThrown).filter(Objects::nonNull).collect(toList());
    }

    private static String line(Level level, String message) {
        return level + " " + message;
    }

    @Test
    void linesSayWhatTheyAreGiven() {
        try (LogCapture log = LogCapture.of(NAME)) {
            assertTrue(Log.isDebug());
            Log.debug("one");
            Log.debug(() -> "two");
            Log.debug("thr", 3, "", "!");
            Log.debug("four", cause);
            Log.warn("five", cause);
            Log.warn("s", 1, "x", cause);
            assertEquals(Arrays.asList(line(Level.FINE, "one"), line(Level.FINE, "two"), line(Level.FINE, "thr3!"),
                    line(Level.FINE, "four"), line(Level.WARNING, "five"), line(Level.WARNING, "s1x")), lines(log));
            assertEquals(Arrays.asList(cause, cause, cause), thrown(log));
        }
    }

    @Test
    void whatNobodyWantsToReadIsNotMade() {
        try (LogCapture log = LogCapture.of(NAME)) {
            Logger.getLogger(NAME).setLevel(Level.INFO);
            assertFalse(Log.isDebug());
            Log.debug((Supplier<String>) () -> {
                throw failure;
            });
            Log.debug("to ", nameless, ": ", nameless);
            assertEquals(Collections.emptyList(), lines(log));
        }
    }

    @Test
    void aLineThatCannotBeMadeIsLoggedAsThat() {
        try (LogCapture log = LogCapture.of(NAME)) {
            Log.debug((Supplier<String>) () -> {
                throw failure;
            });
            Log.debug("to ", nameless, ": ", "end");
            assertEquals(Collections.nCopies(2, line(Level.WARNING, Texts.LINE_FAILED)), lines(log));
            assertEquals(Arrays.asList(failure, failure), thrown(log));
            log.clear();
            Log.warn("what is known of it: ", nameless, "end", cause);
            assertEquals(Arrays.asList(line(Level.WARNING, Texts.LINE_FAILED), line(Level.WARNING, "what is known of it: ")), lines(log));
            assertEquals(Arrays.asList(failure, cause), thrown(log));
        }
    }

    @Test
    void aLogThatFailsReachesNobodyWhoLogs() {
        Logger logger = Logger.getLogger(NAME);
        Filter before = logger.getFilter();
        int[] asked = {0};
        try (LogCapture log = LogCapture.of(NAME)) {
            logger.setFilter(record -> {
                if (record.getThrown() != cause) {
                    return true;
                }
                asked[0]++;
                throw failure;
            });
            Log.debug("one", cause);
            Log.warn("two", cause);
            Log.warn("thr", 3, "", cause);
        } finally {
            logger.setFilter(before);
        }
        assertEquals(3, asked[0]);
    }
}
