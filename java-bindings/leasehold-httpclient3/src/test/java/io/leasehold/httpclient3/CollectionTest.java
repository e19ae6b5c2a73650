package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethod;
import org.apache.commons.httpclient.HttpMethodRetryHandler;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Managers that nobody refers to go, with their sockets: many 3.1 programs make one for each request and never shut it down. */
class CollectionTest {
    private ScriptedServer server;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.plain();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @ParameterizedTest(name = "multi-threaded: {0}")
    @ValueSource(booleans = {false, true})
    void aManagerGoesWithItsIdleConnections(boolean multi) throws Exception {
        awaitGone(use(multi, false, true));
    }

    @ParameterizedTest(name = "multi-threaded: {0}")
    @ValueSource(booleans = {false, true})
    void aManagerGoesWithAConnectionThatWasNeverReleased(boolean multi) throws Exception {
        awaitGone(use(multi, false, false));
    }

    /** Parameters and socket factories are the application's, and an idle connection knows both. */
    @ParameterizedTest(name = "multi-threaded: {0}")
    @ValueSource(booleans = {false, true})
    void aManagerGoesThoughItsConnectionsLeadBackToIt(boolean multi) throws Exception {
        awaitGone(use(multi, true, true));
    }

    @ParameterizedTest(name = "multi-threaded: {0}")
    @ValueSource(booleans = {false, true})
    void aManagerStaysWhileSomebodyHoldsItsConnection(boolean multi) throws Exception {
        HttpConnection[] held = new HttpConnection[1];
        WeakReference<HttpConnectionManager> manager = lease(multi, held);
        for (int i = 0; i < 5; i++) {
            System.gc();
        }
        assertEquals(true, held[0].isOpen());
        held[0].releaseConnection();
        held[0] = null;
        awaitGone(manager);
    }

    private WeakReference<HttpConnectionManager> lease(boolean multi, HttpConnection[] held) throws IOException {
        HttpConnectionManager manager = manager(multi);
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", server.port(), "http");
        held[0] = manager.getConnection(configuration);
        held[0].open();
        return new WeakReference<>(manager);
    }

    private WeakReference<HttpConnectionManager> use(boolean multi, boolean tied, boolean release) throws IOException {
        HttpClient client = new HttpClient(manager(multi));
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", server.port(), "http");
        if (tied) {
            Tie tie = new Tie(client);
            configuration.setHost("127.0.0.1", server.port(), new Protocol("http", tie, 80));
            client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, tie);
        }
        client.setHostConfiguration(configuration);
        GetMethod get = new GetMethod("/big");
        assertEquals(200, client.executeMethod(get));
        if (release) {
            get.releaseConnection();
        }
        return new WeakReference<>(client.getHttpConnectionManager());
    }

    private static HttpConnectionManager manager(boolean multi) {
        return multi ? new LeaseholdMultiThreadedHttpConnectionManager() : new LeaseholdHttpConnectionManager();
    }

    private void awaitGone(WeakReference<HttpConnectionManager> manager) throws Exception {
        Eventually.awaitAfterCollection("the manager to go", () -> manager.get() == null);
        Eventually.awaitAfterCollection("its socket to be closed", () -> server.peer(0).hasEnded());
    }

    /** What an application hangs into HttpClient, and what leads back to the application. */
    private static final class Tie implements SimpleSocketFactory, HttpMethodRetryHandler {
        private final HttpClient client;

        Tie(HttpClient client) {
            this.client = client;
        }

        @Override
        public boolean retryMethod(HttpMethod method, IOException exception, int count) {
            return client == null;
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new Socket(host, port);
        }
    }
}
