package io.leasehold.internal;

import java.util.logging.Level;
import java.util.logging.Logger;

/** The library's log lines. */
final class Log {
    private static final String NAME = "io.leasehold.ConnectionPool";

    private Log() {}

    /** Whether debug lines are wanted; never throws. */
    static boolean isDebug() {
        try {
            return Logger.getLogger(NAME).isLoggable(Level.FINE);
        } catch (RuntimeException e) {
            return false;
        }
    }

    /** Logs a debug line; never throws, whatever a handler does. */
    static void debug(String message) {
        log(Level.FINE, message, null);
    }

    /** Logs a warning; never throws, whatever a handler does. */
    static void warn(String message, Throwable cause) {
        log(Level.WARNING, message, cause);
    }

    private static void log(Level level, String message, Throwable cause) {
        try {
            Logger.getLogger(NAME).log(level, message, cause);
        } catch (RuntimeException e) {
            // A broken log must not break the pool.
        }
    }
}
