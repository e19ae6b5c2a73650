package io.leasehold;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What the methods of the API are given: what they refuse they refuse in the same words, and times of any length are times. */
final class Arguments {
    private Arguments() {}

    /** What is not null, or an {@link IllegalArgumentException} that says what to do. */
    static <T> T given(T value, String name, String advice) {
        if (value == null) {
            throw new IllegalArgumentException(name + " must not be null: " + advice);
        }
        return value;
    }

    static <T> T route(T route) {
        return given(route, "route", "say where the connection goes to");
    }

    static TimeUnit unit(TimeUnit unit) {
        return given(unit, "unit", "say what the number counts");
    }

    /** What is longer than the longest that a number can say is as long as that, which is without end. */
    static long nanos(Duration duration) {
        given(duration, "duration", "Duration.ofNanos(Long.MAX_VALUE) is without end");
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    /** Milliseconds, rounded up, of a time that is none unless it is positive. */
    static long positiveMillis(String name, long time, TimeUnit unit) {
        unit(unit);
        if (time <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + time + " (leave it out for no end)");
        }
        return Math.max(1, unit.toMillis(time));
    }
}
