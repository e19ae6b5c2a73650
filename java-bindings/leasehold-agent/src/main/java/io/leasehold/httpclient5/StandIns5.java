package io.leasehold.httpclient5;

import io.leasehold.Watching;
import io.leasehold.agent.seam.Imposed;
import java.util.Map;
import java.util.function.Function;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/**
 * Makes the managers that stand in for stock's classic ones of HttpClient 5 where the agent has changed these. One with a pool without a
 * limit in total stays as it is, as it might come to wait here; so does one with a pool of the application's, but for that of AWS's SDK.
 */
public final class StandIns5 implements Function<Object[], Object> {
    /** That of AWS's SDK: stock's STRICT pool, LIFO and without a time to live, with a mend of what an interrupt loses, which ours has. */
    private static final String AWS_POOL = "software.amazon.awssdk.http.apache5.internal.conn.SafeStrictConnPool";

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
        if (stock.length == 4 && stock[2].getClass().getName().equals(AWS_POOL)) {
            ManagedConnPool<?, ?> pool = (ManagedConnPool<?, ?>) stock[2];
            LeaseholdHttpClientConnectionManager ours = new ImposingClassic(new ManagerParts((HttpClientConnectionOperator) stock[1],
                    (HttpConnectionFactory<ManagedHttpClientConnection>) stock[3], PoolReusePolicy.LIFO, null));
            ours.setMaxTotal(pool.getMaxTotal());
            ours.setDefaultMaxPerRoute(pool.getDefaultMaxPerRoute());
            return ours;
        }
        if (stock.length < 6 || stock[2] != null && !(stock[2] instanceof PoolConcurrencyPolicy) || stock[2] == PoolConcurrencyPolicy.LAX) {
            return null;
        }
        return new ImposingClassic(new ManagerParts((HttpClientConnectionOperator) stock[1],
                (HttpConnectionFactory<ManagedHttpClientConnection>) stock[5], (PoolReusePolicy) stock[3], (TimeValue) stock[4]));
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
}
