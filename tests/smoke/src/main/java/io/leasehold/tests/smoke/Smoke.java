package io.leasehold.tests.smoke;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.Leasehold;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/**
 * Loads the library, leases and watches, and sends requests with HttpClient 3.1 and 4.5. Ends with an error unless all of it goes as it
 * should; takes nothing but its class path and loopback.
 */
public final class Smoke {
    private Smoke() {}

    /**
     * The program.
     *
     * @param args none
     * @throws Exception what went wrong
     */
    public static void main(String[] args) throws Exception {
        Leasehold.requireAvailable();
        leaseAndWatch();
        request31();
        request45();
        System.out.println("smoke: passed with Leasehold " + Leasehold.version() + " on " + System.getProperty("java.vm.name") + " "
                + System.getProperty("java.version") + ", " + System.getProperty("os.arch"));
        // A thread that outlives all pools would keep the program from ending by itself.
    }

    private static void leaseAndWatch() throws Exception {
        List<Cause> causes = new CopyOnWriteArrayList<>();
        try (ScriptedServer server = ScriptedServer.plain();
                ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder((socket, cause) -> {
                    close(socket);
                    causes.add(cause);
                }).build()) {
            Socket socket = new Socket(ScriptedServer.loopback(), server.port());
            Lease<Socket> first = pool.lease("a", 10, TimeUnit.SECONDS);
            expect(first.connection() == null, "a pool that has opened nothing leased something");
            first.opened(socket);
            first.attach(socket);
            first.release();
            Lease<Socket> second = pool.lease("a", 10, TimeUnit.SECONDS);
            expect(second.connection() == socket, "the connection was not leased again");
            socket.getOutputStream().write("GET /drop?later HTTP/1.1\r\nHost: a\r\n\r\n".getBytes("US-ASCII"));
            skipResponse(socket);
            second.release();
            expect(pool.stats().available() == 1, "the connection is not idle");
            server.proceed();
            Eventually.await("what the server closed is disposed of", () -> causes.size() == 1);
            expect(causes.get(0) == Cause.PEER_CLOSED, "disposed of as " + causes);
            expect(pool.counters().closedByPeer() == 1, "the close was not noticed by the watch");
        }
    }

    /** Reads up to the end of a small response with a length. */
    private static void skipResponse(Socket socket) throws Exception {
        StringBuilder read = new StringBuilder();
        while (!read.toString().endsWith(" r1")) {
            int next = socket.getInputStream().read();
            expect(next >= 0, "the server ended after " + read);
            read.append((char) next);
        }
    }

    private static void request31() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        try (ScriptedServer server = ScriptedServer.plain()) {
            HttpClient client = new HttpClient(manager);
            for (int i = 1; i <= 2; i++) {
                GetMethod get = new GetMethod(url(server));
                try {
                    expect(client.executeMethod(get) == 200, "3.1: " + get.getStatusLine());
                    expect(get.getResponseBodyAsString().equals("c0 r" + i), "3.1: " + get.getResponseBodyAsString());
                } finally {
                    get.releaseConnection();
                }
            }
        } finally {
            manager.shutdown();
        }
    }

    private static void request45() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain();
                CloseableHttpClient client = HttpClients.custom().setConnectionManager(new LeaseholdHttpClientConnectionManager()).build()) {
            for (int i = 1; i <= 2; i++) {
                try (CloseableHttpResponse response = client.execute(new HttpGet(url(server)))) {
                    expect(response.getStatusLine().getStatusCode() == 200, "4.5: " + response.getStatusLine());
                    String body = EntityUtils.toString(response.getEntity());
                    expect(body.equals("c0 r" + i), "4.5: " + body);
                }
            }
        }
    }

    private static String url(ScriptedServer server) {
        return "http://" + ScriptedServer.loopback().getHostAddress() + ":" + server.port() + "/ok";
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
