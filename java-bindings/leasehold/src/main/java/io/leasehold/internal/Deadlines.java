package io.leasehold.internal;

import java.util.Comparator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;

/** The requests of all pools whose time will be up, those on a manual clock excepted, which the housekeeper looks at when that is moved. */
final class Deadlines {
    /** The earliest first. They lie within half the range of a nanosecond count, so their differences do not overflow. */
    private static final class ByEnd implements Comparator<HookedRequest> {
        @Override
        public int compare(HookedRequest one, HookedRequest other) {
            long later = one.end - other.end;
            return later != 0 ? Long.signum(later) : Long.compare(one.number, other.number);
        }
    }

    private static final ConcurrentSkipListSet<HookedRequest> ALL = new ConcurrentSkipListSet<>(new ByEnd());

    private Deadlines() {}

    /** Has the housekeeper, which is there, end a request when its time is up, unless it is removed before. */
    static void add(HookedRequest request) {
        ALL.add(request);
        if (first() == request) {
            Housekeeper.wake();
        }
    }

    static void remove(HookedRequest request) {
        ALL.remove(request);
    }

    private static HookedRequest first() {
        if (!ALL.isEmpty()) {
            for (HookedRequest first : ALL) {
                return first;
            }
        }
        return null;
    }

    /** How long it is to the next one, in milliseconds, and at most so long. */
    static int millisLeft(int most) {
        HookedRequest first = first();
        return first == null ? most : (int) Math.max(0, Math.min(most, TimeUnit.NANOSECONDS.toMillis(first.end - System.nanoTime()) + 1));
    }

    /** Ends those whose time is up. On the housekeeper's thread. */
    static void keep(long[] effects) {
        for (HookedRequest next = first(); next != null && next.end - System.nanoTime() <= 0; next = first()) {
            // If this fails, it is found when the housekeeper looks at all requests.
            ALL.remove(next);
            next.end(effects);
        }
    }
}
