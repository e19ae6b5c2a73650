package io.leasehold;

import java.util.concurrent.TimeUnit;

/**
 * How long something took, how often: counts of times by their length, their sum, and the longest. Immutable; numbers of later ones are
 * never less.
 *
 * <p>There are 240 ranges, from the shortest times to the longest: 16 of a microsecond each, then 8 to each power of two, and what took
 * longer than 71 minutes is in the last. So what is read of a time is at most an eighth too long. The {@linkplain #sum sum} and the
 * {@linkplain #max longest} are exact, as far as the times are.
 */
public final class Histogram {
    /** How many ranges there are. The last has no end. */
    public static final int RANGES = 240;

    // In the order in which the native library hands them over, in microseconds.
    private static final int SUM = 0;
    private static final int MAX = 1;
    private static final int FIRST = 2;
    static final int COUNT = FIRST + RANGES;

    // Into 2 to the power of how many parts each power of two is divided, as in the native library.
    private static final int PRECISION = 3;

    private final long[] numbers;

    Histogram(long[] numbers) {
        this.numbers = numbers;
    }

    /**
     * How many times there are. Takes time in proportion to the ranges.
     *
     * @return how many
     */
    public long count() {
        long count = 0;
        for (int range = 0; range < RANGES; range++) {
            count += count(range);
        }
        return count;
    }

    /**
     * How many times are in a range.
     *
     * @param range its number, from 0 for the shortest times to {@link #RANGES} - 1 for the longest
     * @return how many
     * @throws IndexOutOfBoundsException if there is no such range
     */
    public long count(int range) {
        return numbers[FIRST + checked(range)];
    }

    /**
     * The longest time that a range has.
     *
     * @param range its number
     * @param unit the unit of the result, which is rounded down
     * @return the longest; {@link Long#MAX_VALUE} for the last range
     * @throws IndexOutOfBoundsException if there is no such range
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public static long endOfRange(int range, TimeUnit unit) {
        Arguments.unit(unit);
        long end = end(checked(range));
        return end == Long.MAX_VALUE ? end : unit.convert(end, TimeUnit.MICROSECONDS);
    }

    /**
     * How long all were together.
     *
     * @param unit the unit of the result, which is rounded down
     * @return the sum
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public long sum(TimeUnit unit) {
        return Arguments.unit(unit).convert(numbers[SUM], TimeUnit.MICROSECONDS);
    }

    /**
     * The longest of all.
     *
     * @param unit the unit of the result, which is rounded down
     * @return the longest; 0 if there is none
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public long max(TimeUnit unit) {
        return Arguments.unit(unit).convert(numbers[MAX], TimeUnit.MICROSECONDS);
    }

    /**
     * How long at most the shortest {@code quantile} of all were: with 0.5 the median, with 0.99 what one in a hundred exceeds. At most an
     * eighth more than it was, never less, and never more than the {@linkplain #max longest}. Takes time in proportion to the ranges.
     *
     * @param quantile which part of all; what is no number from 0 to 1 means the next that is, NaN 0
     * @param unit the unit of the result, which is rounded down
     * @return the time; 0 if there is none
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public long quantile(double quantile, TimeUnit unit) {
        return Arguments.unit(unit).convert(quantile(quantile), TimeUnit.MICROSECONDS);
    }

    private long quantile(double quantile) {
        long wanted = (long) Math.ceil(Math.min(Math.max(quantile, 0), 1) * count());
        long seen = 0;
        for (int range = 0; range < RANGES; range++) {
            long count = numbers[FIRST + range];
            seen += count;
            if (count > 0 && seen >= wanted) {
                return Math.min(end(range), numbers[MAX]);
            }
        }
        // There is none.
        return 0;
    }

    private static int checked(int range) {
        if (range < 0 || range >= RANGES) {
            throw new IndexOutOfBoundsException("there are ranges 0 to " + (RANGES - 1) + ", and no " + range);
        }
        return range;
    }

    private static long end(int range) {
        if (range == RANGES - 1) {
            return Long.MAX_VALUE;
        }
        long next = range + 1L;
        int shift = (int) Math.max((next >> PRECISION) - 1, 0);
        return (next - ((long) shift << PRECISION) << shift) - 1;
    }

    @Override
    public String toString() {
        return "[count: " + count()
                + "; sum: " + numbers[SUM]
                + " us; median: " + quantile(0.5)
                + " us; 99 %: " + quantile(0.99)
                + " us; max: " + numbers[MAX] + " us]";
    }
}
