package io.leasehold.internal;

import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The library's log lines. Nothing that goes wrong with one, be it for want of memory, reaches whoever logs. */
final class Log {
    private static final String NAME = "io.leasehold.ConnectionPool";

    private Log() {}

    /** Whether debug lines are wanted; never throws. */
    static boolean isDebug() {
        try {
            return Logger.getLogger(NAME).isLoggable(Level.FINE);
        } catch (Throwable e) {
            return false;
        }
    }

    /** Logs a debug line, which is made only if it is wanted; never throws, whatever making it or a handler does. */
    static void debug(Supplier<String> message) {
        try {
            Logger.getLogger(NAME).log(Level.FINE, message);
        } catch (Throwable e) {
            // A broken log must not break the pool, nor must a route that cannot say its name.
        }
    }

    /** Logs a debug line; never throws, whatever a handler does. */
    static void debug(String message) {
        try {
            Logger.getLogger(NAME).log(Level.FINE, message);
        } catch (Throwable e) {
            // As above.
        }
    }

    /** Logs a debug line of four parts; never throws, whatever a handler does or the second and fourth say of themselves. */
    static void debug(String start, Object middle, String between, Object end) {
        if (isDebug()) {
            try {
                Logger.getLogger(NAME).log(Level.FINE, start + middle + between + end);
            } catch (Throwable e) {
                // As above.
            }
        }
    }

    /** Logs a warning; never throws, whatever a handler does. */
    static void warn(String message, Throwable cause) {
        try {
            Logger.getLogger(NAME).log(Level.WARNING, message, cause);
        } catch (Throwable e) {
            // As above.
        }
    }

    /** Logs a warning that names something in its middle; never throws, whatever a handler does or the middle says of itself. */
    static void warn(String start, Object middle, String end, Throwable cause) {
        try {
            Logger.getLogger(NAME).log(Level.WARNING, start + middle + end, cause);
        } catch (Throwable e) {
            // As above.
        }
    }
}
