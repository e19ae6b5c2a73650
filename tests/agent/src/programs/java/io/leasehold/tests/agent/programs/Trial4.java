package io.leasehold.tests.agent.programs;

import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.impl.conn.SystemDefaultDnsResolver;
import org.apache.http.util.EntityUtils;

/** HttpClient 4.5's manager, made in every way in which there is one. */
public final class Trial4 {
    /** Overrides what it needs. */
    public static final class Sub extends PoolingHttpClientConnectionManager {
        int released;
        int shutDown;

        @Override
        public void releaseConnection(HttpClientConnection connection, Object state, long keepAlive, TimeUnit unit) {
            released++;
            super.releaseConnection(connection, state, keepAlive, unit);
        }

        @Override
        public void shutdown() {
            shutDown++;
            super.shutdown();
        }
    }

    private Trial4() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", SSLConnectionSocketFactory.getSocketFactory())
                .build();
        Visits visits = new Visits(args[0]);
        visits.add(client(HttpClients.createDefault()));
        visits.add(client(HttpClients.custom().disableAutomaticRetries().setMaxConnTotal(3).build()));
        ManagedHttpClientConnectionFactory factory = ManagedHttpClientConnectionFactory.INSTANCE;
        SystemDefaultDnsResolver names = SystemDefaultDnsResolver.INSTANCE;
        PoolingHttpClientConnectionManager[] made = {
            new PoolingHttpClientConnectionManager(),
            new PoolingHttpClientConnectionManager(1, TimeUnit.MINUTES),
            new PoolingHttpClientConnectionManager(registry),
            new PoolingHttpClientConnectionManager(registry, names),
            new PoolingHttpClientConnectionManager(registry, factory),
            new PoolingHttpClientConnectionManager(factory),
            new PoolingHttpClientConnectionManager(registry, factory, names),
            new PoolingHttpClientConnectionManager(registry, factory, null, names, 1, TimeUnit.MINUTES),
            new PoolingHttpClientConnectionManager(
                    new DefaultHttpClientConnectionOperator(registry, null, null), factory, 1, TimeUnit.MINUTES),
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
        visits.run();
        ofSub.close();
        Visits.say("releasedBySub", sub.released);
        Visits.say("max", ((PoolingHttpClientConnectionManager) reflected).getMaxTotal());
        Visits.say("available", ((PoolingHttpClientConnectionManager) reflected).getTotalStats().getAvailable());
        // Closing calls what the subclass overrides.
        sub.close();
        Visits.say("shutDownBySub", sub.shutDown);
    }

    static Visits.Client client(HttpClientConnectionManager manager) {
        return client(HttpClients.custom().disableAutomaticRetries().setConnectionManager(manager).build());
    }

    private static Visits.Client client(CloseableHttpClient client) {
        return url -> EntityUtils.toString(client.execute(new HttpGet(url)).getEntity());
    }
}
