package io.leasehold.httpclient3;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptList;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.HeadMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpClientParams;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.util.IdleConnectionTimeoutThread;

/** What is played on both sides. Written against 3.1's own types alone. */
@SuppressWarnings("deprecation") // What 3.1 deprecates is compared as well.
final class Scripts {
    /** A script for either kind of manager. */
    private interface AnyManagerScript {
        void play(Stage stage, HttpConnectionManager manager) throws Exception;
    }

    private static final ScriptList<Stage> ALL = new ScriptList<>();

    private Scripts() {}

    static Map<String, Script<Stage>> all() {
        return ALL.byName();
    }

    private static void script(String name, Script<Stage> script) {
        ALL.add(name, script);
    }

    private static void both(String name, AnyManagerScript script) {
        script("simple: " + name, stage -> script.play(stage, stage.simple()));
        script("multi: " + name, stage -> script.play(stage, stage.multi()));
    }

    static {
        simple();
        requests();
        routes();
        misuse();
        multi();
        waiting();
        limits();
        ends();
    }

    private static void simple() {
        script("simple: lease, release, lease again", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("open", first::open);
            stage.play("it is", () -> first);
            stage.act("release", () -> manager.releaseConnection(first));
            stage.play("after release", () -> first);
            stage.play("manager of it", () -> first.getHttpConnectionManager() == manager);
            HttpConnection second = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            stage.play("same object", () -> first == second);
            stage.act("release through the connection", second::releaseConnection);
            HttpConnection third = stage.play("deprecated lease", () -> manager.getConnection(stage.to("a"), 1));
            stage.play("same object", () -> first == third);
            stage.act("close", third::close);
            stage.act("release", third::releaseConnection);
            HttpConnection fourth = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.play("same object", () -> first == fourth);
            stage.countConnections();
        });
        script("simple: another host closes the connection and turns it", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection first = stage.play("lease a", () -> manager.getConnection(stage.to("a")));
            stage.act("open", first::open);
            first.getParams().setIntParameter("mine", 7);
            stage.act("release", first::releaseConnection);
            HttpConnection second = stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.awaitEnd(0);
            stage.play("same object", () -> first == second);
            stage.play("host", second::getHost);
            stage.play("its own parameter", () -> second.getParams().getParameter("mine"));
            stage.act("open", second::open);
            stage.act("release", second::releaseConnection);
            HttpConnection third = stage.play("lease B", () -> manager.getConnection(stage.to("B")));
            stage.play("host", third::getHost);
            stage.act("release", third::releaseConnection);
            HostConfiguration proxied = stage.to("b");
            proxied.setProxy("127.0.0.1", stage.server().port());
            HttpConnection fourth = stage.play("lease b by a proxy", () -> manager.getConnection(proxied));
            stage.play("same object", () -> first == fourth);
            stage.play("proxied", fourth::isProxied);
            stage.act("release", fourth::releaseConnection);
            HttpConnection fifth = stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.play("proxied", fifth::isProxied);
            stage.act("release", fifth::releaseConnection);
            stage.countConnections();
        });
        script("simple: lease again while holding", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("open", first::open);
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.play("same object", () -> first == second);
            HttpConnection third = stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.play("same object", () -> first == third);
            stage.act("open", third::open);
            stage.play("it is", () -> third);
            stage.act("release", third::releaseConnection);
            stage.act("release again", third::releaseConnection);
            HttpConnection fourth = stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.act("release by the manager", () -> manager.releaseConnection(fourth));
            stage.act("release again", () -> manager.releaseConnection(fourth));
            stage.countConnections();
        });
        script("simple: closed by the peer while idle", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpClient client = stage.client(manager, stage.toTls("localhost"));
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.toTls("localhost")));
            first.getParams().setIntParameter("mine", 7);
            stage.act("release", first::releaseConnection);
            stage.get(client, "/drop?later");
            stage.awaitEndWhileIdle(stage.tlsServer(), manager);
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.toTls("localhost")));
            stage.play("same object", () -> first == second);
            stage.play("its own parameter", () -> second.getParams().getParameter("mine"));
            stage.act("release", second::releaseConnection);
        });
        script("simple: always close", stage -> {
            HttpClient client = stage.client(stage.simple(true), stage.to("a"));
            stage.get(client, "/ok");
            stage.awaitEnd(0);
            stage.get(client, "/ok");
            stage.get(client, "/big");
            stage.awaitEnd(2);
        });
        script("simple: shut down", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.get(client, "/ok");
            stage.act("shutdown", manager::shutdown);
            stage.awaitEnd(0);
            stage.get(client, "/ok");
            HttpConnection held = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("shutdown", manager::shutdown);
            stage.awaitEnd(1);
            stage.play("what is held", () -> held);
            stage.act("open", held::open);
            stage.act("release", held::releaseConnection);
            HttpConnection kept = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("release", kept::releaseConnection);
            stage.act("shutdown", manager::shutdown);
            stage.act("shutdown", manager::shutdown);
        });
        script("simple: shut down before the first lease", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            stage.act("shutdown", manager::shutdown);
            stage.get(stage.client(manager, stage.to("a")), "/ok");
        });
        script("simple: close idle connections", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            HttpConnection connection = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("open", connection::open);
            stage.act("close idle while held", () -> manager.closeIdleConnections(0));
            stage.play("it is", () -> connection);
            stage.act("release", connection::releaseConnection);
            stage.act("close idle for an hour", () -> manager.closeIdleConnections(3_600_000));
            stage.play("it is", () -> connection);
            stage.act("close idle for ever", () -> manager.closeIdleConnections(Long.MAX_VALUE));
            stage.play("it is", () -> connection);
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            stage.play("it is", () -> connection);
            stage.awaitEnd(0);
            HttpConnection again = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("open", again::open);
            stage.act("release", again::releaseConnection);
            stage.act("close idle for less than nothing", () -> manager.closeIdleConnections(-1));
            stage.play("it is", () -> again);
        });
        script("simple: limits are no matter of one thread", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            manager.getParams().setMaxTotalConnections(0);
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.get(stage.client(manager, stage.to("b")), "/ok");
        });
        script("simple: limits of nothing and less are no matter of one thread", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            for (int limit : new int[] {0, -1}) {
                manager.getParams().setMaxTotalConnections(limit);
                stage.limitPerHost(manager, limit, limit);
                stage.get(stage.client(manager, stage.to("a")), "/ok");
                stage.get(stage.client(manager, stage.to("b")), "/ok");
            }
        });
        script("simple: TLS, another host closes the connection and turns it", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.toTls("localhost")));
            stage.act("open", first::open);
            first.getParams().setIntParameter("mine", 7);
            stage.act("release", first::releaseConnection);
            HttpConnection second = stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.play("same object", () -> first == second);
            stage.play("its own parameter", () -> second.getParams().getParameter("mine"));
            stage.act("open", second::open);
            HttpConnection third = stage.play("lease while holding", () -> manager.getConnection(stage.toTls("localhost")));
            stage.play("same object", () -> first == third);
            stage.play("its own parameter", () -> third.getParams().getParameter("mine"));
            stage.act("open", third::open);
            stage.act("release", third::releaseConnection);
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            HttpConnection fourth = stage.play("lease", () -> manager.getConnection(stage.toTls("localhost")));
            stage.play("same object", () -> first == fourth);
            stage.play("its own parameter", () -> fourth.getParams().getParameter("mine"));
            stage.act("release", fourth::releaseConnection);
        });
        script("simple: forgotten with what was leased", stage -> {
            stage.act("GET, never released",
                    () -> stage.client(stage.passingSimple(), stage.to("a")).executeMethod(new GetMethod("/ok")));
            stage.forget();
            Eventually.awaitAfterCollection("the socket to be closed", () -> stage.server().peer(0).hasEnded());
            stage.awaitReclaimed("a", false);
            stage.awaitEnd(0);
        });
    }

    private static void requests() {
        for (String path : Arrays.asList("/ok", "/big", "/chunked", "/204", "/close", "/says-close", "/keep", "/http10", "/http10-keep",
                "/http10-open", "/extra", "/no-length", "/host", "/unknown", "/redirect?/ok", "/redirect?/close")) {
            both("GET " + path + " twice", (stage, manager) -> {
                HttpClient client = stage.client(manager, stage.to("a"));
                stage.get(client, path);
                if (path.equals("/close") || path.equals("/http10") || path.equals("/no-length")) {
                    stage.awaitEnd(0);
                }
                stage.get(client, path);
                stage.countConnections();
            });
        }
        both("HEAD and POST", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.request(client, new HeadMethod("/ok"));
            PostMethod post = new PostMethod("/ok");
            post.setRequestEntity(new StringRequestEntity("entity", "text/plain", "ISO-8859-1"));
            stage.request(client, post);
            stage.get(client, "/ok");
        });
        both("request says close", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod get = new GetMethod("/ok");
            get.setRequestHeader("Connection", "close");
            stage.request(client, get);
            stage.awaitEnd(0);
            stage.get(client, "/ok");
        });
        for (String path : Arrays.asList("/nothing", "/garbage")) {
            both("GET " + path + ", then go on", (stage, manager) -> {
                HttpClient client = stage.client(manager, stage.to("a"));
                stage.get(client, path);
                stage.awaitEnd(0);
                stage.get(client, "/ok");
            });
        }
        both("GET /chunked-cut, then go on", (stage, manager) -> {
            // Whether the server's close is seen before the release or after it is left to chance.
            stage.logInNoOrder();
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.getCut(client, manager, "/chunked-cut");
            stage.awaitEnd(0);
            stage.get(client, "/ok");
        });
        for (String path : Arrays.asList("/drop", "/reset")) {
            both("stale after " + path, (stage, manager) -> {
                HttpClient client = stage.client(manager, stage.to("a"));
                stage.get(client, path + "?later");
                stage.awaitEndWhileIdle(stage.server(), manager);
                stage.get(client, "/ok");
                stage.get(client, "/ok");
            });
        }
        both("not stale", (stage, manager) -> {
            HttpConnection connection = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.play("closed if stale, not open", connection::closeIfStale);
            stage.act("open", connection::open);
            stage.play("closed if stale", connection::closeIfStale);
            stage.act("release", connection::releaseConnection);
        });
        both("stale, and nobody checks", (stage, manager) -> {
            manager.getParams().setStaleCheckingEnabled(false);
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.get(client, "/drop?later");
            stage.awaitEndWhileIdle(stage.server(), manager);
            stage.get(client, "/ok");
            stage.get(client, "/ok");
        });
        both("bytes that nobody asked for", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.get(client, "/goodbye");
            stage.server().proceed();
            Eventually.await("408 sent", () -> stage.server().proceeded() == 1);
            stage.get(client, "/ok");
        });
        both("not read, next request", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod unread = new GetMethod("/big");
            stage.play("GET /big", () -> client.executeMethod(unread));
            stage.get(client, "/ok");
            stage.act("release the first", unread::releaseConnection);
            stage.get(client, "/ok");
            stage.countConnections();
        });
        both("not read, released", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            for (String path : Arrays.asList("/big", "/chunked", "/ok")) {
                GetMethod unread = new GetMethod(path);
                stage.play("GET " + path, () -> client.executeMethod(unread));
                stage.act("release", unread::releaseConnection);
            }
            stage.countConnections();
        });
        both("releasing waits for the rest of a response", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod stalled = new GetMethod("/chunked-stall");
            stage.play("GET /chunked-stall", () -> client.executeMethod(stalled));
            stage.server().proceed();
            stage.act("release", stalled::releaseConnection);
            stage.get(client, "/ok");
            stage.countConnections();
        });
        both("abort", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod aborted = new GetMethod("/chunked-stall");
            stage.play("GET /chunked-stall", () -> client.executeMethod(aborted));
            stage.act("abort", aborted::abort);
            stage.act("release", aborted::releaseConnection);
            stage.get(client, "/ok");
            stage.countConnections();
        });
        both("body by stream, released by its end", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod get = new GetMethod("/chunked");
            stage.play("GET /chunked", () -> client.executeMethod(get));
            stage.play("read", () -> {
                InputStream body = get.getResponseBodyAsStream();
                StringBuilder text = new StringBuilder();
                for (int next = body.read(); next >= 0; next = body.read()) {
                    text.append((char) next);
                }
                return text.toString();
            });
            stage.get(client, "/ok");
            stage.act("release", get::releaseConnection);
            stage.countConnections();
        });
        both("server does not answer in time", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            client.getParams().setSoTimeout(50);
            stage.get(client, "/slow");
            stage.server().proceed();
            client.getParams().setSoTimeout(0);
            stage.get(client, "/ok");
        });
        both("default parameters reach the connection", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            client.getParams().setIntParameter("http.socket.timeout", 1234);
            HttpConnection connection = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.play("timeout", () -> connection.getParams().getSoTimeout());
            stage.act("close", connection::close);
            stage.act("release", connection::releaseConnection);
        });
    }

    private static void routes() {
        both("TLS", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.toTls("localhost"));
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.get(client, "/big");
            HttpConnection connection = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.toTls("localhost"), 0));
            stage.play("secure", connection::isSecure);
            stage.play("closed if stale", connection::closeIfStale);
            stage.act("release", connection::releaseConnection);
            stage.get(client, "/says-close");
            stage.get(client, "/ok");
        });
        both("TLS, stale", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.toTls("localhost"));
            stage.get(client, "/drop?later");
            stage.awaitEndWhileIdle(stage.tlsServer(), manager);
            stage.get(client, "/ok");
            stage.get(client, "/ok");
        });
        both("a tunnel, stale", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.tunnelTo("localhost"));
            stage.get(client, "/drop?later");
            stage.awaitEndWhileIdle(stage.server(), manager);
            stage.get(client, "/ok");
        });
        both("a tunnel", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.tunnelTo("localhost"));
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.countConnections();
        });
        both("a proxy", (stage, manager) -> {
            HostConfiguration proxied = stage.to("far.example");
            proxied.setProxy("127.0.0.1", stage.server().port());
            HttpClient client = stage.client(manager, proxied);
            stage.get(client, "/host");
            stage.get(client, "/ok");
            stage.get(stage.client(manager, stage.to("far.example")), "/ok");
            stage.countConnections();
        });
        both("a virtual host", (stage, manager) -> {
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod get = new GetMethod("/host");
            get.getParams().setVirtualHost("virtual.example");
            stage.request(client, get);
            stage.get(client, "/host");
            stage.countConnections();
        });
        both("a local address", (stage, manager) -> {
            HostConfiguration local = stage.to("a");
            local.setLocalAddress(InetAddress.getByName("127.0.0.1"));
            stage.get(stage.client(manager, local), "/ok");
            stage.get(stage.client(manager, local), "/ok");
            stage.get(stage.client(manager, stage.to("a")), "/ok");
            stage.countConnections();
        });
        both("spelling of a host", (stage, manager) -> {
            stage.get(stage.client(manager, stage.to("host.example")), "/host");
            stage.get(stage.client(manager, stage.to("HOST.example")), "/host");
            stage.get(stage.client(manager, stage.to("host.example")), "/host");
            stage.countConnections();
        });
        both("nobody listens", (stage, manager) -> {
            HostConfiguration nowhere = stage.to("a");
            // Bound and not listening: nobody else can listen there meanwhile.
            try (Socket deaf = new Socket()) {
                deaf.bind(new InetSocketAddress(0));
                nowhere.setHost("nowhere", deaf.getLocalPort(), nowhere.getProtocol());
                HttpClient client = stage.client(manager, nowhere);
                stage.play("GET", () -> {
                    try {
                        return client.executeMethod(new GetMethod("/ok"));
                    } catch (java.net.ConnectException refused) {
                        return "refused";
                    }
                });
            }
            stage.get(stage.client(manager, stage.to("a")), "/ok");
        });
        both("configuration changed after the lease", (stage, manager) -> {
            HostConfiguration configuration = stage.to("a");
            HttpConnection first = stage.play("lease", () -> manager.getConnectionWithTimeout(configuration, 0));
            configuration.setHost("b", stage.server().port(), configuration.getProtocol());
            stage.act("open", first::open);
            stage.play("host", first::getHost);
            stage.act("release", first::releaseConnection);
            HttpConnection second = stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.play("host", second::getHost);
            stage.play("it is", () -> second);
            stage.act("release", second::releaseConnection);
        });
    }

    private static void misuse() {
        both("no configuration", (stage, manager) -> {
            stage.play("lease null", () -> manager.getConnectionWithTimeout(null, 0));
            stage.play("lease null", () -> manager.getConnection(null));
            stage.play("deprecated lease null", () -> manager.getConnection(null, 1));
            stage.get(stage.client(manager, stage.to("a")), "/ok");
        });
        both("no host", (stage, manager) -> {
            stage.play("lease", () -> manager.getConnectionWithTimeout(new HostConfiguration(), 0));
            stage.get(stage.client(manager, stage.to("a")), "/ok");
        });
        both("no parameters", (stage, manager) -> {
            stage.act("set null", () -> manager.setParams(null));
            HttpConnectionManagerParams params = new HttpConnectionManagerParams();
            stage.act("set", () -> manager.setParams(params));
            stage.play("same", () -> manager.getParams() == params);
            stage.get(stage.client(manager, stage.to("a")), "/ok");
        });
        script("simple: deprecated switches", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            stage.play("stale check", manager::isConnectionStaleCheckingEnabled);
            stage.act("off", () -> manager.setConnectionStaleCheckingEnabled(false));
            stage.play("stale check", manager::isConnectionStaleCheckingEnabled);
            stage.play("parameter", () -> manager.getParams().isStaleCheckingEnabled());
        });
        script("multi: deprecated switches", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.play("stale check", manager::isConnectionStaleCheckingEnabled);
            stage.act("off", () -> manager.setConnectionStaleCheckingEnabled(false));
            stage.play("stale check", manager::isConnectionStaleCheckingEnabled);
            stage.play("per host", manager::getMaxConnectionsPerHost);
            stage.play("total", manager::getMaxTotalConnections);
            stage.act("per host 3", () -> manager.setMaxConnectionsPerHost(3));
            stage.act("total 7", () -> manager.setMaxTotalConnections(7));
            stage.act("per host 0", () -> manager.setMaxConnectionsPerHost(0));
            stage.act("per host -1", () -> manager.setMaxConnectionsPerHost(-1));
            stage.act("total -1", () -> manager.setMaxTotalConnections(-1));
            stage.play("per host", manager::getMaxConnectionsPerHost);
            stage.play("total", manager::getMaxTotalConnections);
            stage.play("in use", manager::getConnectionsInUse);
            stage.play("in use by a", () -> manager.getConnectionsInUse(stage.to("a")));
            stage.play("in use by null", () -> manager.getConnectionsInUse(null));
        });
        script("simple: releases that are none", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection connection = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("release null", () -> manager.releaseConnection(null));
            stage.act("release a stranger", () -> manager.releaseConnection(new HttpConnection("a", 80)));
            SimpleHttpConnectionManager other = stage.simple();
            HttpConnection others = stage.play("lease of another", () -> other.getConnection(stage.to("a")));
            stage.act("release another's", () -> manager.releaseConnection(others));
            stage.act("release another's where it belongs", () -> other.releaseConnection(others));
            stage.act("release", () -> manager.releaseConnection(connection));
            stage.act("release null", () -> manager.releaseConnection(null));
        });
        script("simple: release before the first lease", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            stage.act("release null", () -> manager.releaseConnection(null));
            stage.act("release a stranger", () -> manager.releaseConnection(new HttpConnection("a", 80)));
        });
        script("multi: release twice", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            stage.act("release", first::releaseConnection);
            stage.act("release again", first::releaseConnection);
            stage.play("in pool", () -> manager.getConnectionsInPool());
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("release the first again", first::releaseConnection);
            HttpConnection third = open(stage, manager, "a");
            stage.act("release", second::releaseConnection);
            stage.act("release", third::releaseConnection);
        });
        script("multi: release twice by the manager", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            stage.act("release", () -> manager.releaseConnection(first));
            stage.act("release again", () -> manager.releaseConnection(first));
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            HttpConnection third = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.play("two at once", () -> second.isOpen() && third.isOpen());
        });
        script("multi: release by the connection, then by the manager", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            stage.act("release", first::releaseConnection);
            stage.act("release by the manager", () -> manager.releaseConnection(first));
            stage.play("in pool", () -> manager.getConnectionsInPool());
        });
        script("multi: use after release by the manager", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            stage.act("release", () -> manager.releaseConnection(first));
            stage.play("open", first::isOpen);
        });
        script("multi: release null", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.act("release null", () -> manager.releaseConnection(null));
            stage.play("in pool", () -> manager.getConnectionsInPool());
        });
        script("multi: release a stranger", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.act("release a stranger", () -> manager.releaseConnection(new HttpConnection("a", 80)));
            stage.play("in pool", () -> manager.getConnectionsInPool());
        });
        script("multi: release another manager's", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            MultiThreadedHttpConnectionManager other = stage.multi();
            HttpConnection others = open(stage, other, "a");
            stage.act("release another's", () -> manager.releaseConnection(others));
            stage.play("in pool", () -> manager.getConnectionsInPool());
            stage.play("in pool of the other", () -> other.getConnectionsInPool());
        });
        script("multi: a released connection's methods", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection released = open(stage, manager, "a");
            stage.act("release", released::releaseConnection);
            callEverything(stage, released);
            stage.act("release again", released::releaseConnection);
        });
        script("multi: a leased connection's methods, not open", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection leased = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            callEverything(stage, leased);
        });
        script("simple: a leased connection's methods, not open", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            HttpConnection leased = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            callEverything(stage, leased);
        });
        script("multi: a connection turned elsewhere by its user", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection connection = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            connection.setHost("b");
            stage.act("open", connection::open);
            stage.act("release", connection::releaseConnection);
            stage.play("in pool for a", () -> manager.getConnectionsInPool(stage.to("a")));
            stage.play("in pool for b", () -> manager.getConnectionsInPool(stage.to("b")));
            stage.play("lease a", () -> manager.getConnection(stage.to("a")));
        });
        both("a request sent, its response not read", (stage, manager) -> {
            HttpConnection connection = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.act("open", connection::open);
            stage.act("request", () -> {
                connection.print("GET /slow HTTP/1.1\r\n\r\n", "ISO-8859-1");
                connection.flushRequestOutputStream();
            });
            stage.act("release", connection::releaseConnection);
            HttpConnection next = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.act("close", next::close);
            stage.act("release", next::releaseConnection);
        });
        both("a response read by half", (stage, manager) -> {
            HttpConnection connection = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.act("open", connection::open);
            stage.act("request", () -> {
                connection.print("GET /ok HTTP/1.1\r\n\r\n", "ISO-8859-1");
                connection.flushRequestOutputStream();
            });
            stage.play("status line", () -> connection.readLine("ISO-8859-1"));
            stage.act("release", connection::releaseConnection);
            HttpConnection next = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 0));
            stage.act("close", next::close);
            stage.act("release", next::releaseConnection);
        });
    }

    private static void multi() {
        script("multi: counts", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            counts(stage, manager);
            HttpConnection first = open(stage, manager, "a");
            counts(stage, manager);
            stage.act("release", first::releaseConnection);
            counts(stage, manager);
            HttpConnection second = stage.play("lease a", () -> manager.getConnection(stage.to("a")));
            HttpConnection third = open(stage, manager, "b");
            counts(stage, manager);
            stage.act("release", second::releaseConnection);
            stage.act("release by the manager", () -> manager.releaseConnection(third));
            counts(stage, manager);
            stage.play("of no host", () -> manager.getConnectionsInPool(new HostConfiguration()));
        });
        script("multi: never opened", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("release", first::releaseConnection);
            counts(stage, manager);
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("close", second::close);
            stage.act("release", second::releaseConnection);
            counts(stage, manager);
            stage.act("delete closed", manager::deleteClosedConnections);
            counts(stage, manager);
        });
        script("multi: newest first", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(3);
            List<HttpConnection> three = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                three.add(open(stage, manager, "a"));
            }
            for (int i : new int[] {1, 0, 2}) {
                stage.act("release", three.get(i)::releaseConnection);
            }
            for (int i = 0; i < 3; i++) {
                stage.play("lease", () -> manager.getConnection(stage.to("a")));
            }
        });
        script("multi: the least recently released makes room", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(3);
            HttpConnection a = open(stage, manager, "a");
            HttpConnection b = open(stage, manager, "b");
            HttpConnection c = open(stage, manager, "c");
            stage.act("release b", b::releaseConnection);
            stage.act("release a", a::releaseConnection);
            stage.act("release c", c::releaseConnection);
            HttpConnection d = open(stage, manager, "d");
            stage.awaitEnd(1);
            stage.play("lease b", () -> manager.getConnection(stage.to("b")));
            stage.awaitEnd(0);
            counts(stage, manager);
            stage.act("release d", d::releaseConnection);
        });
        script("multi: a closed connection comes back", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            stage.act("close", first::close);
            stage.act("release", first::releaseConnection);
            counts(stage, manager);
            HttpConnection second = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            counts(stage, manager);
            stage.act("release", second::releaseConnection);
            stage.act("delete closed", manager::deleteClosedConnections);
            counts(stage, manager);
        });
        script("multi: close idle connections", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            HttpConnection connection = open(stage, manager, "a");
            stage.act("close idle while leased", () -> manager.closeIdleConnections(0));
            stage.play("it is", () -> connection);
            stage.act("release", connection::releaseConnection);
            stage.act("close idle for an hour", () -> manager.closeIdleConnections(3_600_000));
            counts(stage, manager);
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            counts(stage, manager);
            stage.awaitEnd(0);
            HttpConnection unopened = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("release", unopened::releaseConnection);
            stage.act("close idle for an hour", () -> manager.closeIdleConnections(3_600_000));
            counts(stage, manager);
            HttpConnection again = open(stage, manager, "a");
            stage.act("release", again::releaseConnection);
            stage.act("close idle for less than nothing", () -> manager.closeIdleConnections(-1000));
            counts(stage, manager);
        });
        script("multi: closed by the peer while idle", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.get(stage.client(manager, stage.to("a")), "/drop?later");
            stage.awaitEndWhileIdle(stage.server(), manager);
            counts(stage, manager);
            stage.act("delete closed", manager::deleteClosedConnections);
            counts(stage, manager);
        });
        script("multi: the idle connection thread", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.get(stage.client(manager, stage.to("a")), "/ok");
            IdleConnectionTimeoutThread thread = new IdleConnectionTimeoutThread();
            thread.addConnectionManager(manager);
            thread.setConnectionTimeout(0);
            thread.setTimeoutInterval(60_000); // It looks once, at its start.
            thread.start();
            stage.server().peer(0).awaitEnd();
            thread.shutdown();
            thread.join();
            counts(stage, manager);
        });
        script("simple: the idle connection thread", stage -> {
            SimpleHttpConnectionManager manager = stage.simple();
            stage.get(stage.client(manager, stage.to("a")), "/ok");
            IdleConnectionTimeoutThread thread = new IdleConnectionTimeoutThread();
            thread.addConnectionManager(manager);
            thread.setConnectionTimeout(0);
            thread.setTimeoutInterval(60_000); // It looks once, at its start.
            thread.start();
            stage.awaitEnd(0);
            thread.shutdown();
            thread.join();
        });
        script("multi: a redirect to another host", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpClient client = stage.client(manager, stage.to("127.0.0.1"));
            stage.get(client, "/redirect?http://localhost:" + stage.server().port() + "/ok");
            counts(stage, manager);
        });
        script("multi: lost to the collector", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(1);
            stage.act("lease, open and forget", () -> manager.getConnection(stage.to("a")).open());
            Eventually.awaitAfterCollection("the connection to be reclaimed", () -> manager.getConnectionsInPool() == 0);
            stage.awaitReclaimed("a", true);
            HttpConnection next = open(stage, manager, "b");
            stage.act("release", next::releaseConnection);
        });
        script("multi: a response forgotten, lost to the collector", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpClient client = stage.client(manager, stage.to("a"));
            stage.play("GET /big", () -> client.executeMethod(new GetMethod("/big")));
            Eventually.awaitAfterCollection("the connection to be reclaimed", () -> manager.getConnectionsInPool() == 0);
            stage.awaitReclaimed("a", true);
            stage.get(client, "/ok");
        });
        script("multi: lost to the collector while another waits", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(1);
            HttpConnection[] held = {open(stage, manager, "a")};
            Stage.Pending<HttpConnection> waiter = stage.start("waiter", () -> manager.getConnection(stage.to("a"))).untilItWaits();
            held[0] = null;
            stage.forget();
            Eventually.awaitAfterCollection("the waiter to be served", waiter::isDone);
            waiter.endAfter("collection", () -> stage.awaitReclaimed("a", true));
        });
    }

    private static void waiting() {
        script("multi: times out", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            List<HttpConnection> held = new ArrayList<>(Arrays.asList(open(stage, manager, "a"), open(stage, manager, "a")));
            stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 20));
            stage.play("deprecated lease", () -> manager.getConnection(stage.to("a"), 20));
            stage.play("lease with less than nothing", () -> manager.getConnectionWithTimeout(stage.to("a"), -1));
            counts(stage, manager);
            HttpClient client = stage.client(manager, stage.to("a"));
            client.getParams().setConnectionManagerTimeout(20);
            stage.get(client, "/ok");
            stage.act("release", held.get(0)::releaseConnection);
            stage.play("lease with less than nothing", () -> manager.getConnectionWithTimeout(stage.to("a"), -1));
        });
        script("multi: waits for a release", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<HttpConnection> waiter = stage.start("waiter", () -> manager.getConnection(stage.to("a"))).untilItWaits();
            HttpConnection served = waiter.endAfter("release", held::releaseConnection);
            stage.act("release", served::releaseConnection);
        });
        script("multi: own host first, then in order", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<HttpConnection> b = stage.start("b", () -> manager.getConnection(stage.to("b"))).untilItWaits();
            Stage.Pending<HttpConnection> a = stage.start("a", () -> manager.getConnection(stage.to("a"))).untilItWaits();
            Stage.Pending<HttpConnection> c = stage.start("c", () -> manager.getConnection(stage.to("c"))).untilItWaits();
            HttpConnection ofA = a.endAfter("release", held::releaseConnection);
            HttpConnection ofB = b.endAfter("release", ofA::releaseConnection);
            stage.act("open", ofB::open);
            c.endAfter("release", ofB::releaseConnection);
        });
        script("multi: own host first, also with a closed connection", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<HttpConnection> b = stage.start("b", () -> manager.getConnection(stage.to("b"))).untilItWaits();
            Stage.Pending<HttpConnection> a = stage.start("a", () -> manager.getConnection(stage.to("a"))).untilItWaits();
            stage.act("close", held::close);
            HttpConnection ofA = a.endAfter("release", held::releaseConnection);
            b.endAfter("release", ofA::releaseConnection);
        });
        script("multi: interrupted while waiting", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<Object> waiter = stage.start("waiter", () -> {
                try {
                    return manager.getConnection(stage.to("a"));
                } catch (IllegalThreadStateException e) {
                    return e + ", flag " + Thread.currentThread().isInterrupted();
                }
            }).untilItWaits();
            waiter.endAfter("interrupt", waiter::interrupt);
            stage.act("release", held::releaseConnection);
            stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
        });
        script("multi: interrupted before", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            Thread.currentThread().interrupt();
            HttpConnection first = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.play("flag", Thread::interrupted);
            Thread.currentThread().interrupt();
            stage.play("lease with a wait", () -> manager.getConnection(stage.to("a")));
            stage.play("flag", Thread::interrupted);
            Thread.currentThread().interrupt();
            stage.act("release", first::releaseConnection);
            stage.play("flag", Thread::interrupted);
        });
        script("multi: releasing a slow response holds nobody up", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpClient client = stage.client(manager, stage.to("a"));
            GetMethod stalled = new GetMethod("/chunked-stall");
            stage.play("GET /chunked-stall", () -> client.executeMethod(stalled));
            Stage.Pending<Object> release = stage.start("release", () -> {
                stalled.releaseConnection();
                return null;
            });
            stage.get(client, "/ok");
            counts(stage, manager);
            release.endAfter("proceed", stage.server()::proceed);
            counts(stage, manager);
        });
    }

    private static void limits() {
        script("multi: limits from everywhere", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpClient client = stage.client(manager, stage.to("a"));
            client.getParams().setIntParameter(HttpConnectionManagerParams.MAX_TOTAL_CONNECTIONS, 1);
            open(stage, manager, "a");
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            manager.getParams().setMaxTotalConnections(2);
            HttpConnection b = open(stage, manager, "b");
            stage.play("lease c", () -> manager.getConnectionWithTimeout(stage.to("c"), 1));
            HttpConnectionManagerParams others = new HttpConnectionManagerParams();
            others.setMaxConnectionsPerHost(stage.to("a"), 1);
            others.setMaxConnectionsPerHost(stage.to("b"), 3);
            manager.setParams(others);
            stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            open(stage, manager, "b");
            open(stage, manager, "b");
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            others.setDefaultMaxConnectionsPerHost(4);
            stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            others.clear();
            stage.act("release", b::releaseConnection);
            open(stage, manager, "a");
            stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
        });
        script("multi: no total at all", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(0);
            stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            manager.getParams().setMaxTotalConnections(-5);
            stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            manager.getParams().setMaxTotalConnections(1);
            stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
        });
        script("multi: less than nothing for each host", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection held = open(stage, manager, "a");
            stage.limitPerHost(manager, -1, -2);
            stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            stage.limitPerHost(manager, -1, 2);
            stage.play("lease a", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            stage.limitPerHost(manager, 1, 1);
            stage.play("lease b", () -> manager.getConnectionWithTimeout(stage.to("b"), 1));
            stage.act("release", held::releaseConnection);
        });
        script("multi: limits raised while one waits", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<HttpConnection> waiter = stage.start("waiter", () -> manager.getConnection(stage.to("a"))).untilItWaits();
            manager.getParams().setDefaultMaxConnectionsPerHost(3);
            HttpConnection[] second = new HttpConnection[1];
            waiter.endAfter("lease another, release the first", () -> {
                second[0] = manager.getConnection(stage.to("a"));
                second[0].open();
                held.releaseConnection();
            });
            stage.act("release", second[0]::releaseConnection);
            counts(stage, manager);
        });
        script("multi: limits lowered", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection first = open(stage, manager, "a");
            HttpConnection second = open(stage, manager, "a");
            stage.act("release", first::releaseConnection);
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            counts(stage, manager);
            HttpConnection third = stage.play("lease", () -> manager.getConnectionWithTimeout(stage.to("a"), 1));
            counts(stage, manager);
            stage.act("release", second::releaseConnection);
            counts(stage, manager);
            if (third != null) {
                stage.act("release", third::releaseConnection);
            }
        });
    }

    private static void ends() {
        script("multi: shut down", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setDefaultMaxConnectionsPerHost(3);
            HttpConnection idle = open(stage, manager, "a");
            HttpConnection leased = open(stage, manager, "a");
            HttpConnection another = open(stage, manager, "a");
            stage.act("release", idle::releaseConnection);
            stage.act("shutdown", manager::shutdown);
            stage.awaitEnd(0);
            stage.awaitEnd(1);
            stage.awaitEnd(2);
            stage.play("what was leased", () -> leased);
            stage.play("its manager", leased::getHttpConnectionManager);
            stage.act("release by the manager", () -> manager.releaseConnection(another));
            stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.play("deprecated lease", () -> manager.getConnection(stage.to("a"), 1));
            stage.act("shutdown again", manager::shutdown);
            stage.act("close idle", () -> manager.closeIdleConnections(0));
            stage.act("delete closed", manager::deleteClosedConnections);
            stage.act("release", leased::releaseConnection);
            stage.act("release again", leased::releaseConnection);
        });
        script("multi: opened after shut down", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            HttpConnection leased = stage.play("lease", () -> manager.getConnection(stage.to("a")));
            stage.act("shutdown", manager::shutdown);
            stage.act("open", leased::open);
            stage.play("it is", () -> leased);
            stage.act("release", leased::releaseConnection);
        });
        script("multi: counts after shut down", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            open(stage, manager, "a");
            stage.act("shutdown", manager::shutdown);
            stage.play("in pool", () -> manager.getConnectionsInPool());
            stage.play("in pool for a", () -> manager.getConnectionsInPool(stage.to("a")));
        });
        script("multi: shut down before the first lease", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            stage.act("shutdown", manager::shutdown);
            stage.play("lease", () -> manager.getConnection(stage.to("a")));
        });
        script("multi: shut down while one waits", stage -> {
            MultiThreadedHttpConnectionManager manager = stage.multi();
            manager.getParams().setMaxTotalConnections(1);
            HttpConnection held = open(stage, manager, "a");
            Stage.Pending<HttpConnection> waiter = stage.start("waiter", () -> manager.getConnection(stage.to("b"))).untilItWaits();
            waiter.endAfter("shutdown", manager::shutdown);
            stage.play("what was leased", () -> held);
        });
        script("multi: shut down all", stage -> {
            MultiThreadedHttpConnectionManager one = stage.multi();
            MultiThreadedHttpConnectionManager two = stage.multi();
            HttpConnection leased = open(stage, one, "a");
            stage.act("shutdownAll", MultiThreadedHttpConnectionManager::shutdownAll);
            stage.awaitEnd(0);
            stage.play("what was leased", () -> leased);
            stage.play("lease of one", () -> one.getConnection(stage.to("a")));
            stage.play("lease of two", () -> two.getConnection(stage.to("a")));
            stage.play("lease of a later one", () -> stage.multi().getConnection(stage.to("a")));
        });
        script("simple: by class name", stage -> {
            HttpClientParams params = new HttpClientParams();
            params.setConnectionManagerClass(stage.simple().getClass());
            HttpClient client = new HttpClient(params);
            client.setHostConfiguration(stage.to("a"));
            stage.play("manager", () -> client.getHttpConnectionManager() instanceof SimpleHttpConnectionManager);
            stage.get(client, "/ok");
            stage.act("cast and shut down", () -> ((SimpleHttpConnectionManager) client.getHttpConnectionManager()).shutdown());
            stage.awaitEnd(0);
        });
        script("multi: by class name", stage -> {
            HttpClientParams params = new HttpClientParams();
            params.setConnectionManagerClass(stage.multi().getClass());
            HttpClient client = new HttpClient(params);
            client.setHostConfiguration(stage.to("a"));
            stage.play("manager", () -> client.getHttpConnectionManager() instanceof MultiThreadedHttpConnectionManager);
            stage.get(client, "/ok");
            stage.act("cast and shut down", () -> ((MultiThreadedHttpConnectionManager) client.getHttpConnectionManager()).shutdown());
            stage.awaitEnd(0);
        });
    }

    private static HttpConnection open(Stage stage, HttpConnectionManager manager, String host) {
        return stage.play("lease " + host + " and open it", () -> {
            HttpConnection connection = manager.getConnectionWithTimeout(stage.to(host), 0);
            if (!connection.isOpen()) {
                connection.open();
            }
            return connection;
        });
    }

    private static void counts(Stage stage, MultiThreadedHttpConnectionManager manager) {
        stage.play("in pool", () -> manager.getConnectionsInPool() + " (" + manager.getConnectionsInPool(stage.to("a")) + " for a, "
                + manager.getConnectionsInPool(stage.to("b")) + " for b)");
    }

    /** Calls every public method of HttpConnection that takes what can be made up, in one order. */
    private static void callEverything(Stage stage, HttpConnection connection) {
        Method[] methods = HttpConnection.class.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::toString));
        for (Method method : methods) {
            if (method.getDeclaringClass() != HttpConnection.class || Modifier.isStatic(method.getModifiers())
                    || Arrays.asList("getHttpConnectionManager", "getParams", "releaseConnection").contains(method.getName())) {
                continue;
            }
            Object[] arguments = new Object[method.getParameterCount()];
            for (int i = 0; i < arguments.length; i++) {
                Class<?> type = method.getParameterTypes()[i];
                arguments[i] = type == int.class ? (Object) 7 : type == boolean.class ? (Object) true : type == byte[].class
                        ? (Object) new byte[1] : type == String.class ? "ISO-8859-1" : null;
            }
            stage.play(method.getName() + Arrays.toString(method.getParameterTypes()), () -> {
                try {
                    return method.invoke(connection, arguments);
                } catch (InvocationTargetException e) {
                    throw (Exception) e.getCause();
                }
            });
        }
    }
}
