package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.apache.http.HttpHost;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.HttpHostConnectException;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.Test;

/** HttpClient's own client on top of the manager: each kind of route, and how its requests end. */
class WholeRequestsTest {
    private final Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
            .register("http", PlainConnectionSocketFactory.getSocketFactory())
            .register("https", new SSLConnectionSocketFactory(TestTls.context()))
            .build();
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager(registry);

    @Test
    void aPlainConnectionIsReused() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain(); CloseableHttpClient client = client(null)) {
            HttpHost target = new HttpHost("127.0.0.1", server.port());
            assertEquals("c0 r1", get(client, target, "/ok"));
            assertEquals("c0 r2", get(client, target, "/ok"));
            assertEquals("c0 r3", get(client, target, "/close"));
            assertEquals("c1 r1", get(client, target, "/ok"));
        }
    }

    @Test
    void aTlsConnectionIsReused() throws Exception {
        try (ScriptedServer server = ScriptedServer.tls(); CloseableHttpClient client = client(null)) {
            HttpHost target = new HttpHost("127.0.0.1", server.port(), "https");
            assertEquals("c0 r1", get(client, target, "/ok"));
            assertEquals("c0 r2", get(client, target, "/ok"));
        }
    }

    @Test
    void aConnectionThroughAProxyIsReused() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain()) {
            HttpHost proxy = new HttpHost("127.0.0.1", server.port());
            try (CloseableHttpClient client = client(proxy)) {
                HttpHost target = new HttpHost("localhost", 80);
                assertEquals("c0 r1", get(client, target, "/ok"));
                assertEquals("c0 r2", get(client, target, "/ok"));
                assertEquals(1, manager.getStats(new HttpRoute(target, null, proxy, false)).getAvailable());
            }
        }
    }

    @Test
    void aTunnelIsReused() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain()) {
            try (CloseableHttpClient client = client(new HttpHost("127.0.0.1", server.port()))) {
                HttpHost target = new HttpHost("localhost", 443, "https");
                // The first request on the connection is the CONNECT.
                assertEquals("c0 r2", get(client, target, "/ok"));
                assertEquals("c0 r3", get(client, target, "/ok"));
                HttpRoute only = manager.getRoutes().iterator().next();
                assertTrue(only.isTunnelled() && only.isLayered() && only.isSecure(), only.toString());
            }
        }
    }

    @Test
    void aRequestWithTheStaleCheckOnFindsAConnectionThatWasClosed() throws Exception {
        manager.setValidateAfterInactivity(0);
        try (ScriptedServer server = ScriptedServer.plain(); CloseableHttpClient client = client(null)) {
            HttpHost target = new HttpHost("127.0.0.1", server.port());
            assertEquals("c0 r1", get(client, target, "/drop"));
            server.peer(0).awaitEnd();
            assertEquals("c1 r1", get(client, target, "/ok"));
        }
    }

    @Test
    void anUnreachableTargetTakesNoPlace() throws Exception {
        // Bound and not listening: nobody else can listen there meanwhile.
        try (Socket deaf = new Socket(); CloseableHttpClient client = client(null)) {
            deaf.bind(new InetSocketAddress("127.0.0.1", 0));
            HttpHost target = new HttpHost("127.0.0.1", deaf.getLocalPort());
            assertThrows(HttpHostConnectException.class, () -> get(client, target, "/ok"));
            assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
        }
    }

    @Test
    void anAbortedRequestTakesNoPlace() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain(); CloseableHttpClient client = client(null)) {
            HttpGet get = new HttpGet("http://127.0.0.1:" + server.port() + "/big");
            CloseableHttpResponse response = client.execute(get);
            assertEquals(1, manager.getTotalStats().getLeased());
            get.abort();
            response.close();
            assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
        }
    }

    @SuppressWarnings("deprecation") // The stale check is, and is still used.
    private CloseableHttpClient client(HttpHost proxy) {
        return HttpClients.custom()
                .setConnectionManager(manager)
                .setProxy(proxy)
                .setDefaultRequestConfig(RequestConfig.custom().setStaleConnectionCheckEnabled(true).build())
                .build();
    }

    private static String get(CloseableHttpClient client, HttpHost target, String path) throws IOException {
        try (CloseableHttpResponse response = client.execute(target, new HttpGet(path))) {
            return EntityUtils.toString(response.getEntity());
        }
    }
}
