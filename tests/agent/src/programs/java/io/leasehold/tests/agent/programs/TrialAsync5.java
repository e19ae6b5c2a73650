package io.leasehold.tests.agent.programs;

import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.util.TimeValue;

/** HttpClient 5's asynchronous manager. */
@SuppressWarnings("deprecation") // Programs call what there is.
public final class TrialAsync5 {
    /** Overrides what it needs. */
    public static final class Sub extends PoolingAsyncClientConnectionManager {
        volatile int released;

        @Override
        public synchronized void release(AsyncConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
            released++;
            super.release(endpoint, state, keepAlive);
        }
    }

    private TrialAsync5() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        Visits visits = new Visits(args[0]);
        Sub sub = new Sub();
        PoolingAsyncClientConnectionManager built = PoolingAsyncClientConnectionManagerBuilder.create().setMaxConnTotal(7).build();
        CloseableHttpAsyncClient[] clients = {
            HttpAsyncClients.createDefault(),
            HttpAsyncClients.custom().disableAutomaticRetries().setConnectionManager(new PoolingAsyncClientConnectionManager()).build(),
            HttpAsyncClients.custom().disableAutomaticRetries().setConnectionManager(built).build(),
            HttpAsyncClients.custom().disableAutomaticRetries().setConnectionManager(sub).build(),
        };
        for (CloseableHttpAsyncClient each : clients) {
            each.start();
            visits.add(url -> each.execute(new SimpleHttpRequest(Method.GET, java.net.URI.create(url)), null).get().getBodyText());
        }
        visits.run();
        // An endpoint is released when its caller has the answer already.
        while (sub.released < 4) {
            Thread.sleep(2);
        }
        Visits.say("releasedBySub", sub.released);
        Visits.say("max", built.getMaxTotal());
        for (CloseableHttpAsyncClient each : clients) {
            each.close();
        }
    }
}
