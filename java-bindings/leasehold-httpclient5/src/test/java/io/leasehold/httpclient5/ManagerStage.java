package io.leasehold.httpclient5;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.MemorySocket;
import io.leasehold.testsupport.ScriptStage;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;

/**
 * One side's classic managers, and clients and routes for them. What differs from run to run, such as ports, dates and the process-wide
 * ids, is made equal.
 */
final class ManagerStage extends ScriptStage {
    private static final Pattern IDS = Pattern.compile("(http-outgoing-|ep-)(\\d+)");

    private final ManagerSubject subject;
    private final List<PoolingHttpClientConnectionManager> managers = new ArrayList<>();
    // What the first connection and the first endpoint of the script are called; negative until they are known.
    private int firstConnection = -1;
    private int firstEndpoint = -1;

    ManagerStage(ManagerSubject subject) throws IOException {
        super("org.apache.hc.client5.http.impl.io");
        this.subject = subject;
    }

    /** Opens connections to real servers, and those of the scheme "memory" to none; knows every host but "nowhere", all at loopback. */
    @SuppressWarnings("deprecation") // What all versions have.
    private static HttpClientConnectionOperator operator() {
        HttpClientConnectionOperator sockets = Operators.of(null, new DnsResolver() {
            @Override
            public InetAddress[] resolve(String host) throws UnknownHostException {
                if (host.equals("nowhere")) {
                    throw new UnknownHostException(host);
                }
                return new InetAddress[] {InetAddress.getByAddress(host, ScriptedServer.loopback().getAddress())};
            }

            @Override
            public String resolveCanonicalHostname(String host) {
                return host;
            }
        }, new org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory(TestTls.context()));
        return new HttpClientConnectionOperator() {
            @Override
            public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, TimeValue timeout,
                    SocketConfig config, HttpContext context) throws IOException {
                if (host.getSchemeName().equals("memory")) {
                    connection.bind(new MemorySocket());
                } else {
                    sockets.connect(connection, host, local, timeout, config, context);
                }
            }

            @Override
            public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) throws IOException {
                sockets.upgrade(connection, host, context);
            }
        };
    }

    PoolingHttpClientConnectionManager manager() {
        return manager(null);
    }

    PoolingHttpClientConnectionManager manager(HttpConnectionFactory<ManagedHttpClientConnection> factory) {
        PoolingHttpClientConnectionManager manager = subject.manager(operator(), factory);
        managers.add(manager);
        return manager;
    }

    /** A manager with limits. */
    PoolingHttpClientConnectionManager manager(int perRoute, int total) {
        PoolingHttpClientConnectionManager manager = manager();
        manager.setDefaultMaxPerRoute(perRoute);
        manager.setMaxTotal(total);
        return manager;
    }

    /** The plain server under the given name. */
    HttpRoute to(String host) {
        return new HttpRoute(new HttpHost("http", host, server().port()));
    }

    /** The TLS server. */
    HttpRoute toTls() {
        return new HttpRoute(new HttpHost("https", "localhost", tlsServer().port()), null, true);
    }

    /** A host in TLS that is reached by a tunnel through the plain server. */
    HttpRoute tunnel() {
        return new HttpRoute(new HttpHost("https", "localhost", 443), null, new HttpHost("http", "proxy", server().port()), true);
    }

    /** A host of which every connection lives in memory alone. */
    HttpRoute inMemory(String host) {
        return new HttpRoute(new HttpHost("memory", host, 80));
    }

    ConnectionEndpoint lease(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return lease(manager, route, null);
    }

    /** A lease that does not wait. */
    ConnectionEndpoint lease(PoolingHttpClientConnectionManager manager, HttpRoute route, Object state) {
        return play("lease " + name(route) + (state == null ? "" : " for " + state), () -> {
            LeaseRequest request = manager.lease("ex", route, Timeout.ofMinutes(3), state);
            return request.get(Timeout.ZERO_MILLISECONDS);
        });
    }

    static String name(HttpRoute route) {
        return route.getTargetHost().getHostName();
    }

    ConnectionEndpoint open(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return open(manager, route, null);
    }

    /** A lease whose connection is opened at once, where it is not open. */
    ConnectionEndpoint open(PoolingHttpClientConnectionManager manager, HttpRoute route, Object state) {
        ConnectionEndpoint endpoint = lease(manager, route, state);
        if (endpoint != null && !endpoint.isConnected()) {
            connect(manager, endpoint);
        }
        return endpoint;
    }

    void connect(PoolingHttpClientConnectionManager manager, ConnectionEndpoint endpoint) {
        act("connect", () -> manager.connect(endpoint, TimeValue.ofSeconds(20), HttpClientContext.create()));
    }

    /** A release without a state, to be kept for ever. */
    void release(PoolingHttpClientConnectionManager manager, ConnectionEndpoint endpoint) {
        release(manager, endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
    }

    /** A release; with a keep-alive of null the connection is not kept. */
    void release(PoolingHttpClientConnectionManager manager, ConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
        act("release" + (state == null ? "" : " by " + state) + (keepAlive == null ? " for good" : ""),
                () -> manager.release(endpoint, state, keepAlive));
    }

    /** A connection that was opened and released, to be kept for ever. */
    void idle(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        release(manager, open(manager, route));
    }

    /** A thread that waits for an endpoint, for as long as it takes. */
    Pending<ConnectionEndpoint> waiter(PoolingHttpClientConnectionManager manager, HttpRoute route) throws Exception {
        return start("waiter for " + name(route),
                () -> manager.lease("waiter", route, Timeout.ofMinutes(4), null).get(Timeout.ofMinutes(4))).untilItWaits();
    }

    /** Writes down the counts of the pool, and of these routes; who waits not: HttpCore counts, for a while, those who have given up. */
    void counts(PoolingHttpClientConnectionManager manager, HttpRoute... routes) {
        play("counts", () -> {
            StringBuilder counts = new StringBuilder(numbers(manager.getTotalStats()));
            for (HttpRoute route : routes) {
                counts.append(' ').append(name(route)).append(numbers(manager.getStats(route)));
            }
            return counts;
        });
    }

    private static String numbers(PoolStats stats) {
        return "[leased: " + stats.getLeased() + "; available: " + stats.getAvailable() + "; max: " + stats.getMax() + "]";
    }

    /** The routes of a manager. */
    void routes(PoolingHttpClientConnectionManager manager) {
        play("routes", () -> {
            TreeSet<String> routes = new TreeSet<>();
            manager.getRoutes().forEach(route -> routes.add(route.toString()));
            return routes;
        });
    }

    /** Closes a manager, and waits for what it closes on other threads. */
    void close(PoolingHttpClientConnectionManager manager, CloseMode mode) {
        act("close " + mode, () -> {
            manager.close(mode);
            Threads.awaitIdle("leasehold-disposer");
        });
    }

    /** Lets real time pass: HttpClient's managers know no other. */
    void pass(long milliseconds) throws InterruptedException {
        Thread.sleep(milliseconds);
    }

    /** A client that never retries and leaves the manager alone when it is closed. */
    CloseableHttpClient client(PoolingHttpClientConnectionManager manager, Way way) {
        return way.builder(server(), manager).build();
    }

    /** A GET of a path: its status and body, read to the end and released. */
    void get(CloseableHttpClient client, Way way, String path) {
        play("GET " + path, () -> client.execute(way.request(way == Way.TLS ? tlsServer() : server(), path), response -> {
            String body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity());
            return response.getCode() + " " + (body.length() < 100 ? body : body.length() + " characters");
        }));
    }

    /**
     * Has the server close its first connection, which was told to go "?later" and is idle by now; here it is closed too, if it is watched.
     */
    void awaitEndWhileIdle(PoolingHttpClientConnectionManager manager) throws Exception {
        server().proceed();
        if (subject == ManagerSubject.LEASEHOLD) {
            awaitLog("lose connection");
            Eventually.await("it is gone", () -> manager.getTotalStats().getAvailable() == 0);
        }
        awaitEnd(0);
    }

    @Override
    protected boolean waits(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            if (frame.getMethodName().equals("get") && (frame.getClassName().equals(Request.class.getName())
                    || frame.getClassName().equals(BasicFuture.class.getName()))) {
                return true;
            }
        }
        return false;
    }

    /** Without the line of a goodbye that is waited for a second, which HttpClient does from 5.5.1 on. */
    @Override
    protected String line(LogRecord record) {
        if (PoolStage.isBeforeTheLast() && record.getMessage().endsWith("set socket timeout to 1 SECONDS")) {
            return null;
        }
        String logger = record.getLoggerName();
        return record.getLevel() + " " + logger.substring(logger.lastIndexOf('.') + 1) + ": " + record.getMessage()
                + (record.getThrown() == null ? "" : " (" + describe(record.getThrown()) + ")");
    }

    @Override
    protected String plain(String text) {
        Matcher ids = IDS.matcher(text);
        StringBuffer equal = new StringBuffer();
        while (ids.find()) {
            int id = Integer.parseInt(ids.group(2));
            int first;
            if (ids.group(1).startsWith("http")) {
                first = firstConnection = firstConnection < 0 ? id : firstConnection;
            } else {
                first = firstEndpoint = firstEndpoint < 0 ? id : firstEndpoint;
            }
            ids.appendReplacement(equal, Matcher.quoteReplacement(ids.group(1)) + (id - first));
        }
        ids.appendTail(equal);
        return equal.toString()
                .replaceAll("Deadline: .* overdue", "Deadline: DATE, N MILLISECONDS overdue")
                .replaceAll("actual: \\d+ MILLISECONDS", "actual: N MILLISECONDS")
                .replaceAll(PoolStage.LOOKING_TIMEOUT, TimeoutValueException.class.getName() + "$1")
                .replaceAll("127\\.0\\.0\\.1:\\d+<?->", "127.0.0.1:OURS->")
                .replace(":" + server().port(), ":PLAIN").replace(":" + tlsServer().port(), ":TLS")
                // Routes in the way of the oldest version.
                .replaceAll("\\[(\\w+://[^\\[\\]]*)]", "$1")
                .replaceAll("ex-\\d{10}", "ex-N");
    }

    @Override
    protected String describe(Object value) {
        if (value instanceof ConnectionEndpoint) {
            ConnectionEndpoint endpoint = (ConnectionEndpoint) value;
            String state;
            try {
                state = endpoint.isConnected() ? "connected" : "not connected";
            } catch (RuntimeException e) {
                state = "released";
            }
            return ConnPoolSupport.getId(endpoint) + " " + state;
        }
        return value == null ? "done" : value.toString();
    }

    @Override
    public void close() throws Exception {
        managers.forEach(manager -> manager.close(CloseMode.IMMEDIATE));
        super.close();
    }
}
