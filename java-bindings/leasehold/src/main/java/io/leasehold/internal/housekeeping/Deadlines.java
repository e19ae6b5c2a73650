package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.Effects;
import java.util.Comparator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;

/** The requests of all pools whose time will be up, those on a manual clock excepted, which the housekeeper looks at when that is moved. */
public final class Deadlines {
    /** What has an end. */
    public interface Due {
        /**
         * When its time is up.
         *
         * @return by {@link System#nanoTime}, always the same
         */
        long end();

        /**
         * Which of those with the same end comes first.
         *
         * @return a number that is no other's
         */
        long number();

        /**
         * Its time is up. On the housekeeper's thread.
         *
         * @param effects for what calls on an engine bring about
         */
        void isUp(Effects effects);
    }

    /** The earliest first. They lie within half the range of a nanosecond count, so their differences do not overflow. */
    private static final class ByEnd implements Comparator<Due> {
        @Override
        public int compare(Due one, Due other) {
            long later = one.end() - other.end();
            return later != 0 ? Long.signum(later) : Long.compare(one.number(), other.number());
        }
    }

    private static final ConcurrentSkipListSet<Due> ALL = new ConcurrentSkipListSet<>(new ByEnd());

    private Deadlines() {}

    /**
     * Has the housekeeper, which is there, end a request when its time is up, unless it is removed before.
     *
     * @param request the request
     */
    public static void add(Due request) {
        ALL.add(request);
        if (first() == request) {
            HousekeeperThread.wake();
        }
    }

    /**
     * A request has ended.
     *
     * @param request the request, which may have been removed before
     */
    public static void remove(Due request) {
        ALL.remove(request);
    }

    private static Due first() {
        if (!ALL.isEmpty()) {
            for (Due first : ALL) {
                return first;
            }
        }
        return null;
    }

    /**
     * How long it is to the next one.
     *
     * @param most milliseconds
     * @return milliseconds, at most so many
     */
    public static int millisLeft(int most) {
        Due first = first();
        return first == null ? most : (int) Math.max(0, Math.min(most, TimeUnit.NANOSECONDS.toMillis(first.end() - System.nanoTime()) + 1));
    }

    /**
     * Ends those whose time is up. On the housekeeper's thread.
     *
     * @param effects for what calls on an engine bring about
     */
    public static void keep(Effects effects) {
        for (Due next = first(); next != null && next.end() - System.nanoTime() <= 0; next = first()) {
            // If this fails, it is found when the housekeeper looks at all requests.
            ALL.remove(next);
            next.isUp(effects);
        }
    }
}
