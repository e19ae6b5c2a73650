package io.leasehold.internal.jfr;

import io.leasehold.internal.log.Log;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * The events, as the JDK's recorder wants them. Compiled against the JDK that builds, as Java 8's API has none of this, but to byte code of
 * Java 8: so they are there on a JDK 8 that has the recorder, too.
 */
final class RecorderEvents extends FlightEvents {
    RecorderEvents() {
        // To initialize them here costs nobody else the stack that it takes.
        for (Event each : new Event[] {new LeaseWaited(), new ConnectionOpened(), new ConnectionClosed(), new StaleFound(),
            new LeaseLeaked(), new PoolExhausted()}) {
            each.isEnabled();
        }
    }

    @Override
    Object beginWait() {
        LeaseWaited event = new LeaseWaited();
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    @Override
    void endWait(Object wait, Object pool, Object route, String result) {
        LeaseWaited event = (LeaseWaited) wait;
        event.end();
        if (event.shouldCommit()) {
            event.result = result;
            commit(event, pool, route);
        }
    }

    @Override
    void tellOpened(Object pool, Object route) {
        ConnectionOpened event = new ConnectionOpened();
        if (event.shouldCommit()) {
            commit(event, pool, route);
        }
    }

    @Override
    void tellClosed(Object pool, Object route, Enum<?> cause, long age, long uses) {
        ConnectionClosed event = new ConnectionClosed();
        if (event.shouldCommit()) {
            event.cause = cause.name();
            event.age = age;
            event.uses = uses;
            commit(event, pool, route);
        }
    }

    @Override
    void tellStale(Object pool, Object route) {
        StaleFound event = new StaleFound();
        if (event.shouldCommit()) {
            commit(event, pool, route);
        }
    }

    @Override
    void tellLeaked(Object pool, Object route, Throwable taken) {
        LeaseLeaked event = new LeaseLeaked();
        if (event.shouldCommit()) {
            if (taken != null) {
                StringBuilder text = new StringBuilder(String.valueOf(taken.getMessage()));
                for (StackTraceElement frame : taken.getStackTrace()) {
                    text.append("\n\tat ").append(frame);
                }
                event.taken = text.toString();
            }
            commit(event, pool, route);
        }
    }

    @Override
    void tellExhausted(Object pool, Object route, String text) {
        PoolExhausted event = new PoolExhausted();
        if (event.shouldCommit()) {
            event.text = text;
            commit(event, pool, route);
        }
    }

    private static void commit(OfPool event, Object pool, Object route) {
        event.pool = Log.shown(pool);
        event.route = Log.shown(route);
        event.commit();
    }

    /** What all of them have. */
    @Category("Leasehold")
    abstract static class OfPool extends Event {
        @Label("Pool")
        String pool;

        @Label("Route")
        String route;
    }

    @Name("io.leasehold.LeaseWaited")
    @Label("Lease Waited")
    @Description("A request waited for a connection; the event is as long as the wait was")
    static final class LeaseWaited extends OfPool {
        @Label("Result")
        @Description("SERVED, TIMED_OUT, CANCELLED or REFUSED")
        String result;
    }

    @Name("io.leasehold.ConnectionOpened")
    @Label("Connection Opened")
    static final class ConnectionOpened extends OfPool {}

    @Name("io.leasehold.ConnectionClosed")
    @Label("Connection Closed")
    static final class ConnectionClosed extends OfPool {
        @Label("Cause")
        String cause;

        @Label("Age")
        @Description("How long ago it was opened")
        @Timespan(Timespan.MILLISECONDS)
        long age;

        @Label("Uses")
        @Description("How many leases had it")
        long uses;
    }

    @Name("io.leasehold.StaleFound")
    @Label("Stale Connection Found")
    @Description("Only a lease's look has found a connection dead")
    static final class StaleFound extends OfPool {}

    @Name("io.leasehold.LeaseLeaked")
    @Label("Lease Leaked")
    @Description("A lease was garbage collected without having been ended")
    @StackTrace(false)
    static final class LeaseLeaked extends OfPool {
        @Label("Taken")
        @Description("By which thread and where the lease was taken, if the pool notes that")
        String taken;
    }

    @Name("io.leasehold.PoolExhausted")
    @Label("Pool Exhausted")
    @Description("A request got no connection: its time was up, or too many waited")
    static final class PoolExhausted extends OfPool {
        @Label("Description")
        @Description("What the pool looked like")
        String text;
    }
}
