package io.leasehold.internal;

import java.util.logging.Level;
import java.util.logging.Logger;

/** The library's log lines. */
final class Log {
    private Log() {}

    /** Logs a warning; never throws, whatever a handler does. */
    static void warn(String message, Throwable cause) {
        try {
            Logger.getLogger("io.leasehold.ConnectionPool").log(Level.WARNING, message, cause);
        } catch (RuntimeException e) {
            // A broken log must not break the pool.
        }
    }
}
