package io.leasehold.tests.modules;

import com.sun.net.httpserver.HttpServer;
import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.ShutdownMode;
import io.leasehold.Sockets;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/**
 * Uses the libraries on the module path: leases and returns through the pool and through the manager for HttpClient 4.5, and sees that what
 * is not for applications is out of their reach.
 */
public final class Application {
    private Application() {}

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'o', 'k'});
            exchange.close();
        });
        server.start();
        try {
            check(ConnectionPool.class.getModule().isNamed() && !ConnectionPool.class.getModule().getDescriptor().isAutomatic(),
                    "the pool is a module of its own description");
            usePool(server.getAddress());
            useManager(server.getAddress());
            seeNothingElse();
        } finally {
            server.stop(0);
        }
        System.out.println("modules: passed");
    }

    private static void usePool(InetSocketAddress address) throws Exception {
        ConnectionPool.Builder<InetSocketAddress, Socket> builder = ConnectionPool.builder((socket, cause) -> close(socket));
        try (ConnectionPool<InetSocketAddress, Socket> pool = builder.build()) {
            Socket opened;
            try (Lease<Socket> lease = pool.lease(address, 1, TimeUnit.MINUTES)) {
                check(lease.isVacancy(), "nothing is idle yet");
                opened = new Socket(address.getAddress(), address.getPort());
                lease.opened(opened);
                lease.attach(opened);
                check(Sockets.probe(opened) == Liveness.ALIVE, "the socket's descriptor is found");
                lease.release();
            }
            try (Lease<Socket> lease = pool.lease(address, 1, TimeUnit.MINUTES)) {
                check(lease.connection() == opened, "the idle connection is leased");
                lease.release();
            }
            pool.shutdown(ShutdownMode.IMMEDIATE);
            check(pool.awaitTermination(1, TimeUnit.MINUTES), "the pool comes to its end");
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void useManager(InetSocketAddress address) throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        try (CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).build()) {
            for (int i = 0; i < 2; i++) {
                try (CloseableHttpResponse response = client.execute(
                        new HttpGet("http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + "/"))) {
                    check(EntityUtils.toString(response.getEntity()).equals("ok"), "the server answers");
                }
                check(manager.getTotalStats().getAvailable() == 1, "the connection is idle again");
            }
        }
    }

    private static void seeNothingElse() throws Exception {
        for (String name : new String[] {"io.leasehold.internal.natives.Effects", "io.leasehold.managed.WeakInterner"}) {
            Constructor<?> constructor = Class.forName(name).getConstructor();
            boolean isMade;
            try {
                constructor.newInstance();
                isMade = true;
            } catch (IllegalAccessException e) {
                isMade = false;
            }
            check(!isMade, name + " is out of reach");
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not so: " + what);
        }
    }
}
