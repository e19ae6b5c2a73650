package io.leasehold.internal;

import java.util.function.Supplier;
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

    /** Logs a debug line, which is made only if it is wanted; never throws, whatever making it or a handler does. */
    static void debug(Supplier<String> message) {
        log(Level.FINE, message);
    }

    /** Logs a warning; never throws, whatever a handler does. */
    static void warn(String message, Throwable cause) {
        try {
            Logger.getLogger(NAME).log(Level.WARNING, message, cause);
        } catch (Throwable e) {
            // As below. A function that gives the message would have to be made first, and there may be no memory left.
        }
    }

    /** Logs a warning that names what is the application's; never throws, whatever making it or a handler does. */
    static void warn(Supplier<String> message) {
        log(Level.WARNING, message);
    }

    private static void log(Level level, Supplier<String> message) {
        try {
            Logger.getLogger(NAME).log(level, message);
        } catch (Throwable e) {
            // A broken log must not break the pool, nor must a route that cannot say its name.
        }
    }
}
