package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.script;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.DefaultBHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpCoreContext;

/** What is not meant to be done, and what a connection makes of it. */
final class MisuseScripts {
    private MisuseScripts() {}

    /** Adds the scripts. */
    static void add() {
        misuse();
    }

    private static void misuse() {
        script("misuse: released twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.release(manager, connection);
            stage.release(manager, connection);
            stage.release(manager, connection, "user", 5, TimeUnit.SECONDS);
            stage.counts(manager, a);
            HttpClientConnection next = stage.lease(manager, a);
            stage.release(manager, connection);
            stage.play("it is", () -> next);
            stage.counts(manager, a);
        });
        script("misuse: another manager's connection", stage -> {
            PoolingHttpClientConnectionManager owner = stage.manager();
            PoolingHttpClientConnectionManager other = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(owner, a);
            stage.release(other, connection);
            stage.play("it is", () -> connection);
            stage.counts(owner, a);
            stage.counts(other, a);
            stage.release(owner, connection);
            stage.counts(owner, a);
        });
        script("misuse: a connection of no manager", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection stranger = new DefaultBHttpClientConnection(8192);
            stage.release(manager, stranger);
            stage.act("connect", () -> manager.connect(stranger, a, 0, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(stranger, a, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(stranger, a, new HttpCoreContext()));
            stage.counts(manager, a);
        });
        script("misuse: nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection leased = stage.open(manager, a);
            HttpContext context = new HttpCoreContext();
            stage.play("request", () -> manager.requestConnection(null, null));
            stage.act("release", () -> manager.releaseConnection(null, null, 0, TimeUnit.SECONDS));
            stage.act("connect", () -> manager.connect(null, a, 0, context));
            stage.act("connect", () -> manager.connect(leased, null, 0, context));
            stage.act("connect", () -> manager.connect(leased, a, 0, null));
            stage.act("upgrade", () -> manager.upgrade(null, a, context));
            stage.act("upgrade", () -> manager.upgrade(leased, null, context));
            stage.act("route complete", () -> manager.routeComplete(null, a, context));
            stage.act("route complete", () -> manager.routeComplete(leased, null, context));
            stage.act("route complete", () -> manager.routeComplete(leased, a, null));
            stage.act("close idle", () -> manager.closeIdleConnections(1, null));
            stage.play("maximum", () -> manager.getMaxPerRoute(null));
            stage.act("maximum", () -> manager.setMaxPerRoute(null, 1));
            stage.play("counts", () -> manager.getStats(null));
            stage.play("get", () -> manager.requestConnection(a, null).get(1, null));
            stage.play("get without end", () -> manager.requestConnection(stage.to("b"), null).get(0, null));
            stage.play("it is", () -> leased);
            stage.counts(manager, a);
        });
        script("misuse: a negative time to connect", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection leased = stage.lease(manager, a);
            stage.act("connect", () -> manager.connect(leased, a, -1, new HttpCoreContext()));
            stage.release(manager, leased);
            stage.counts(manager, a);
        });
        script("misuse: used after the release", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.release(manager, connection);
            callEverything(stage, connection);
            stage.act("connect", () -> manager.connect(connection, a, 0, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(connection, a, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(connection, a, new HttpCoreContext()));
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
            stage.counts(manager, a);
        });
        script("misuse: connected to another route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            stage.act("connect", () -> manager.connect(connection, stage.to("b"), 0, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(connection, stage.to("b"), new HttpCoreContext()));
            stage.release(manager, connection);
            stage.lease(manager, a);
            stage.counts(manager, a, stage.to("b"));
        });
        script("misuse: upgraded without TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.act("upgrade", () -> manager.upgrade(connection, a, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(connection, new HttpRoute(new HttpHost("a", 1, "gopher")), new HttpCoreContext()));
            stage.play("it is", () -> connection);
        });
        script("a connection's methods", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            callEverything(stage, connection);
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
            stage.act("connect", () -> manager.connect(connection, a, 0, new HttpCoreContext()));
            stage.play("text", connection::toString);
            // One of them reads, and nothing comes.
            connection.setSocketTimeout(10);
            callEverything(stage, connection);
            stage.act("close", connection::close);
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
        });
    }

    /** Calls every method of a managed connection that takes what can be made up, in one order. */
    private static void callEverything(Stage stage, HttpClientConnection connection) {
        Method[] methods = ManagedHttpClientConnection.class.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName).thenComparing(Method::toString));
        for (Method method : methods) {
            if (Arrays.asList("close", "shutdown", "isStale", "getLocalPort", "getMetrics", "getSocket", "getSSLSession", "bind")
                    .contains(method.getName())) {
                continue;
            }
            Object[] arguments = new Object[method.getParameterCount()];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = method.getParameterTypes()[i] == int.class ? (Object) 7 : null;
            }
            stage.play(method.getName() + Arrays.toString(method.getParameterTypes()), () -> {
                try {
                    return method.invoke(connection, arguments);
                } catch (InvocationTargetException e) {
                    throw (Exception) e.getCause();
                }
            });
        }
        stage.play("attribute", () -> ((HttpContext) connection).getAttribute("mine"));
        stage.act("attribute", () -> ((HttpContext) connection).setAttribute("mine", "yours"));
        stage.play("attribute", () -> ((HttpContext) connection).getAttribute("mine"));
        stage.play("attribute", () -> ((HttpContext) connection).removeAttribute("mine"));
        stage.play("metrics", () -> connection.getMetrics().getRequestCount());
        stage.play("socket", () -> ((ManagedHttpClientConnection) connection).getSocket() != null);
        stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession());
    }
}
