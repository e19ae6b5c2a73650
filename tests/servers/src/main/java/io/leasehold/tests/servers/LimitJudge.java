package io.leasehold.tests.servers;

import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Judges whether clients keep their limits: an nginx on two ports whose limit_conn answers {@link #REFUSED} to a request when more than so
 * many connections have one under way. Behind nginx is an application that takes its time, so that requests do overlap.
 */
public final class LimitJudge implements Closeable {
    /** The status of a request on one connection too many. */
    public static final int REFUSED = 503;
    /** The body of every other response. */
    public static final String SERVED = "ok";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger mostUnderWay = new AtomicInteger();
    private final AtomicInteger arrived = new AtomicInteger();
    private final HttpServer application;
    private final Nginx nginx;

    /**
     * Starts the judge with the limits for each port and in total. The first {@code meeting} requests wait in the application for each
     * other, so that at least as many are under way at once; it must not be more than the limits let in.
     */
    public LimitJudge(int perPort, int total, int meeting) throws Exception {
        CyclicBarrier first = new CyclicBarrier(meeting);
        application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.setExecutor(threads);
        application.createContext("/", exchange -> {
            mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
            try {
                if (arrived.incrementAndGet() <= meeting) {
                    first.await(20, TimeUnit.SECONDS);
                }
                Thread.sleep(2);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            underWay.decrementAndGet();
            exchange.sendResponseHeaders(200, SERVED.length());
            exchange.getResponseBody().write(SERVED.getBytes("US-ASCII"));
            exchange.close();
        });
        application.start();
        try {
            nginx = Nginx.builder().ports(2)
                    .directive("limit_conn_zone $server_port zone=port:1m;")
                    .directive("limit_conn_zone $server_addr zone=total:1m;")
                    .location("/", "limit_conn port " + perPort + "; limit_conn total " + total + "; limit_conn_status " + REFUSED
                            + "; proxy_pass http://127.0.0.1:" + application.getAddress().getPort() + ";")
                    .start();
        } catch (Throwable e) {
            stopApplication();
            throw e;
        }
    }

    /** The URL on the port of that number, 0 or 1. */
    public String url(int index) {
        return nginx.url(index, "/");
    }

    /** How many connections the judge has accepted. */
    public long connections() throws IOException {
        return nginx.connections();
    }

    /** How many requests the application has had under way at once, at most. */
    public int mostUnderWay() {
        return mostUnderWay.get();
    }

    @Override
    public void close() throws IOException {
        stopApplication();
        nginx.close();
    }

    private void stopApplication() {
        application.stop(0);
        threads.shutdownNow();
    }
}
