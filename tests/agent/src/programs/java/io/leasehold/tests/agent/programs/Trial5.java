package io.leasehold.tests.agent.programs;

import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.client5.http.socket.ConnectionSocketFactory;
import org.apache.hc.client5.http.socket.PlainConnectionSocketFactory;
import org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory;
import org.apache.hc.core5.http.config.Registry;
import org.apache.hc.core5.http.config.RegistryBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/** HttpClient 5's classic manager, made in every way in which there is one. */
@SuppressWarnings("deprecation") // Programs call what there is.
public final class Trial5 {
    /** Overrides what it needs. */
    public static final class Sub extends PoolingHttpClientConnectionManager {
        int released;
        int closed;

        @Override
        public void release(ConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
            released++;
            super.release(endpoint, state, keepAlive);
        }

        @Override
        public void close(CloseMode mode) {
            closed++;
            super.close(mode);
        }
    }

    private Trial5() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", SSLConnectionSocketFactory.getSocketFactory())
                .build();
        Visits visits = new Visits(args[0]);
        visits.add(client(HttpClients.createDefault()));
        ManagedHttpClientConnectionFactory factory = ManagedHttpClientConnectionFactory.INSTANCE;
        PoolingHttpClientConnectionManager[] made = {
            new PoolingHttpClientConnectionManager(),
            new PoolingHttpClientConnectionManager(registry),
            new PoolingHttpClientConnectionManager(registry, factory),
            new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.STRICT, TimeValue.ofMinutes(1), factory),
            new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.STRICT, PoolReusePolicy.FIFO, TimeValue.ofMinutes(1)),
            new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.STRICT, PoolReusePolicy.LIFO, null, factory),
            new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.STRICT, PoolReusePolicy.LIFO, null, null, null, factory),
            PoolingHttpClientConnectionManagerBuilder.create().setMaxConnTotal(9).build(),
        };
        for (PoolingHttpClientConnectionManager each : made) {
            visits.add(client(each));
        }
        HttpClientConnectionManager reflected = PoolingHttpClientConnectionManager.class.getConstructor().newInstance();
        ((PoolingHttpClientConnectionManager) reflected).setMaxTotal(7);
        visits.add(client(reflected));
        Sub sub = new Sub();
        CloseableHttpClient ofSub = HttpClients.custom().disableAutomaticRetries().setConnectionManager(sub).build();
        visits.add(client(ofSub));
        if (args.length > 1) {
            visits.add(client(new PoolingHttpClientConnectionManager(registry, PoolConcurrencyPolicy.LAX, null, factory)));
        }
        visits.run();
        Visits.say("releasedBySub", sub.released);
        Visits.say("max", ((PoolingHttpClientConnectionManager) reflected).getMaxTotal());
        Visits.say("available", ((PoolingHttpClientConnectionManager) reflected).getTotalStats().getAvailable());
        // Closing calls what the subclass overrides.
        sub.close();
        Visits.say("closedBySub", sub.closed);
    }

    static Visits.Client client(HttpClientConnectionManager manager) {
        return client(HttpClients.custom().disableAutomaticRetries().setConnectionManager(manager).build());
    }

    private static Visits.Client client(CloseableHttpClient client) {
        return url -> {
            try (CloseableHttpResponse response = client.execute(new HttpGet(url))) {
                return EntityUtils.toString(response.getEntity());
            }
        };
    }
}
