package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.net.Socket;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.HttpResponse;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.entity.StringEntity;
import org.apache.http.message.BasicHttpEntityEnclosingRequest;
import org.apache.http.message.BasicHttpRequest;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is asked of a leased connection is asked of HttpClient's own. */
class LeasedConnectionTest {
    private static final int PATIENCE = 30_000;

    private final Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
            .register("https", new SSLConnectionSocketFactory(TestTls.context())).build();
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager(registry);
    private final ScriptedServer server = ScriptedServer.tls();

    LeasedConnectionTest() throws IOException {}

    @AfterEach
    void stop() throws IOException {
        manager.shutdown();
        server.close();
    }

    @Test
    void whatItSaysOfItselfIsWhatTheOtherSays() throws Exception {
        HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1", server.port(), "https"), null, true);
        ManagedHttpClientConnection leased = (ManagedHttpClientConnection) Loopback.leaseOpen(manager, route, null);
        ManagedHttpClientConnection[] own = new ManagedHttpClientConnection[1];
        manager.enumLeased(entry -> own[0] = entry.getConnection());
        assertNotNull(leased.getSSLSession());
        assertSame(own[0].getSSLSession(), leased.getSSLSession());
        assertSame(own[0].getSocket(), leased.getSocket());
        assertSame(own[0].getMetrics(), leased.getMetrics());
        assertEquals(own[0].getId(), leased.getId());
        assertEquals(own[0].getLocalAddress(), leased.getLocalAddress());
        assertEquals(own[0].getLocalPort(), leased.getLocalPort());
        assertEquals(own[0].getRemoteAddress(), leased.getRemoteAddress());
        assertEquals(server.port(), leased.getRemotePort());
        leased.setSocketTimeout(PATIENCE);
        assertEquals(PATIENCE, own[0].getSocketTimeout());
        assertEquals(PATIENCE, leased.getSocketTimeout());
    }

    @Test
    void itCanBeShutDownAndBoundToAnotherSocket() throws Exception {
        HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1", server.port(), "https"), null, true);
        ManagedHttpClientConnection leased = (ManagedHttpClientConnection) Loopback.leaseOpen(manager, route, null);
        Socket first = leased.getSocket();
        leased.shutdown();
        assertTrue(first.isClosed());
        assertFalse(leased.isOpen());
        leased.close();
        ManagedHttpClientConnection unopened = (ManagedHttpClientConnection) Loopback.lease(manager, route, null);
        try (Socket other = new Socket(ScriptedServer.loopback(), server.port())) {
            unopened.bind(other);
            assertSame(other, unopened.getSocket());
            assertTrue(unopened.isOpen());
        }
    }

    @Test
    void whatIsFlushedArrives() throws Exception {
        HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1", server.port(), "https"), null, true);
        HttpClientConnection leased = Loopback.leaseOpen(manager, route, null);
        leased.sendRequestHeader(new BasicHttpRequest("GET", "/ok"));
        leased.flush();
        assertTrue(leased.isResponseAvailable(PATIENCE));
    }

    @Test
    void aRequestGoesOutAndItsResponseComesIn() throws Exception {
        HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1", server.port(), "https"), null, true);
        HttpClientConnection leased = Loopback.leaseOpen(manager, route, null);
        leased.setSocketTimeout(PATIENCE);
        BasicHttpEntityEnclosingRequest request = new BasicHttpEntityEnclosingRequest("POST", "/ok");
        StringEntity entity = new StringEntity("entity");
        request.setEntity(entity);
        request.addHeader("Host", "a");
        request.addHeader("Content-Length", Long.toString(entity.getContentLength()));
        leased.sendRequestHeader(request);
        leased.sendRequestEntity(request);
        leased.flush();
        assertTrue(leased.isResponseAvailable(PATIENCE));
        HttpResponse response = leased.receiveResponseHeader();
        leased.receiveResponseEntity(response);
        assertEquals("c0 r1", EntityUtils.toString(response.getEntity()));
        assertFalse(leased.isResponseAvailable(1));
    }
}
