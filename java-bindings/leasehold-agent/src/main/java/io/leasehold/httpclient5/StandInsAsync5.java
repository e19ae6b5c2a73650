package io.leasehold.httpclient5;

import io.leasehold.Watching;
import io.leasehold.agent.seam.Imposed;
import java.util.Map;
import java.util.function.Function;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/** As {@link StandIns5}, for the asynchronous managers: apart, so that a program which has one of the two kinds loads no other. */
public final class StandInsAsync5 implements Function<Object[], Object> {
    private final Imposed imposed;

    /**
     * With what is imposed on every manager.
     *
     * @param imposed by the agent's options' names
     */
    public StandInsAsync5(Map<String, String> imposed) {
        this.imposed = new Imposed(imposed);
    }

    /**
     * Makes one.
     *
     * @param stock stock's manager, then its constructor's arguments
     * @return ours; null if it was made by another constructor than that which all others of its kind lead to, or is to stay as it is
     */
    @Override
    public Object apply(Object[] stock) {
        if (stock.length < 5 || stock[2] != null && !(stock[2] instanceof PoolConcurrencyPolicy) || stock[2] == PoolConcurrencyPolicy.LAX) {
            return null;
        }
        boolean isSharing = stock.length >= 6 && (Boolean) stock[5];
        return new ImposingAsync(new AsyncParts((AsyncClientConnectionOperator) stock[1], (PoolReusePolicy) stock[3], (TimeValue) stock[4],
                isSharing));
    }

    private final class ImposingAsync extends LeaseholdAsyncClientConnectionManager {
        ImposingAsync(AsyncParts parts) {
            super(parts);
            setWatching(Watching.valueOf(imposed.watching("BOTH")));
            setMaxTotal(getMaxTotal());
            setDefaultMaxPerRoute(getDefaultMaxPerRoute());
        }

        @Override
        public void setMaxTotal(int max) {
            super.setMaxTotal(imposed.maxTotal(max));
        }

        @Override
        public void setDefaultMaxPerRoute(int max) {
            super.setDefaultMaxPerRoute(imposed.maxPerRoute(max));
        }
    }
}
