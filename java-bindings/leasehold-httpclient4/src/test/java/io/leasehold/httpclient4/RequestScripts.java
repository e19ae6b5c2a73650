package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.script;
import static io.leasehold.httpclient4.Scripts.sorted;

import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpHead;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpCoreContext;
import org.apache.http.protocol.HttpRequestExecutor;

/** Whole requests through HttpClient's own client, and whether their connection is still alive. */
final class RequestScripts {
    /**
     * After so many milliseconds a connection is validated. Stock validates one that it has just made, too, if making it has taken as long,
     * and throws it away.
     */
    private static final int LONG = 100;

    private RequestScripts() {}

    /** Adds the scripts. */
    static void add() {
        validation();
        requests();
        routes();
    }

    private static void validation() {
        for (String path : Arrays.asList("/drop", "/reset", "/half-close")) {
            script("validated: after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(LONG);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.pass(LONG + 20);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("validated: not so soon after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(3_600_000);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("validated: never, after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(0);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("stale check before each request, after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(0);
                CloseableHttpClient client = staleChecking(stage, manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
        }
        script("validated: unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(LONG);
            CloseableHttpClient client = stage.client(manager);
            sayGoodbye(stage, client);
            stage.pass(LONG + 20);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("validated: never, after unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(0);
            CloseableHttpClient client = stage.client(manager);
            sayGoodbye(stage, client);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("stale check before each request, after unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(0);
            CloseableHttpClient client = staleChecking(stage, manager);
            sayGoodbye(stage, client);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("stale check before each request, all well", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = staleChecking(stage, manager);
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.countConnections();
        });
        script("validated: opened ahead and never used", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(LONG);
            HttpRoute a = stage.to("a");
            stage.idle(manager, a);
            stage.pass(LONG + 20);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("validated: alive", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(LONG);
            CloseableHttpClient client = stage.client(manager);
            for (int i = 0; i < 3; i++) {
                stage.get(client, "/ok");
                stage.pass(LONG + 20);
            }
            stage.countConnections();
        });
        script("validated: in a proxy's tunnel", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(LONG);
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("https://localhost/drop?later"));
            stage.awaitEndWhileIdle(stage.server());
            stage.pass(LONG + 20);
            stage.requestInsteadOfStaleTls(client, new HttpGet("https://localhost/ok"));
        });
        script("validated: in TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(LONG);
            CloseableHttpClient client = stage.client(manager);
            String server = "https://localhost:" + stage.tlsServer().port();
            stage.request(client, new HttpGet(server + "/ok"));
            stage.pass(LONG + 20);
            stage.request(client, new HttpGet(server + "/drop?later"));
            stage.awaitEndWhileIdle(stage.tlsServer());
            stage.pass(LONG + 20);
            stage.requestInsteadOfStaleTls(client, new HttpGet(server + "/ok"));
        });
    }

    private static void requests() {
        for (String path : Arrays.asList("/ok", "/big", "/chunked", "/204", "/close", "/says-close", "/keep", "/keep-alive?timeout=5",
                "/keep-alive?timeout=5,max=100", "/keep-alive?max=1", "/keep-alive?timeout=0", "/keep-alive?timeout=-1",
                "/keep-alive?timeout=soon", "/keep-alive?timeout=99999999999999", "/http10", "/http10-keep", "/http10-open", "/no-length",
                "/host", "/unknown", "/redirect?/ok", "/redirect?/close")) {
            script("GET " + path + " twice", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager);
                stage.get(client, path);
                if (path.equals("/close") || path.equals("/http10") || path.equals("/no-length")) {
                    stage.awaitEnd(0);
                }
                stage.get(client, path);
                stage.counts(manager, stage.to("a"));
                stage.countConnections();
            });
        }
        for (String path : Arrays.asList("/nothing", "/garbage", "/chunked-cut", "/truncated")) {
            script("GET " + path + ", then go on", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager);
                stage.get(client, path);
                stage.awaitEnd(0);
                stage.counts(manager, stage.to("a"));
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
        }
        script("HEAD and POST", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.client(manager);
            String server = "http://a:" + stage.server().port();
            stage.request(client, new HttpHead(server + "/ok"));
            HttpPost post = new HttpPost(server + "/ok");
            post.setEntity(new StringEntity("entity"));
            stage.request(client, post);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("request says close", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpGet get = new HttpGet("http://a:" + stage.server().port() + "/ok");
            get.setHeader("Connection", "close");
            stage.request(stage.client(manager), get);
            stage.awaitEnd(0);
            stage.counts(manager, stage.to("a"));
        });
        script("more bytes than promised", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.get(stage.client(manager), "/extra");
            stage.counts(manager, stage.to("a"));
        });
        script("a response that is not read", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.client(manager);
            for (String path : Arrays.asList("/big", "/ok")) {
                CloseableHttpResponse response = client.execute(new HttpGet("http://a:" + stage.server().port() + path));
                stage.act("close " + path, response::close);
                stage.counts(manager, stage.to("a"));
            }
        });
        script("a response that is not read, on a connection of one's own", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.play("request", () -> new HttpRequestExecutor().execute(
                    new org.apache.http.message.BasicHttpRequest("GET", "/ok"), connection, new HttpCoreContext()).getStatusLine());
            stage.release(manager, connection);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("a server that does not answer in time", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.builder(manager)
                    .setDefaultRequestConfig(RequestConfig.custom().setSocketTimeout(30).build()).build();
            stage.get(client, "/slow");
            stage.server().proceed();
            stage.counts(manager, stage.to("a"));
            stage.get(stage.client(manager), "/ok");
        });
        script("a user's connection", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient mine = stage.builder(manager).setUserTokenHandler(context -> "me").build();
            CloseableHttpClient yours = stage.builder(manager).setUserTokenHandler(context -> "you").build();
            stage.get(mine, "/ok");
            stage.get(mine, "/ok");
            stage.get(yours, "/ok");
            stage.counts(manager, stage.to("a"));
            stage.countConnections();
        });
        script("many hosts", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setMaxTotal(2);
            CloseableHttpClient client = stage.client(manager);
            for (String host : Arrays.asList("a", "b", "c", "a", "c")) {
                stage.request(client, new HttpGet("http://" + host + ":" + stage.server().port() + "/ok"));
            }
            stage.counts(manager, stage.to("a"), stage.to("b"), stage.to("c"));
        });
        script("nobody there", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.request(stage.client(manager), new HttpGet("http://nowhere/"));
            stage.request(stage.client(manager), new HttpGet("gopher://a/"));
            stage.counts(manager);
        });
    }

    /** Shuts a manager down whose one idle connection is TLS, and may be closed by another thread. */
    private static void shutDownIdleTls(Stage stage, PoolingHttpClientConnectionManager manager) {
        stage.logInNoOrder();
        stage.act("shut down", () -> {
            manager.shutdown();
            stage.awaitLog("Close connection");
        });
    }

    private static void routes() {
        script("TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = stage.toTls();
            CloseableHttpClient client = stage.client(manager);
            String server = "https://localhost:" + stage.tlsServer().port();
            stage.request(client, new HttpGet(server + "/ok"));
            stage.request(client, new HttpGet(server + "/chunked"));
            stage.request(client, new HttpGet(server + "/close"));
            stage.request(client, new HttpGet(server + "/ok"));
            stage.counts(manager, route);
            HttpClientConnection connection = stage.lease(manager, route);
            stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession() != null);
            stage.release(manager, connection);
            shutDownIdleTls(stage, manager);
        });
        script("TLS with a wrong name", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.play("GET", () -> {
                try (CloseableHttpResponse response =
                        stage.client(manager).execute(new HttpGet("https://elsewhere:" + stage.tlsServer().port() + "/ok"))) {
                    return response.getStatusLine();
                } catch (IOException e) {
                    return e.getClass();
                }
            });
            stage.counts(manager);
        });
        script("a tunnel", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.request(client, new HttpGet("https://localhost/close"));
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.play("routes", () -> sorted(manager));
            stage.counts(manager);
            shutDownIdleTls(stage, manager);
        });
        script("a proxy", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("http://b/ok"));
            stage.request(client, new HttpGet("http://b/ok"));
            stage.request(client, new HttpGet("http://c/ok"));
            stage.play("routes", () -> sorted(manager));
            stage.counts(manager);
        });
        script("a tunnel by hand", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = stage.tunnel();
            HttpClientConnection connection = stage.lease(manager, route);
            stage.act("connect", () -> manager.connect(connection, route, 5000, new HttpCoreContext()));
            stage.play("CONNECT", () -> {
                HttpRequest connect = new org.apache.http.message.BasicHttpRequest("CONNECT", "localhost:443");
                HttpResponse response = new HttpRequestExecutor().execute(connect, connection, new HttpCoreContext());
                return response.getStatusLine();
            });
            stage.act("upgrade", () -> manager.upgrade(connection, route, new HttpCoreContext()));
            stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession() != null);
            stage.act("route complete", () -> manager.routeComplete(connection, route, new HttpCoreContext()));
            stage.release(manager, connection, null, 5, TimeUnit.SECONDS);
            stage.lease(manager, route);
            stage.counts(manager, route);
        });
        script("from a local address", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = new HttpRoute(new HttpHost("a", stage.server().port()), InetAddress.getByName("127.0.0.1"), false);
            HttpClientConnection connection = stage.open(manager, route);
            stage.play("local address", () -> ((ManagedHttpClientConnection) connection).getSocket().getLocalAddress());
            stage.release(manager, connection);
            stage.lease(manager, route);
        });
    }

    private static CloseableHttpClient staleChecking(Stage stage, PoolingHttpClientConnectionManager manager) {
        @SuppressWarnings("deprecation") // What 4.5 deprecates is compared as well.
        RequestConfig config = RequestConfig.custom().setStaleConnectionCheckEnabled(true).build();
        return stage.builder(manager).setDefaultRequestConfig(config).build();
    }

    private static CloseableHttpClient tunnelling(Stage stage, PoolingHttpClientConnectionManager manager) {
        return stage.builder(manager).setProxy(new HttpHost("proxy", stage.server().port())).build();
    }

    /** Gets this path, and has the server do to the connection what it does after answering it. */
    private static void getAndEnd(Stage stage, CloseableHttpClient client, String path) throws Exception {
        stage.get(client, path + "?later");
        if (path.equals("/half-close")) {
            stage.awaitHalfCloseWhileIdle();
        } else {
            stage.awaitEndWhileIdle(stage.server());
        }
    }

    private static void sayGoodbye(Stage stage, CloseableHttpClient client) throws Exception {
        stage.get(client, "/goodbye");
        stage.server().proceed();
        Eventually.await("408 sent", () -> stage.server().proceeded() == 1);
        stage.server().peer(0).awaitArrival();
    }
}
