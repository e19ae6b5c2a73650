package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import javax.net.ssl.SSLContext;
import org.apache.http.HttpHost;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TLS, to the server and through a proxy's tunnel, under both kinds of client. */
class SecureRoutesTest {
    private static LeaseholdHttpClientConnectionManager manager(SSLContext trust) {
        return new LeaseholdHttpClientConnectionManager(RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", new SSLConnectionSocketFactory(trust))
                .build());
    }

    @ParameterizedTest
    @EnumSource
    void aTlsConnectionServesManyRequests(Client.Kind kind) throws Exception {
        try (Nginx server = Nginx.builder().tls().start(); LeaseholdHttpClientConnectionManager manager = manager(server.trust())) {
            Client client = kind.on(manager);
            for (int i = 0; i < 5; i++) {
                assertEquals(WebServer.GREETING, client.send(i % 2 == 0 ? "GET" : "POST", server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTunnelServesManyRequests(Client.Kind kind) throws Exception {
        try (ScriptedServer proxy = ScriptedServer.plain(); LeaseholdHttpClientConnectionManager manager = manager(TestTls.context())) {
            Client client = kind.on(manager, http -> http.setProxy(new HttpHost("127.0.0.1", proxy.port())));
            for (int i = 0; i < 5; i++) {
                // The first request on the connection was the CONNECT.
                assertEquals("c0 r" + (i + 2), client.send(i % 2 == 0 ? "GET" : "POST", "https://localhost/ok"));
            }
            HttpRoute only = manager.getRoutes().iterator().next();
            assertTrue(only.isTunnelled() && only.isLayered() && only.isSecure(), only.toString());
        }
    }
}
