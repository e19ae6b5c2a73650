package io.leasehold.httpclient3;

import io.leasehold.testsupport.ScriptStage;
import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethod;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;

/** One side's managers of 3.1, and clients and hosts for them. */
final class Stage extends ScriptStage {
    private static final String RECLAIMED = "Connection reclaimed";

    static {
        // Says once and at length what JVM it runs on.
        new HttpClient();
    }

    private final Subject subject;
    private final Protocol http = new Protocol("http", new NumberedSocketFactory(), 80);
    private final Protocol https = new Protocol("https", (ProtocolSocketFactory) new NumberedSocketFactory.Secure(), 443);
    private final List<SimpleHttpConnectionManager> simples = new ArrayList<>();
    private final List<MultiThreadedHttpConnectionManager> multis = new ArrayList<>();

    Stage(Subject subject) throws IOException {
        super("org.apache.commons.httpclient", "io.leasehold");
        this.subject = subject;
    }

    SimpleHttpConnectionManager simple() {
        return simple(false);
    }

    SimpleHttpConnectionManager simple(boolean alwaysClose) {
        SimpleHttpConnectionManager manager = subject.simple(alwaysClose);
        simples.add(manager);
        return manager;
    }

    /** One that goes when the script refers to it no more. */
    SimpleHttpConnectionManager passingSimple() {
        return subject.simple(false);
    }

    /** Waits for the line of a connection to a host that was lost to the collector; 3.1's simple manager has none. */
    void awaitReclaimed(String host, boolean byStockToo) throws Exception {
        if (byStockToo || subject != Subject.STOCK) {
            awaitLog(RECLAIMED + " by garbage collector, hostConfig=" + to(host));
        }
    }

    MultiThreadedHttpConnectionManager multi() {
        MultiThreadedHttpConnectionManager manager = subject.multi();
        multis.add(manager);
        return manager;
    }

    /** A configuration for the plain server under the given name, which is never looked up. */
    HostConfiguration to(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, server().port(), http);
        return configuration;
    }

    /** A configuration for the TLS server. */
    HostConfiguration toTls(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, tlsServer().port(), https);
        return configuration;
    }

    /** A configuration for a host in TLS that is reached through the plain server as its proxy. */
    HostConfiguration tunnelTo(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, 443, https);
        configuration.setProxy("127.0.0.1", server().port());
        return configuration;
    }

    /** Waits until the idle connection that a server has closed is closed here as well, if that is watched. */
    private void awaitClosedByWatch(HttpConnectionManager manager) throws Exception {
        if (subject == Subject.LEASEHOLD) {
            awaitLog(manager instanceof MultiThreadedHttpConnectionManager ? "Reclaiming connection" : "Connection closed by its peer");
        }
    }

    /** Has a server close its first connection, which was told to go "?later" and is idle by now. */
    void awaitEndWhileIdle(ScriptedServer server, HttpConnectionManager manager) throws Exception {
        server.proceed();
        awaitClosedByWatch(manager);
        awaitEnd(server, 0);
    }

    /** Sets limits as one who does not use 3.1's setters: for every host, and for the host a. */
    void limitPerHost(HttpConnectionManager manager, int every, int a) {
        Map<HostConfiguration, Integer> limits = new HashMap<>();
        limits.put(HostConfiguration.ANY_HOST_CONFIGURATION, every);
        limits.put(to("a"), a);
        manager.getParams().setParameter(HttpConnectionManagerParams.MAX_HOST_CONNECTIONS, limits);
    }

    /** A client that goes to this configuration with this manager and never retries. */
    HttpClient client(HttpConnectionManager manager, HostConfiguration configuration) {
        HttpClient client = new HttpClient(manager);
        client.setHostConfiguration(configuration);
        client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER,
                (org.apache.commons.httpclient.HttpMethodRetryHandler) (method, exception, count) -> false);
        return client;
    }

    /** A GET of a path: its status and body, read to the end and released. */
    void get(HttpClient client, String path) {
        request(client, new GetMethod(path));
    }

    /** As {@link #get}, of a path at which the server closes while it is read, and the client does not. */
    void getCut(HttpClient client, HttpConnectionManager manager, String path) {
        play("GET " + path, () -> {
            try {
                return answer(client, new GetMethod(path));
            } finally {
                awaitClosedByWatch(manager);
            }
        });
    }

    /** A request of any kind: its status and body, read to the end and released. */
    void request(HttpClient client, HttpMethod method) {
        play(method.getName() + " " + method.getPath(), () -> answer(client, method));
    }

    private static String answer(HttpClient client, HttpMethod method) throws IOException {
        try {
            int status = client.executeMethod(method);
            String body = method.getResponseBodyAsString();
            return status + " " + (body == null || body.length() < 100 ? body : body.length() + " characters");
        } finally {
            method.releaseConnection();
        }
    }

    @Override
    protected String line(LogRecord record) {
        if (record.getLoggerName().startsWith("io.leasehold") && record.getLevel().intValue() < Level.WARNING.intValue()) {
            return null;
        }
        // What earlier stages have left behind is collected at any time.
        if (record.getMessage() != null && record.getMessage().startsWith(RECLAIMED)
                && !record.getMessage().contains(":" + server().port() + "]")) {
            return null;
        }
        if (record.getMessage() == null || record.getMessage().startsWith("ReferenceQueueThread")) {
            return null;
        }
        // 3.1's TRACE lines name methods as they are entered; those of methods that exist there alone have no counterpart.
        if (record.getLevel() == Level.FINEST && !record.getMessage().startsWith("enter HttpConnectionManager.get")
                && !record.getMessage().startsWith("enter HttpConnectionManager.release")) {
            return null;
        }
        String logger = record.getLoggerName();
        return record.getLevel() + " " + logger.substring(logger.lastIndexOf('.') + 1) + ": " + record.getMessage()
                + (record.getThrown() == null ? "" : " (" + describe(record.getThrown()) + ")");
    }

    @Override
    protected String plain(String text) {
        return text.replaceAll("\\b(" + server().port() + "|(?<=nowhere:)[0-9]+)\\b", "PORT")
                .replaceAll("\\b" + tlsServer().port() + "\\b", "TLSPORT")
                .replaceAll("\\b1[0-9]{12}\\b", "TIME")
                .replaceAll("@[0-9a-f]{5,8}", "@ID")
                .replaceAll("max-per-host = \\{.*\\}", "max-per-host = {…}")
                .replaceAll("io\\.leasehold\\.httpclient3\\.Leasehold(Simple|MultiThreaded)?(?=HttpConnectionManager)",
                        "org.apache.commons.httpclient.$1")
                .replace("httpclient.HttpConnectionManager", "httpclient.SimpleHttpConnectionManager");
    }

    @Override
    protected String describe(Object value) throws IOException {
        if (value instanceof HttpConnection) {
            HttpConnection connection = (HttpConnection) value;
            return connection.isOpen() ? "connection " + NumberedSocketFactory.number(connection) + ", open" : "a connection, not open";
        }
        return value == null ? "done" : value.toString();
    }

    @Override
    protected boolean waits(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            if (frame.getMethodName().equals("getConnectionWithTimeout")) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() throws Exception {
        for (MultiThreadedHttpConnectionManager manager : multis) {
            manager.shutdown();
        }
        for (SimpleHttpConnectionManager manager : simples) {
            manager.closeIdleConnections(0);
        }
        super.close();
    }
}
