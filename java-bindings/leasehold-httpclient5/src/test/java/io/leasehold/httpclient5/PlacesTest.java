package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.managed.ManagedConnections;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.Test;

/** Who is found among a pool's entries, and who is not any more. */
class PlacesTest {
    private final Closing<Conn> closing = new Closing<>(new OwnTreatment<>(null, null), new ManagedConnections<>());
    private final Places<String, Conn> places = new Places<>();
    private final Conn connection = new Conn("c");

    private Tie<String, Conn> tie() {
        return new Tie<>("a", TimeValue.NEG_ONE_MILLISECOND, closing);
    }

    /** Entries are found by their identity's hash, which is no other's almost always. */
    @Test
    void entriesOfOneHashAreToldApart() {
        Map<Integer, Tie<String, Conn>> seen = new HashMap<>();
        Tie<String, Conn> first = null;
        Tie<String, Conn> second = null;
        // Of 31 bits: some 60,000.
        while (first == null) {
            second = tie();
            first = seen.put(System.identityHashCode(second.entry), second);
        }
        Place<String, Conn> placeOfFirst = places.add(first, closing);
        assertNull(places.of(second.entry));
        Place<String, Conn> placeOfSecond = places.add(second, closing);
        assertSame(placeOfFirst, places.of(first.entry));
        assertSame(placeOfSecond, places.of(second.entry));
        assertEquals(2, places.all().size());
        placeOfFirst.leave();
        assertNull(places.of(first.entry));
        assertSame(placeOfSecond, places.of(second.entry));
    }

    @Test
    void whatEndsLeavesAnOpenPoolAndIsKnownToAClosedOne() {
        Tie<String, Conn> first = tie();
        places.add(first, closing).end();
        assertNull(places.of(first.entry));
        Tie<String, Conn> second = tie();
        Place<String, Conn> place = places.add(second, closing);
        place.kept = second.entry;
        second.entry.assignConnection(connection);
        assertTrue(closing.closePool(CloseMode.IMMEDIATE));
        assertFalse(closing.closePool(CloseMode.GRACEFUL));
        place.end();
        assertSame(place, places.of(second.entry));
        assertTrue(connection.isClosed());
    }

    @Test
    void aConnectionThatWasOpenedIsLookedForAmongWhatIsLeasedWithout() {
        Tie<String, Conn> tie = tie();
        Place<String, Conn> place = places.add(tie, closing);
        tie.entry.assignConnection(connection);
        assertSame(place, places.ofOpened(connection));
        assertNull(places.ofOpened(new Conn("another's")));
        places.filled(place);
        assertNull(places.ofOpened(connection));
        // It is closed while nobody leases it.
        places.emptied(place);
        assertNull(places.ofOpened(connection));
        ConnectionPool<String, Conn> pool = ConnectionPool.<String, Conn>builder((closed, cause) -> {}).build();
        tie.begin(pool.tryLease("a"));
        places.emptied(place);
        assertSame(place, places.ofOpened(connection));
        pool.close();
        // It is lost.
        place.clear();
        assertNull(places.ofOpened(connection));
    }

    /** That of its own, but of which it says how it closes, and notes what goes. */
    private static Closing<Conn> closing(boolean mayBlock, List<Object> gone) {
        OwnTreatment<String, Conn> own = new OwnTreatment<>(null, null);
        @SuppressWarnings("unchecked") // It is one.
        Treatment<String, Conn> treatment = (Treatment<String, Conn>) Proxy.newProxyInstance(
                PlacesTest.class.getClassLoader(), new Class<?>[] {Treatment.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "mayBlockToClose":
                            return mayBlock;
                        case "letGo":
                            gone.addAll(Arrays.asList(arguments));
                            return null;
                        default:
                            return method.invoke(own, arguments);
                    }
                });
        return new Closing<>(treatment, new ManagedConnections<>());
    }

    @Test
    void aPlaceIsAskedOfItsConnectionAndOfNoneIfItHasNone() {
        for (boolean mayBlock : new boolean[] {true, false}) {
            List<Object> gone = new ArrayList<>();
            Closing<Conn> asked = closing(mayBlock, gone);
            Tie<String, Conn> tie = new Tie<>("a", TimeValue.NEG_ONE_MILLISECOND, asked);
            Place<String, Conn> place = places.add(tie, asked);
            assertFalse(place.isKnown(known -> true));
            assertFalse(place.mayBlockToClose());
            place.letGo(Cause.EXPIRED);
            assertEquals("[]", gone.toString());
            place.known = connection;
            assertTrue(place.isKnown(known -> known == connection));
            assertFalse(place.isKnown(known -> false));
            assertEquals(mayBlock, place.mayBlockToClose());
            place.letGo(Cause.EXPIRED);
            assertEquals(Arrays.asList(connection, Cause.EXPIRED), gone);
            // A reset waits for nobody.
            asked.closePool(CloseMode.IMMEDIATE);
            assertFalse(place.mayBlockToClose());
        }
    }
}
