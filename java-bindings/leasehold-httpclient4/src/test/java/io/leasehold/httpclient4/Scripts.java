package io.leasehold.httpclient4;

import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptList;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** What is played on both sides. Written against 4.5's own types alone. */
final class Scripts {
    private static final ScriptList<Stage> ALL = new ScriptList<>();

    private Scripts() {}

    static Map<String, Script<Stage>> all() {
        return ALL.byName();
    }

    /** Adds a script. */
    static void script(String name, Script<Stage> script) {
        ALL.add(name, script);
    }

    static {
        LeaseScripts.add();
        LimitScripts.add();
        MisuseScripts.add();
        ClosingScripts.add();
        ViewScripts.add();
        RequestScripts.add();
    }

    /** A connection of each route, opened. */
    static List<HttpClientConnection> openAll(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute... routes) {
        List<HttpClientConnection> all = new ArrayList<>();
        for (HttpRoute route : routes) {
            all.add(stage.open(manager, route));
        }
        return all;
    }

    /** A request for a connection, which nobody has asked yet. */
    static ConnectionRequest request(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute route) {
        ConnectionRequest[] request = new ConnectionRequest[1];
        stage.act("request", () -> request[0] = manager.requestConnection(route, null));
        return request[0];
    }

    /** A thread that waits for a connection, without end. */
    static Pending<HttpClientConnection> waiter(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return stage.start("waiter for " + route.getTargetHost().getHostName(),
                () -> manager.requestConnection(route, null).get(0, TimeUnit.MILLISECONDS));
    }

    /** The routes of a manager. */
    static TreeSet<String> sorted(PoolingHttpClientConnectionManager manager) {
        TreeSet<String> routes = new TreeSet<>();
        manager.getRoutes().forEach(route -> routes.add(route.toString()));
        return routes;
    }
}
