package io.leasehold.tests.httpclient4;

import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.Watching;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FlightRecording;
import io.leasehold.testsupport.FlightRecording.Recorded;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.routing.HttpRoute;
import org.junit.jupiter.api.Test;

/** A client's requests to a real server, as the JDK's flight recorder has recorded them. */
class FlightRecorderTest {
    private static final String POOL = "recorded";

    private static List<String> told(List<Recorded> events, String kind, String... fields) {
        return events.stream().filter(event -> event.name().equals(kind))
                .map(event -> event.get("route") + Arrays.stream(fields).map(field -> " " + event.get(field)).reduce("", String::concat))
                .collect(toList());
    }

    @Test
    void eachKindOfEventIsFoundInTheRecording() throws Exception {
        assumeTrue(FlightRecording.isPossible(), "this JDK has no flight recorder");
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        manager.setName(POOL);
        manager.setMaxTotal(1);
        Client client = Client.Kind.HTTP_CLIENT.on(manager);
        try (Nginx server = Nginx.builder().keepAlive(100).start(); FlightRecording recording = FlightRecording.begin()) {
            String route = new HttpRoute(new HttpHost("127.0.0.1", server.port())).toString();
            // The recording began after the pool: its events come when the housekeeper has seen that.
            Eventually.await("pools are told of", () -> {
                client.send("GET", server.url(WebServer.HELLO));
                manager.closeIdleConnections(0, TimeUnit.SECONDS);
                return !recording.of(POOL).isEmpty();
            });
            long byPeer = manager.getCounters().closedByPeer();
            int before = told(recording.of(POOL), "ConnectionClosed").size();

            // The server closes what is idle, and the watch tells.
            client.send("GET", server.url(WebServer.HELLO));
            Eventually.await("it is closed", () -> manager.getCounters().closedByPeer() == byPeer + 1);
            Eventually.await("that is told", () -> told(recording.of(POOL), "ConnectionClosed").size() == before + 1);
            List<Recorded> events = recording.of(POOL);
            Recorded closed = events.get(events.size() - 1);
            assertEquals(Arrays.asList(route + " PEER_CLOSED 1"),
                    told(Collections.singletonList(closed), "ConnectionClosed", "cause", "uses"));
            // The server keeps it for a tenth of a second.
            assertTrue(((Duration) closed.get("age")).toMillis() >= 50, closed::toString);

            // The next lease finds out.
            manager.setWatching(Watching.OFF);
            manager.setValidateAfterInactivity(1);
            client.send("GET", server.url(WebServer.HELLO));
            server.awaitConnectionsClosed();
            client.send("GET", server.url(WebServer.HELLO));
            Eventually.await("that is told", () -> told(recording.of(POOL), "ConnectionClosed").size() == before + 2);
            assertEquals(Arrays.asList(route), told(recording.of(POOL), "StaleFound"));
            manager.closeIdleConnections(0, TimeUnit.SECONDS);

            // One waits, in vain.
            HttpRoute elsewhere = new HttpRoute(new HttpHost("elsewhere"));
            HttpClientConnection leased = manager.requestConnection(elsewhere, null).get(0, TimeUnit.SECONDS);
            assertThrows(ConnectionPoolTimeoutException.class,
                    () -> manager.requestConnection(elsewhere, null).get(10, TimeUnit.MILLISECONDS));
            manager.releaseConnection(leased, null, 0, TimeUnit.SECONDS);
            events = recording.of(POOL);
            assertEquals(Arrays.asList(elsewhere + " TIMED_OUT"), told(events, "LeaseWaited", "result"));
            String text = told(events, "PoolExhausted", "text").get(0);
            String expected = elsewhere + " no connection came free in time; recorded: route " + elsewhere + " [leased: 1;";
            assertTrue(text.startsWith(expected), text);

            // One is lost.
            lose(manager, elsewhere);
            Eventually.awaitAfterCollection("the leak is told", () -> told(recording.of(POOL), "LeaseLeaked").size() == 1);
            assertEquals(Arrays.asList(elsewhere.toString()), told(recording.of(POOL), "LeaseLeaked"));
            int opened = told(recording.of(POOL), "ConnectionOpened").size();
            Eventually.await("all are closed", () -> told(recording.of(POOL), "ConnectionClosed").size() >= opened);
        } finally {
            manager.close();
        }
    }

    private static void lose(LeaseholdHttpClientConnectionManager manager, HttpRoute route) throws Exception {
        manager.requestConnection(route, null).get(0, TimeUnit.SECONDS);
    }
}
