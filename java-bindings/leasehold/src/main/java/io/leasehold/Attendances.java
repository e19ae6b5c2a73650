package io.leasehold;

import io.leasehold.internal.housekeeping.Attendance;
import io.leasehold.internal.housekeeping.Housekeeper;
import io.leasehold.internal.log.Log;
import java.util.ArrayList;
import java.util.List;

/**
 * What is undone when a pool has ended: was shut down, or collected.
 *
 * <p>Who begins something looks afterwards whether the pool has ended meanwhile, inside this object's monitor, and undoes it himself then;
 * otherwise the end finds it. So it is undone by one of the two. Beans are registered and things undone outside the monitor, as that calls
 * others' code.
 */
final class Attendances {
    // ----- guarded by this object's monitor -----
    // Null for none, as most pools have none.
    private List<Attendance> all;
    private PoolBean.Registered bean;
    private Attendance ofBean;
    private boolean isOver;

    Attendances() {}

    private static Attendance attend(Operated<?> pool, Runnable undo, boolean isToStay) {
        Leasehold.requireAvailable();
        return Housekeeper.attend(pool, undo, isToStay, PoolChores.USES);
    }

    /** Has something undone when the pool has ended, now if it has. */
    void add(Operated<?> pool, Runnable undo) {
        boolean isTaken = false;
        Attendance made = attend(pool, undo, false);
        synchronized (this) {
            if (!isOver) {
                all = all == null ? new ArrayList<>() : all;
                all.add(made);
                isTaken = true;
            }
        }
        if (!isTaken) {
            made.end();
        }
    }

    /** Registers the pool's bean, unless it is. Its name among beans; null if the pool has ended. */
    String register(Operated<?> pool) {
        synchronized (this) {
            if (isOver || bean != null) {
                return isOver ? null : bean.name();
            }
        }
        PoolBean.Registered made = bean(pool);
        Attendance attendance = null;
        try {
            // Otherwise the bean of a pool that was collected might stay for ever.
            attendance = attend(pool, made::end, true);
        } finally {
            if (attendance == null) {
                made.end();
            }
        }
        boolean isTaken = false;
        String name = null;
        synchronized (this) {
            if (!isOver && bean == null) {
                bean = made;
                ofBean = attendance;
                isTaken = true;
            }
            name = bean == null ? null : bean.name();
        }
        if (!isTaken) {
            attendance.end();
        }
        return name;
    }

    private static PoolBean.Registered bean(Operated<?> pool) {
        try {
            return PoolBean.register(pool);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(pool.name() + " cannot be registered as a bean: this JVM is without the module java.management;"
                    + " start it with --add-modules java.management, or put the module into its image", e);
        }
    }

    /** As above, for who makes a pool: what fails is logged. */
    void registerIfPossible(Operated<?> pool) {
        try {
            register(pool);
        } catch (RuntimeException | LinkageError e) {
            Log.warn(pool.name() + " could not be registered as a bean", e);
        }
    }

    /** Takes the pool's bean out; false if it was not registered. */
    boolean unregister() {
        Attendance ending;
        synchronized (this) {
            ending = ofBean;
            bean = null;
            ofBean = null;
        }
        if (ending != null) {
            ending.end();
        }
        return ending != null;
    }

    /** The pool was shut down. */
    void end() {
        List<Attendance> ending;
        synchronized (this) {
            isOver = true;
            ending = all;
            all = null;
        }
        unregister();
        if (ending != null) {
            for (Attendance each : ending) {
                each.end();
            }
        }
    }
}
