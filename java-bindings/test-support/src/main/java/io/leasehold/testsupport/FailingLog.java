package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.function.Executable;

/** A place of callers' code in some loggers, which whatever they log passes, from its making until close. */
public final class FailingLog implements AutoCloseable {
    private final Handler handler;
    private final String[] loggers;

    /** Logs there, after whoever has logged there before. */
    public FailingLog(Faults faults, String place, String... loggerNames) {
        loggers = loggerNames;
        handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                faults.pass(place);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        for (String logger : loggers) {
            Logger.getLogger(logger).addHandler(handler);
        }
    }

    /** Runs a step while a logger fails, with which the step must fail, too. */
    public static void failWith(String loggerName, Executable step) {
        Faults faults = new Faults();
        try (FailingLog failing = new FailingLog(faults, "a logger", loggerName)) {
            faults.arm("a logger", Faults.Mode.EXCEPTION, null);
            assertEquals("a logger fails on demand", assertThrows(IllegalStateException.class, step).getMessage());
        }
    }

    @Override
    public void close() {
        for (String logger : loggers) {
            Logger.getLogger(logger).removeHandler(handler);
        }
    }
}
