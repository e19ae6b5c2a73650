package io.leasehold.testsupport;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * Records what is logged under one logger name and below it, at all levels, from opening until close. Works for java.util.logging and for
 * commons-logging, which ends there when no other backend is on the class path. May be used from any thread.
 */
public final class LogCapture implements AutoCloseable {
    private final Logger logger;
    private final Level levelBefore;
    private final boolean parentHandlersBefore;
    private final Recorder recorder = new Recorder();

    private LogCapture(String name) {
        logger = Logger.getLogger(name);
        levelBefore = logger.getLevel();
        parentHandlersBefore = logger.getUseParentHandlers();
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(recorder);
    }

    /** Starts to record the logger of this name and those below it; the console is spared meanwhile. */
    public static LogCapture of(String loggerName) {
        return new LogCapture(loggerName);
    }

    /** Starts to record the logger named after this class. */
    public static LogCapture of(Class<?> type) {
        return of(type.getName());
    }

    /** What was logged so far, in order: copies, so that a later record does not change the list. */
    public List<LogRecord> records() {
        synchronized (recorder) {
            return new ArrayList<>(recorder.records);
        }
    }

    /** The lines logged so far, without parameters left open and without level or logger name. */
    public List<String> messages() {
        List<String> messages = new ArrayList<>();
        for (LogRecord record : records()) {
            messages.add(new SimpleFormatter().formatMessage(record));
        }
        return messages;
    }

    /** The lines logged so far, each as {@code LEVEL logger.name: message}. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (LogRecord record : records()) {
            lines.add(record.getLevel() + " " + record.getLoggerName() + ": " + new SimpleFormatter().formatMessage(record));
        }
        return lines;
    }

    /** Forgets what was recorded so far. */
    public void clear() {
        synchronized (recorder) {
            recorder.records.clear();
        }
    }

    /** Ends the recording and puts the logger back as it was. */
    @Override
    public void close() {
        logger.removeHandler(recorder);
        logger.setUseParentHandlers(parentHandlersBefore);
        logger.setLevel(levelBefore);
    }

    private static final class Recorder extends Handler {
        private final List<LogRecord> records = new ArrayList<>();

        Recorder() {
            setLevel(Level.ALL);
        }

        @Override
        public synchronized void publish(LogRecord record) {
            records.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
