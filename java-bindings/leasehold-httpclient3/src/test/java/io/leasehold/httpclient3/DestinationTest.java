package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;

/** Which configurations have one route, and which of them are known without being made again. */
class DestinationTest {
    private final SimpleSocketFactory sockets = Socket::new;
    private final Protocol http = new Protocol("http", sockets, 80);
    private final Destination.Finder finder = new Destination.Finder(false);

    private HostConfiguration to(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, 80, http);
        return configuration;
    }

    @Test
    void aConfigurationThatWasAskedForIsKnown() {
        Destination known = finder.of(to("a"));
        assertSame(known, finder.of(to("a")));
        HostConfiguration equal = to("a");
        equal.setHost("a", 80, new Protocol("http", sockets, 80));
        assertSame(known, finder.of(equal));
    }

    @Test
    void oneWithoutAHostIsRefusedAsIn31() {
        HostConfiguration nowhere = new HostConfiguration();
        String refusal = assertThrows(IllegalArgumentException.class, () -> new HttpConnection(nowhere)).getMessage();
        assertEquals(refusal, assertThrows(IllegalArgumentException.class, () -> finder.of(nowhere)).getMessage());
    }

    @Test
    void whatDiffersInAnythingHasARouteOfItsOwn() throws Exception {
        List<Consumer<HostConfiguration>> changes = new ArrayList<>();
        changes.add(configuration -> { });
        changes.add(configuration -> configuration.setHost("b", 80, http));
        changes.add(configuration -> configuration.setHost("A", 80, http));
        changes.add(configuration -> configuration.setHost("a", 81, http));
        changes.add(configuration -> configuration.setHost("a", 80, new Protocol("http", (SimpleSocketFactory) Socket::new, 80)));
        changes.add(configuration -> configuration.setProxy("p", 1));
        changes.add(configuration -> configuration.setProxy("q", 1));
        changes.add(configuration -> configuration.setProxy("p", 2));
        for (String address : new String[] {"127.0.0.1", "127.0.0.2"}) {
            InetAddress local = InetAddress.getByName(address);
            changes.add(configuration -> configuration.setLocalAddress(local));
        }
        // Each is asked for twice, of two finders, so that routes are compared that are not the same object.
        List<Route> routes = new ArrayList<>();
        for (Consumer<HostConfiguration> change : changes) {
            HostConfiguration configuration = to("a");
            change.accept(configuration);
            Destination found = finder.of(configuration);
            assertSame(found, finder.of(configuration));
            routes.add(found.route());
        }
        for (int i = 0; i < routes.size(); i++) {
            for (int j = 0; j < routes.size(); j++) {
                assertEquals(i == j, routes.get(i).equals(routes.get(j)), routes.get(i) + " and " + routes.get(j));
            }
        }
    }

    @Test
    void routesMadeAnewAreEqualAsLongAsTheProtocolIsInUse() throws Exception {
        HostConfiguration whole = to("a");
        whole.setProxy("p", 1);
        whole.setLocalAddress(InetAddress.getByName("127.0.0.1"));
        for (HostConfiguration configuration : new HostConfiguration[] {to("a"), whole}) {
            Destination first = finder.of(configuration);
            driveOut();
            Destination again = finder.of(configuration);
            assertNotSame(first, again);
            assertEquals(first.route(), again.route());
            assertEquals(first.route().hashCode(), again.route().hashCode());
            assertNotEquals(first.route(), (Object) "a route");
            assertEquals(withoutParameters(configuration), withoutParameters(again.route()));
        }
    }

    private static String withoutParameters(Object printed) {
        return printed.toString().replaceAll(", params=.*", "");
    }

    /** Asks for so many others that what was known before is not any more. */
    private void driveOut() {
        for (int i = 0; i < 20_000; i++) {
            finder.of(to("other-" + i));
        }
    }

    @Test
    void manyAreAllKnownAfterSomeRounds() {
        int count = 60;
        for (int round = 0; round < 50; round++) {
            int known = 0;
            Destination[] before = new Destination[count];
            for (int i = 0; i < count; i++) {
                before[i] = finder.of(to("host-" + i));
            }
            for (int i = 0; i < count; i++) {
                known += finder.of(to("host-" + i)) == before[i] ? 1 : 0;
            }
            if (known == count) {
                return;
            }
        }
        throw new AssertionError("of " + count + " some are made again and again");
    }

    @Test
    void noMoreThanAThousandAreKept() throws Exception {
        List<WeakReference<Destination>> made = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            made.add(new WeakReference<>(finder.of(to("host-" + i))));
        }
        Eventually.awaitAfterCollection("all but 1024 to go", () -> made.stream().filter(each -> each.get() != null).count() <= 1024);
        assertTrue(made.get(made.size() - 1).get() != null);
    }

    @Test
    void theSpellingOfNamesCountsOnlyWhereItDoesIn31() {
        HostConfiguration upper = to("A");
        upper.setProxy("P", 1);
        HostConfiguration lower = to("a");
        lower.setProxy("p", 1);
        assertNotEquals(finder.of(lower).route(), finder.of(upper).route());
        Destination.Finder simple = new Destination.Finder(true);
        assertSame(simple.of(lower), simple.of(upper));
        assertSame(simple.of(to("a")), simple.of(to("A")));
    }

    @Test
    void aConnectionGoesThereUntilItIsTurned() throws Exception {
        HostConfiguration configuration = to("a");
        configuration.setProxy("p", 1);
        configuration.setLocalAddress(InetAddress.getByName("127.0.0.1"));
        Destination destination = finder.of(configuration);
        assertTrue(destination.isOf(new HttpConnection(configuration)));
        List<Consumer<HttpConnection>> turns = new ArrayList<>();
        turns.add(connection -> connection.setHost("b"));
        turns.add(connection -> connection.setPort(81));
        turns.add(connection -> connection.setProtocol(new Protocol("http", (SimpleSocketFactory) Socket::new, 80)));
        turns.add(connection -> connection.setProxyHost("q"));
        turns.add(connection -> connection.setProxyHost(null));
        turns.add(connection -> connection.setProxyPort(2));
        turns.add(connection -> connection.setLocalAddress(null));
        for (Consumer<HttpConnection> turn : turns) {
            HttpConnection connection = new HttpConnection(configuration);
            turn.accept(connection);
            assertFalse(destination.isOf(connection));
        }
    }
}
