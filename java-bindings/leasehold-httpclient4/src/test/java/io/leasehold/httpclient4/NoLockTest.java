package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.CoarseClock;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Monitors;
import java.io.IOException;
import java.net.InetAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No lock is held while a connection is made, validated or closed: whoever is held up there holds up nobody else. */
class NoLockTest {
    private enum Moment { MADE, VALIDATED, CLOSED }

    @RegisterExtension
    final Loopback server = new Loopback();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final CountDownLatch isHeldUp = new CountDownLatch(1);
    private final Monitors monitors = new Monitors();
    // At what moment the next connection to come there is held up; null for none.
    private volatile Moment moment;
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager((route, config) -> {
        pass(Moment.MADE);
        return new HeldUp();
    }));

    @AfterEach
    void stop() {
        goOn.countDown();
        threads.shutdown();
    }

    @Test
    void whileAConnectionIsMade() throws Exception {
        moment = Moment.MADE;
        Future<?> heldUp = threads.submit(() -> leaseOpen(manager, server.route(), null));
        everybodyElseGoesOn(heldUp);
    }

    @Test
    void whileAConnectionIsValidated() throws Exception {
        manager.setValidateAfterInactivity(1);
        keep(manager, leaseOpen(manager, server.route(), null));
        long now = CoarseClock.currentTimeMillis();
        Eventually.await("a later millisecond", () -> CoarseClock.currentTimeMillis() > now);
        moment = Moment.VALIDATED;
        Future<?> heldUp = threads.submit(() -> leaseOpen(manager, server.route(), null));
        everybodyElseGoesOn(heldUp);
    }

    @Test
    void whileAConnectionIsClosed() throws Exception {
        keep(manager, leaseOpen(manager, server.route(), null));
        moment = Moment.CLOSED;
        Future<?> heldUp = threads.submit(() -> {
            manager.closeIdleConnections(0, TimeUnit.SECONDS);
            return null;
        });
        everybodyElseGoesOn(heldUp);
    }

    private void everybodyElseGoesOn(Future<?> heldUp) throws Exception {
        assertTrue(isHeldUp.await(20, TimeUnit.SECONDS));
        manager.setMaxTotal(19);
        HttpRoute another = new HttpRoute(server.host(), InetAddress.getByName("127.0.0.1"), false);
        for (HttpRoute route : new HttpRoute[] {server.route(), another}) {
            for (int i = 0; i < 3; i++) {
                HttpClientConnection connection = leaseOpen(manager, route, i == 1 ? "somebody" : null);
                manager.releaseConnection(connection, i == 1 ? "somebody" : null, 0, TimeUnit.SECONDS);
                manager.closeExpiredConnections();
                manager.closeIdleConnections(0, TimeUnit.SECONDS);
            }
            assertEquals(0, manager.getStats(route).getAvailable());
        }
        assertEquals(0, manager.getTotalStats().getAvailable());
        assertTrue(!heldUp.isDone());
        goOn.countDown();
        heldUp.get();
        assertTrue(monitors.asked() > 0);
        assertEquals(emptyList(), monitors.held());
    }

    private void pass(Moment here) {
        monitors.ask();
        if (moment != here) {
            return;
        }
        moment = null;
        isHeldUp.countDown();
        try {
            assertTrue(goOn.await(20, TimeUnit.SECONDS), "somebody waits for this");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private final class HeldUp extends DefaultManagedHttpClientConnection {
        HeldUp() {
            super("held up", 8192);
        }

        @Override
        public boolean isStale() {
            pass(Moment.VALIDATED);
            return super.isStale();
        }

        @Override
        public void close() throws IOException {
            pass(Moment.CLOSED);
            super.close();
        }
    }
}
