package io.leasehold.internal.jfr;

import io.leasehold.internal.log.Log;

/**
 * What is told to the JDK's flight recorder, where the JVM has one and it was started.
 *
 * <p>The events are classes that only such a JVM can load, and to load them takes the recorder. So the rest of the library knows this class
 * alone: before {@link #prepare} has found the recorder started, each of these calls is a look at one field. None of them is on the way of
 * a hit, and all are outside every lock.
 *
 * <p>None throws, whatever the recorder or a route's own code does: an event that cannot be written is left out. They may be called where
 * hardly any stack is left; what overflows in here is caught in here, but for the call itself, before which nothing is lost.
 */
public abstract class FlightEvents {
    private static final String RECORDER = "io.leasehold.internal.jfr.JdkRecorder";

    /** The JVM's recorder, as far as it can be asked without loading any event. */
    abstract static class Recorder {
        /** Whether it was ever started; events are of no use before. */
        abstract boolean isStarted();

        /** Loads and initializes all events. */
        abstract FlightEvents events();
    }

    // ----- written inside the class's monitor, by whoever prepares -----
    /** Null as long as no recorder was started, and where there is none. */
    private static volatile FlightEvents started;
    /** Null where there is none, and where it cannot be told anything. */
    private static volatile Recorder recorder = find();

    FlightEvents() {}

    /** Whether a recorder was started, and the events are not loaded yet. */
    public static boolean isToBePrepared() {
        try {
            Recorder present = recorder;
            return started == null && present != null && present.isStarted();
        } catch (Throwable e) {
            giveUp(e);
            return false;
        }
    }

    /**
     * Loads the events. To be called where there is stack enough: what overflows while a class is initialized is lost for as long as the
     * class is there.
     */
    public static synchronized void prepare() {
        try {
            Recorder present = recorder;
            if (started == null && present != null) {
                started = present.events();
            }
        } catch (Throwable e) {
            giveUp(e);
        }
    }

    /** Where there is no recorder its classes are missing; others may be refused. */
    private static Recorder find() {
        try {
            return (Recorder) Class.forName(RECORDER).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
            return null;
        }
    }

    private static synchronized void giveUp(Throwable why) {
        recorder = null;
        Log.debug("the flight recorder cannot be told of connection pools", why);
    }

    /** A request begins to wait: what {@link #waited} is to be given, null if nobody wants to know. */
    public static Object waits() {
        FlightEvents events = started;
        try {
            return events == null ? null : events.beginWait();
        } catch (Throwable e) {
            return null;
        }
    }

    /**
     * A request waits no more.
     *
     * @param wait what {@link #waits} has answered
     * @param pool what says the pool's name
     * @param route what says the route's
     * @param result what has become of it
     */
    public static void waited(Object wait, Object pool, Object route, String result) {
        FlightEvents events = started;
        try {
            if (wait != null && events != null) {
                events.endWait(wait, pool, route, result);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    /** A connection was opened. */
    public static void opened(Object pool, Object route) {
        FlightEvents events = started;
        try {
            if (events != null) {
                events.tellOpened(pool, route);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    /** A connection has gone, so many milliseconds after it was opened, and after so many leases. */
    public static void closed(Object pool, Object route, Enum<?> cause, long age, long uses) {
        FlightEvents events = started;
        try {
            if (events != null) {
                events.tellClosed(pool, route, cause, age, uses);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    /** A lease's connection was found dead. */
    public static void stale(Object pool, Object route) {
        FlightEvents events = started;
        try {
            if (events != null) {
                events.tellStale(pool, route);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    /** A lease was lost; what says where it was taken, null if nobody knows. */
    public static void leaked(Object pool, Object route, Throwable taken) {
        FlightEvents events = started;
        try {
            if (events != null) {
                events.tellLeaked(pool, route, taken);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    /** A request got nothing, and is told this text. */
    public static void exhausted(Object pool, Object route, String text) {
        FlightEvents events = started;
        try {
            if (events != null) {
                events.tellExhausted(pool, route, text);
            }
        } catch (Throwable e) {
            // It is left out.
        }
    }

    abstract Object beginWait();

    abstract void endWait(Object wait, Object pool, Object route, String result);

    abstract void tellOpened(Object pool, Object route);

    abstract void tellClosed(Object pool, Object route, Enum<?> cause, long age, long uses);

    abstract void tellStale(Object pool, Object route);

    abstract void tellLeaked(Object pool, Object route, Throwable taken);

    abstract void tellExhausted(Object pool, Object route, String text);
}
