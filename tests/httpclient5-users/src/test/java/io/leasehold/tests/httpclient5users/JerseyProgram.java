package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.client.ClientBuilder;
import jakarta.ws.rs.client.Entity;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.glassfish.jersey.apache5.connector.Apache5ClientProperties;
import org.glassfish.jersey.apache5.connector.Apache5ConnectorProvider;
import org.glassfish.jersey.client.ClientConfig;

/** A client of Jersey with its connector for HttpClient 5. */
final class JerseyProgram implements Program {
    private final PoolingHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
    private final Client client = ClientBuilder.newClient(new ClientConfig()
            .connectorProvider(new Apache5ConnectorProvider())
            .property(Apache5ClientProperties.CONNECTION_MANAGER, manager));
    private final String url;

    JerseyProgram(String url) {
        this.url = url;
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return manager;
    }

    @Override
    public String post() {
        return client.target(url).request().post(Entity.text(""), String.class);
    }

    @Override
    public void close() {
        client.close();
    }
}
