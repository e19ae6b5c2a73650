package io.leasehold.httpclient4;

import io.leasehold.Watching;
import io.leasehold.agent.seam.Imposed;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;

/** Makes the managers that stand in for stock's of HttpClient 4.5 where the agent has changed that. */
public final class StandIns4 implements Function<Object[], Object> {
    private final Imposed imposed;

    /**
     * With what is imposed on every manager.
     *
     * @param imposed by the agent's options' names
     */
    public StandIns4(Map<String, String> imposed) {
        this.imposed = new Imposed(imposed);
    }

    /**
     * Makes one.
     *
     * @param stock stock's manager, then its constructor's arguments
     * @return ours; null if it was made by another constructor than the public one that all others lead to
     */
    @Override
    @SuppressWarnings("unchecked") // The constructor's own type.
    public Object apply(Object[] stock) {
        if (stock.length != 5 || !(stock[1] instanceof HttpClientConnectionOperator)) {
            return null;
        }
        return new Imposing((HttpClientConnectionOperator) stock[1],
                (HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection>) stock[2], (Long) stock[3], (TimeUnit) stock[4]);
    }

    private final class Imposing extends LeaseholdHttpClientConnectionManager {
        Imposing(HttpClientConnectionOperator operator, HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> factory,
                long timeToLive, TimeUnit unit) {
            super(operator, factory, timeToLive, unit);
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
