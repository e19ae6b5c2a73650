package io.leasehold.internal.log;

import java.util.function.Supplier;
import java.util.logging.ErrorManager;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The library's log lines. Nothing that goes wrong with one, be it for want of memory, reaches whoever logs. A line that cannot be made, as
 * a route cannot say its name, is logged as that; a log that fails is told of on the console.
 */
public final class Log {
    private static final String NAME = "io.leasehold.ConnectionPool";
    // As java.util.logging's own handlers say that they have failed: once.
    private static final ErrorManager CONSOLE = new ErrorManager();

    private Log() {}

    /** Whether debug lines are wanted; never throws. */
    public static boolean isDebug() {
        try {
            return Logger.getLogger(NAME).isLoggable(Level.FINE);
        } catch (Throwable e) {
            report(e);
            return false;
        }
    }

    /** Logs a debug line, which is made only if it is wanted; never throws, whatever making it or a handler does. */
    public static void debug(Supplier<String> message) {
        if (isDebug()) {
            String text;
            try {
                text = message.get();
            } catch (Throwable e) {
                log(Level.WARNING, Texts.LINE_FAILED, e);
                return;
            }
            debug(text);
        }
    }

    /** Logs a debug line; never throws, whatever a handler does. */
    public static void debug(String message) {
        debug(message, null);
    }

    /** Logs, as a debug line, what went wrong and was passed over; never throws, whatever a handler does. */
    public static void debug(String message, Throwable cause) {
        log(Level.FINE, message, cause);
    }

    /** Logs a debug line of four parts; never throws, whatever a handler does or the second and fourth say of themselves. */
    public static void debug(String start, Object middle, String between, Object end) {
        if (isDebug()) {
            String text;
            try {
                text = start + middle + between + end;
            } catch (Throwable e) {
                log(Level.WARNING, Texts.LINE_FAILED, e);
                return;
            }
            debug(text);
        }
    }

    /** What something says of itself; if it fails to, that is logged, and it is its class's name. Where it says nothing, that is "null". */
    public static String shown(Object named) {
        try {
            return "" + named;
        } catch (Throwable e) {
            warn(Texts.LINE_FAILED, e);
            return named.getClass().getName();
        }
    }

    /** Logs a warning; never throws, whatever a handler does. */
    public static void warn(String message, Throwable cause) {
        log(Level.WARNING, message, cause);
    }

    /** Logs a warning that names something in its middle; never throws, whatever a handler does or the middle says of itself. */
    public static void warn(String start, Object middle, String end, Throwable cause) {
        String text;
        try {
            text = start + middle + end;
        } catch (Throwable e) {
            log(Level.WARNING, Texts.LINE_FAILED, e);
            text = start;
        }
        log(Level.WARNING, text, cause);
    }

    /** Logs a warning about what has this name; never throws, whatever a handler does or the name says of itself. */
    public static void warnOf(Object name, String message, Throwable cause) {
        warn(of(name, message), cause);
    }

    /** As {@link #warn(String, Object, String, Throwable)}, about what has this name. */
    public static void warnOf(Object name, String start, Object middle, String end, Throwable cause) {
        warn(of(name, start), middle, end, cause);
    }

    /** As {@link #debug(String, Object, String, Object)}, about what has this name. */
    public static void debugOf(Object name, String start, Object middle, String between, Object end) {
        if (isDebug()) {
            debug(of(name, start), middle, between, end);
        }
    }

    /** The text alone, if there is no memory for more. */
    private static String of(Object name, String text) {
        try {
            return name + Texts.OF + text;
        } catch (Throwable e) {
            return text;
        }
    }

    private static void log(Level level, String message, Throwable cause) {
        try {
            Logger.getLogger(NAME).log(level, message, cause);
        } catch (Throwable e) {
            report(e);
        }
    }

    private static void report(Throwable e) {
        try {
            CONSOLE.error(Texts.LOG_FAILED, e instanceof Exception ? (Exception) e : new Exception(e), ErrorManager.WRITE_FAILURE);
        } catch (Throwable again) {
            // There is nowhere left to say it.
        }
    }
}
