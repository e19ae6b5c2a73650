package io.leasehold.testsupport;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

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

    @Override
    public void close() {
        for (String logger : loggers) {
            Logger.getLogger(logger).removeHandler(handler);
        }
    }
}
