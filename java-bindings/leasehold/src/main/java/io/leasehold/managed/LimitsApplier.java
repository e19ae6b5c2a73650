package io.leasehold.managed;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Has a pool keep to limits that an application keeps elsewhere and may change at any time, without a word to anybody. Whoever leases
 * looks at them first, and the pool is told of what has changed since.
 *
 * <p><b>Why the last word is the right one.</b> Threads that lease at once may each see other limits, and tell the pool in any order. Each
 * tells the pool first, then notes here what it has told, and then looks at the limits again: if they are not what it has told, it tells
 * them anew. The one whose note is the last looks last, so what it has noted is what the limits say. There is no lock, because telling a
 * pool of a lower limit closes what is too much, and that may take its time. If telling fails halfway, nobody knows what the pool keeps
 * to, and whoever comes next tells it anew.
 *
 * @param <S> what the limits say at one moment: immutable, compared by identity
 */
public final class LimitsApplier<S> {
    private final S unknown;
    // What the pool was told. Written by whoever has told it.
    private volatile S told;

    /**
     * An applier for a pool that keeps to certain limits already.
     *
     * @param told what these are
     * @param unknown what never is what the limits say
     */
    public LimitsApplier(S told, S unknown) {
        this.told = told;
        this.unknown = unknown;
    }

    /**
     * What the pool was told last. As long as that is what the limits say, of the pool and of the route in question, nothing is to be done.
     *
     * @return what it was, or that it is unknown
     */
    public S told() {
        return told;
    }

    /**
     * Tells the pool what the limits say now.
     *
     * @param asOfNow what they say now: what it is given, if that is still it
     * @param tellPool tells the limits of the whole pool
     * @param tellRoute tells the limit of the route that somebody leases of, and notes it there
     */
    public void apply(UnaryOperator<S> asOfNow, Consumer<? super S> tellPool, Consumer<? super S> tellRoute) {
        S now;
        do {
            S known = told;
            now = asOfNow.apply(known);
            boolean isTold = false;
            try {
                if (now != known) {
                    tellPool.accept(now);
                    told = now;
                }
                tellRoute.accept(now);
                isTold = true;
            } finally {
                if (!isTold) {
                    told = unknown;
                }
            }
            // Another thread may have told of newer ones meanwhile, over which these went then.
        } while (asOfNow.apply(told) != now);
    }
}
