package io.leasehold.testsupport;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * Records what is logged under some logger names and below them, at all levels, from opening until close. Works for java.util.logging and
 * for commons-logging, which ends there when no other backend is on the class path. May be used from any thread.
 */
public final class LogCapture implements AutoCloseable {
    private final List<Captured> loggers = new ArrayList<>();
    private final Recorder recorder = new Recorder();

    /** A logger, and how it was before. */
    private static final class Captured {
        final Logger logger;
        final Level level;
        final boolean parentHandlers;

        Captured(Logger logger) {
            this.logger = logger;
            level = logger.getLevel();
            parentHandlers = logger.getUseParentHandlers();
        }
    }

    private LogCapture(String... names) {
        for (String name : names) {
            Logger logger = Logger.getLogger(name);
            loggers.add(new Captured(logger));
            logger.setLevel(Level.ALL);
            logger.setUseParentHandlers(false);
            logger.addHandler(recorder);
        }
    }

    /** Starts to record the loggers of these names and those below them; the console is spared meanwhile. */
    public static LogCapture of(String... loggerNames) {
        return new LogCapture(loggerNames);
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

    /** What was logged so far as having been thrown, in order. */
    public List<Throwable> thrown() {
        List<Throwable> thrown = new ArrayList<>();
        for (LogRecord record : records()) {
            if (record.getThrown() != null) {
                thrown.add(record.getThrown());
            }
        }
        return thrown;
    }

    /** Forgets what was recorded so far. */
    public void clear() {
        synchronized (recorder) {
            recorder.records.clear();
        }
    }

    /** Ends the recording and puts the loggers back as they were. */
    @Override
    public void close() {
        for (Captured captured : loggers) {
            captured.logger.removeHandler(recorder);
            captured.logger.setUseParentHandlers(captured.parentHandlers);
            captured.logger.setLevel(captured.level);
        }
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
