package io.leasehold.httpclient4;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptStage;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.DnsResolver;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.pool.PoolEntryCallback;
import org.apache.http.protocol.HttpCoreContext;
import org.apache.http.util.EntityUtils;
import org.apache.http.util.VersionInfo;

/**
 * One side's manager of 4.5, and clients and routes for it. What differs from run to run, such as ports, dates and the process-wide ids, is
 * made equal.
 */
final class Stage extends ScriptStage {
    /** The release of HttpClient on the class path. */
    static final String RELEASE = VersionInfo.loadVersionInfo("org.apache.http.client", Stage.class.getClassLoader()).getRelease();

    private static final Pattern IDS = Pattern.compile("(http-outgoing-|\\[id: ?)(\\d+)");

    /** Whether it is another than 4.5.14. */
    static boolean isBeforeTheLast() {
        return !RELEASE.equals("4.5.14");
    }

    /** Whether this is what the first HttpCore throws for the use of a connection that was closed meanwhile; later ones an IOException. */
    static boolean isClosedInTheWordsOfTheFirst(IllegalStateException e) {
        return isBeforeTheLast() && "Connection is not open".equals(e.getMessage());
    }

    private final Subject subject;
    private final List<PoolingHttpClientConnectionManager> managers = new ArrayList<>();
    // What the first connection and the first entry of the script are called; negative until they are known.
    private int firstConnection = -1;
    private int firstEntry = -1;

    Stage(Subject subject) throws IOException {
        super("org.apache.http.impl");
        this.subject = subject;
    }

    /** How sockets are made here: plain, and TLS that trusts the server's certificate. */
    static Registry<ConnectionSocketFactory> sockets() {
        return RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", new SSLConnectionSocketFactory(TestTls.context()))
                .register("memory", new MemorySockets())
                .build();
    }

    /** Knows every host but "nowhere", all at loopback. */
    static DnsResolver names() {
        return host -> {
            if (host.equals("nowhere")) {
                throw new java.net.UnknownHostException(host);
            }
            return new InetAddress[] {InetAddress.getByAddress(host, ScriptedServer.loopback().getAddress())};
        };
    }

    PoolingHttpClientConnectionManager manager() throws Exception {
        return manager(null, -1, TimeUnit.MILLISECONDS);
    }

    PoolingHttpClientConnectionManager manager(HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connections,
            long timeToLive, TimeUnit unit) throws Exception {
        return manager(new DefaultHttpClientConnectionOperator(sockets(), null, names()), connections, timeToLive, unit);
    }

    PoolingHttpClientConnectionManager manager(HttpClientConnectionOperator operator,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connections, long timeToLive, TimeUnit unit) throws Exception {
        return construct(new Class<?>[] {HttpClientConnectionOperator.class, HttpConnectionFactory.class, long.class, TimeUnit.class},
                operator, connections, timeToLive, unit);
    }

    /** A manager made by the public constructor with these parameters. */
    PoolingHttpClientConnectionManager construct(Class<?>[] parameters, Object... arguments) throws Exception {
        PoolingHttpClientConnectionManager manager = subject.manager(parameters, arguments);
        managers.add(manager);
        return manager;
    }

    /** The plain server under the given name. */
    HttpRoute to(String host) {
        return new HttpRoute(new HttpHost(host, server().port()));
    }

    /** The TLS server. */
    HttpRoute toTls() {
        return new HttpRoute(new HttpHost("localhost", tlsServer().port(), "https"), null, true);
    }

    /** A host in TLS that is reached by a tunnel through the plain server. */
    HttpRoute tunnel() {
        return new HttpRoute(new HttpHost("localhost", 443, "https"), null, new HttpHost("proxy", server().port()), true);
    }

    /** A host that is reached through the plain server, without a tunnel. */
    HttpRoute proxied(String host) {
        return new HttpRoute(new HttpHost(host, 80), null, new HttpHost("proxy", server().port()), false);
    }

    /** A host of which every connection lives in memory alone. */
    HttpRoute inMemory(String host) {
        return new HttpRoute(new HttpHost(host, 80, "memory"));
    }

    HttpClientConnection lease(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return lease(manager, route, null);
    }

    /** A lease that waits as short as can be. */
    HttpClientConnection lease(PoolingHttpClientConnectionManager manager, HttpRoute route, Object state) {
        return play("lease " + route.getTargetHost().getHostName() + (state == null ? "" : " for " + state),
                () -> manager.requestConnection(route, state).get(1, TimeUnit.MILLISECONDS));
    }

    HttpClientConnection open(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return open(manager, route, null);
    }

    /** A lease whose connection is opened at once, where it is not open. */
    HttpClientConnection open(PoolingHttpClientConnectionManager manager, HttpRoute route, Object state) {
        HttpClientConnection connection = lease(manager, route, state);
        if (connection != null && !connection.isOpen()) {
            act("open", () -> {
                manager.connect(connection, route, 5000, new HttpCoreContext());
                if (route.isLayered()) {
                    manager.upgrade(connection, route, new HttpCoreContext());
                }
                manager.routeComplete(connection, route, new HttpCoreContext());
            });
        }
        return connection;
    }

    /** A release without a state, to be kept for ever. */
    void release(PoolingHttpClientConnectionManager manager, HttpClientConnection connection) {
        release(manager, connection, null, 0, TimeUnit.MILLISECONDS);
    }

    void release(PoolingHttpClientConnectionManager manager, HttpClientConnection connection, Object state, long keepAlive, TimeUnit unit) {
        act("release" + (state == null ? "" : " by " + state) + (keepAlive == 0 ? "" : " for " + keepAlive + " " + unit),
                () -> manager.releaseConnection(connection, state, keepAlive, unit));
    }

    /** A connection that was opened and released, to be kept for ever. */
    void idle(PoolingHttpClientConnectionManager manager, HttpRoute route) {
        release(manager, open(manager, route));
    }

    /** Writes down the counts of the pool, and of these routes. */
    void counts(PoolingHttpClientConnectionManager manager, HttpRoute... routes) {
        play("counts", () -> {
            StringBuilder counts = new StringBuilder(manager.getTotalStats().toString());
            for (HttpRoute route : routes) {
                counts.append(' ').append(route.getTargetHost().getHostName()).append(manager.getStats(route));
            }
            return counts;
        });
    }

    /** Lets real time pass: HttpClient's managers know no other. */
    void pass(long milliseconds) throws InterruptedException {
        Thread.sleep(milliseconds);
    }

    /** Calls the protected enumAvailable or enumLeased. HttpClient 4.5 has neither. */
    void enumerate(String method, PoolingHttpClientConnectionManager manager,
            PoolEntryCallback<HttpRoute, ManagedHttpClientConnection> callback) throws Exception {
        Method enumerate = PoolingHttpClientConnectionManager.class.getDeclaredMethod(method, PoolEntryCallback.class);
        enumerate.setAccessible(true);
        try {
            enumerate.invoke(manager, callback);
        } catch (InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }

    /** A client that never retries and leaves the manager alone when it is closed. */
    CloseableHttpClient client(PoolingHttpClientConnectionManager manager) {
        return builder(manager).build();
    }

    /** What {@link #client} is made of. */
    HttpClientBuilder builder(PoolingHttpClientConnectionManager manager) {
        return HttpClients.custom().setConnectionManager(manager).setConnectionManagerShared(true).disableAutomaticRetries();
    }

    /** A GET of a path from host a: its status and body, read to the end and released. */
    void get(CloseableHttpClient client, String path) {
        request(client, new HttpGet("http://a:" + server().port() + path));
    }

    /** A request of any kind: its status and body, read to the end and released. */
    void request(CloseableHttpClient client, HttpUriRequest request) {
        request(client, request, () -> { });
    }

    /**
     * As {@link #request(CloseableHttpClient, HttpUriRequest)}, on a manager whose one idle connection is stale TLS, and may be closed by
     * another thread.
     */
    void requestInsteadOfStaleTls(CloseableHttpClient client, HttpUriRequest request) {
        logInNoOrder();
        request(client, request, () -> {
            if (subject != Subject.LEASEHOLD) {
                awaitLog("Close connection");
            }
        });
    }

    /**
     * Has a server close its first connection, which was told to go "?later" and is idle by now; here it is closed too, if it is watched.
     */
    void awaitEndWhileIdle(ScriptedServer server) throws Exception {
        server.proceed();
        awaitClosedByWatch();
        awaitEnd(server, 0);
    }

    /** As {@link #awaitEndWhileIdle}, where the server closes its side only. */
    void awaitHalfCloseWhileIdle() throws Exception {
        server().proceed();
        awaitClosedByWatch();
        Eventually.await("the server has closed its side", () -> server().proceeded() == 1);
        server().peer(0).awaitArrival();
    }

    private void awaitClosedByWatch() throws Exception {
        if (subject == Subject.LEASEHOLD) {
            awaitLog("Close connection");
        }
    }

    private void request(CloseableHttpClient client, HttpUriRequest request, Action last) {
        play(request.getMethod() + " " + request.getURI().getPath(), () -> {
            try (CloseableHttpResponse response = client.execute(request)) {
                String body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity());
                last.run();
                return response.getStatusLine().getStatusCode() + " " + (body.length() < 100 ? body : body.length() + " characters");
            }
        });
    }

    @Override
    protected boolean waits(StackTraceElement[] stack) {
        boolean gets = false;
        for (StackTraceElement frame : stack) {
            if (frame.getMethodName().equals("lock")) {
                return false;
            }
            gets |= frame.getMethodName().equals("get") && (frame.getClassName().equals(CancellableRequest.class.getName())
                    || frame.getClassName().startsWith(PoolingHttpClientConnectionManager.class.getName()));
        }
        return gets;
    }

    @Override
    protected String line(LogRecord record) {
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
                first = firstEntry = firstEntry < 0 ? id : firstEntry;
            }
            ids.appendReplacement(equal, Matcher.quoteReplacement(ids.group(1)) + (id - first));
        }
        ids.appendTail(equal);
        String ordered = equal.toString();
        if (!logsInOrder()) {
            // Another thread's lease or release may come between the deed and its line.
            ordered = ordered.replaceAll("(Connection (?:leased|released): .*?)\\[total .*", "$1[…]");
        }
        return ordered
                .replaceAll("127\\.0\\.0\\.1:\\d+<->", "127.0.0.1:LOCAL<->")
                .replaceAll("\\b" + server().port() + "\\b", "PORT")
                .replaceAll("\\b" + tlsServer().port() + "\\b", "TLSPORT")
                .replaceAll("expired @ .*", "expired @ DATE")
                .replaceAll("@[0-9a-f]{5,8}", "@ID");
    }

    @Override
    protected String describe(Object value) {
        if (!(value instanceof HttpClientConnection)) {
            return value == null ? "done" : value.toString();
        }
        HttpClientConnection connection = (HttpClientConnection) value;
        String open = connection.isOpen() ? ", open" : ", not open";
        try {
            return "connection " + ((ManagedHttpClientConnection) connection).getId() + open;
        } catch (ConnectionShutdownException e) {
            return "a detached connection" + open;
        }
    }

    @Override
    public void close() throws Exception {
        for (PoolingHttpClientConnectionManager manager : managers) {
            manager.shutdown();
        }
        super.close();
    }
}
