package io.leasehold.internal.housekeeping;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Something that was done for an object and is undone when that has gone, as its bean is unregistered: by a call of {@link #end}, or when
 * the object was collected, whichever comes first, and once. What was done may lead to this, as it must not to the object.
 *
 * <p>The housekeeper hears of the collection. It stays for as long as there are any for which it is to stay; of the others it may hear only
 * when it is there for something else. It undoes nothing itself, as that calls others' code; a disposer's thread does.
 */
public final class Attendance extends CollectedWeak<Object> {
    // Keeps them reachable, so that the collector enqueues them.
    private static final Set<Attendance> ALL = ConcurrentHashMap.newKeySet();

    private final Runnable undo;
    private final boolean isToStay;
    // ----- set by who ends it first, or by who failed to make it known -----
    // Not read off the set, which it may be in though adding it has failed: then the housekeeper would be needed once less than it is.
    private final AtomicBoolean isOver = new AtomicBoolean();

    private Attendance(Object attended, Runnable undo, boolean isToStay) {
        super(attended);
        this.isToStay = isToStay;
        this.undo = undo;
    }

    /** See {@link Housekeeper#attend}. */
    static Attendance of(Object attended, Runnable undo, boolean isToStay) {
        return of(attended, undo, isToStay, ALL);
    }

    /** As above, kept in that set. */
    static Attendance of(Object attended, Runnable undo, boolean isToStay, Set<Attendance> all) {
        Attendance made = new Attendance(attended, undo, isToStay);
        if (isToStay) {
            HousekeeperThread.need();
        }
        boolean isKnown = false;
        try {
            all.add(made);
            isKnown = true;
        } finally {
            if (!isKnown) {
                made.leave();
            }
        }
        return made;
    }

    /** It is over: true for one of those who say so. */
    private boolean leave() {
        if (!isOver.compareAndSet(false, true)) {
            return false;
        }
        if (isToStay) {
            HousekeeperThread.needNoMore();
        }
        ALL.remove(this);
        return true;
    }

    /** Undoes what was done, unless it was undone. What fails of that is logged. */
    public void end() {
        if (leave()) {
            try {
                undo.run();
            } catch (Throwable e) {
                Log.warn(Texts.UNDO_FAILED, e);
            }
        }
    }

    @Override
    public void collected(Effects effects) {
        if (!isOver.get()) {
            Closings.add(new Ending(this));
        }
    }

    /** One that is to end. */
    static final class Ending extends Closings.Task {
        private final Attendance ending;

        Ending(Attendance ending) {
            this.ending = ending;
        }

        @Override
        protected void run() {
            ending.end();
        }
    }
}
