package io.leasehold.httpclient5;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.reactor.IOReactorConfig;

/** How requests reach a scripted server. */
enum Way {
    PLAIN,
    TLS,
    PROXIED,
    TUNNELLED;

    ScriptedServer server() throws IOException {
        return this == TLS ? ScriptedServer.tls() : ScriptedServer.plain();
    }

    /** A builder of managers that trust the server. */
    @SuppressWarnings("deprecation") // What all versions have.
    static LeaseholdHttpClientConnectionManagerBuilder manager() {
        return LeaseholdHttpClientConnectionManagerBuilder.create().setSSLSocketFactory(
                new org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory(TestTls.context()));
    }

    /** A client that goes this way, never retries and leaves the manager alone when it is closed. */
    CloseableHttpClient client(ScriptedServer server, HttpClientConnectionManager manager) {
        return builder(server, manager).build();
    }

    /** What {@link #client} is made of. */
    HttpClientBuilder builder(ScriptedServer server, HttpClientConnectionManager manager) {
        HttpClientBuilder builder = HttpClients.custom()
                .setConnectionManager(manager).setConnectionManagerShared(true).disableAutomaticRetries();
        if (this == PROXIED || this == TUNNELLED) {
            builder.setProxy(new HttpHost("http", "localhost", server.port()));
        }
        return builder;
    }

    /** What a server answers to the nth request for /ok of a connection; CONNECT is one for itself. */
    String answer(int connection, int request) {
        return "c" + connection + " r" + (this == TUNNELLED ? request + 1 : request);
    }

    /** The body that a GET of a path is answered with. */
    String get(CloseableHttpClient client, ScriptedServer server, String path) throws IOException {
        return client.execute(request(server, path), response -> EntityUtils.toString(response.getEntity()));
    }

    /** A builder of asynchronous managers that trust the server. */
    static LeaseholdAsyncClientConnectionManagerBuilder asyncManager() {
        return LeaseholdAsyncClientConnectionManagerBuilder.create().setTlsStrategy(new DefaultClientTlsStrategy(TestTls.context()));
    }

    /** As {@link #client}, started. */
    CloseableHttpAsyncClient client(ScriptedServer server, LeaseholdAsyncClientConnectionManager manager) {
        CloseableHttpAsyncClient client = builder(server, manager).build();
        client.start();
        return client;
    }

    /** What that is made of: one thread has all sessions. */
    HttpAsyncClientBuilder builder(ScriptedServer server, LeaseholdAsyncClientConnectionManager manager) {
        HttpAsyncClientBuilder builder = HttpAsyncClients.custom()
                .setConnectionManager(manager).setConnectionManagerShared(true).disableAutomaticRetries()
                .setIOReactorConfig(IOReactorConfig.custom().setIoThreadCount(1).build());
        if (this == PROXIED || this == TUNNELLED) {
            builder.setProxy(new HttpHost("http", "localhost", server.port()));
        }
        return builder;
    }

    /** The body that a GET of a path is answered with. */
    String get(CloseableHttpAsyncClient client, ScriptedServer server, String path) throws Exception {
        try {
            return Eventually.get(client.execute(SimpleRequestBuilder.get(url(server, path)).build(), null)).getBodyText();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    HttpGet request(ScriptedServer server, String path) {
        return new HttpGet(url(server, path));
    }

    String url(ScriptedServer server, String path) {
        switch (this) {
            case PLAIN:
                return "http://localhost:" + server.port() + path;
            case TLS:
                return "https://localhost:" + server.port() + path;
            case PROXIED:
                return "http://localhost:1" + path;
            default:
                return "https://localhost:443" + path;
        }
    }
}
