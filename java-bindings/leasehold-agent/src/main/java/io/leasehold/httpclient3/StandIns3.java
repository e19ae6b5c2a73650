package io.leasehold.httpclient3;

import io.leasehold.Watching;
import io.leasehold.agent.seam.Imposed;
import java.util.Map;
import java.util.function.Function;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;

/**
 * Makes the managers that stand in for stock's of HttpClient 3.1 where the agent has changed these. Connections name stock's as their
 * manager, so that they are released by way of what the application knows, and by its overrides.
 */
public final class StandIns3 implements Function<Object[], Object> {
    private final Imposed imposed;

    /**
     * With what is imposed on every manager.
     *
     * @param imposed by the agent's options' names
     */
    public StandIns3(Map<String, String> imposed) {
        this.imposed = new Imposed(imposed);
    }

    /**
     * Makes one.
     *
     * @param stock stock's manager, then its constructor's arguments
     * @return ours
     */
    @Override
    public Object apply(Object[] stock) {
        HttpConnectionManager named = (HttpConnectionManager) stock[0];
        if (named instanceof SimpleHttpConnectionManager) {
            LeaseholdHttpConnectionManager simple = new LeaseholdHttpConnectionManager(stock.length > 1 && (Boolean) stock[1], named);
            simple.setWatching(Watching.valueOf(imposed.watching("BOTH")));
            return simple;
        }
        LeaseholdMultiThreadedHttpConnectionManager ours = new LeaseholdMultiThreadedHttpConnectionManager(named);
        ours.setWatching(Watching.valueOf(imposed.watching("BOTH")));
        // They are parameters, which an application may set: so these are what holds until it does.
        HttpConnectionManagerParams params = ours.getParams();
        if (imposed.maxTotal(0) > 0) {
            params.setMaxTotalConnections(imposed.maxTotal(0));
        }
        if (imposed.maxPerRoute(0) > 0) {
            params.setDefaultMaxConnectionsPerHost(imposed.maxPerRoute(0));
        }
        return ours;
    }
}
