package io.leasehold.httpclient5;

import io.leasehold.Watching;
import io.leasehold.agent.seam.Imposed;
import java.util.Map;
import java.util.function.Function;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/**
 * Makes the managers that stand in for stock's of HttpClient 5 where the agent has changed these. One with a pool without a limit in total
 * stays as it is, as it might come to wait here; so does one with a pool of the application's.
 */
public final class StandIns5 implements Function<Object[], Object> {
    private final Imposed imposed;

    /**
     * With what is imposed on every manager.
     *
     * @param imposed by the agent's options' names
     */
    public StandIns5(Map<String, String> imposed) {
        this.imposed = new Imposed(imposed);
    }

    /**
     * Makes one.
     *
     * @param stock stock's manager, then its constructor's arguments
     * @return ours; null if it was made by another constructor than that which all others of its kind lead to, or is to stay as it is
     */
    @Override
    @SuppressWarnings("unchecked") // The constructor's own type.
    public Object apply(Object[] stock) {
        boolean isKnown = stock.length >= 5 && (stock[2] == null || stock[2] instanceof PoolConcurrencyPolicy)
                && stock[2] != PoolConcurrencyPolicy.LAX;
        if (!isKnown) {
            return null;
        }
        PoolReusePolicy policy = (PoolReusePolicy) stock[3];
        TimeValue timeToLive = (TimeValue) stock[4];
        if (stock[1] instanceof HttpClientConnectionOperator && stock.length >= 6) {
            return new ImposingClassic(new ManagerParts((HttpClientConnectionOperator) stock[1],
                    (HttpConnectionFactory<ManagedHttpClientConnection>) stock[5], policy, timeToLive));
        }
        if (stock[1] instanceof AsyncClientConnectionOperator) {
            boolean isSharing = stock.length >= 6 && (Boolean) stock[5];
            return new ImposingAsync(new AsyncParts((AsyncClientConnectionOperator) stock[1], policy, timeToLive, isSharing));
        }
        return null;
    }

    private final class ImposingClassic extends LeaseholdHttpClientConnectionManager {
        ImposingClassic(ManagerParts parts) {
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
