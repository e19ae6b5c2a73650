package io.leasehold.internal.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.DelegatingSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who is written down as watched under a descriptor's number. That the system tells of closes, tests of the pool say. */
class IdleWatchTest {
    private final List<Attachment> added = new ArrayList<>();
    private ServerSocket server;
    private Stubborn socket;
    private Socket wrapper;
    private int registrations;

    @BeforeEach
    void connect() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        socket = new Stubborn(server);
        wrapper = new DelegatingSocket(socket);
    }

    @AfterEach
    void close() throws IOException {
        added.forEach(IdleWatch::remove);
        socket.close();
        server.close();
    }

    private Attachment of(Socket attached) {
        Attachment made = new Attachment(FoundSocket.of(attached));
        assertTrue(made.isKnown());
        // As who removes it is to believe.
        made.isWatched = true;
        added.add(made);
        return made;
    }

    private boolean add(Attachment attachment) {
        return IdleWatch.add(attachment, () -> {
            registrations++;
            return true;
        });
    }

    @Test
    void whatTheSystemDoesNotTakeIsNotWatched() {
        Attachment refused = of(socket);
        assertFalse(IdleWatch.add(refused, () -> false));
        // Nobody has the number, so another need not be in use for certain.
        Attachment other = of(wrapper);
        socket.isClosing = true;
        assertTrue(add(other));
        assertTrue(IdleWatch.isOpen());
    }

    @Test
    void aSocketThatIsWatchedAgainIsRegisteredOnceEachTimeAndNotAskedWhetherItIsInUse() {
        assertTrue(add(of(socket)));
        assertEquals(1, registrations);
        // That would wait for a close that lingers.
        socket.isClosing = true;
        assertTrue(add(of(socket)));
        assertEquals(2, registrations);
    }

    @Test
    void whoComesWithAnothersNumberMustBeInUse() {
        Attachment first = of(socket);
        Attachment second = of(wrapper);
        assertTrue(add(first));
        socket.isClosing = true;
        assertFalse(add(second));
        assertEquals(1, registrations);
        socket.isClosing = false;
        assertTrue(add(second));
    }

    @Test
    void whoComesWhileAnotherTakesTheNumberLooksAgain() {
        Attachment made = of(socket);
        Attachment meanwhile = of(wrapper);
        socket.meanwhile = () -> assertTrue(add(meanwhile));
        assertTrue(add(made));
        assertEquals(2, registrations);
        // That one is written down as watched.
        IdleWatch.remove(meanwhile);
        socket.isClosing = true;
        assertFalse(add(of(wrapper)));
    }

    @Test
    void aClosedSocketIsNotWatched() throws Exception {
        Attachment late = of(socket);
        socket.close();
        assertFalse(add(late));
        assertEquals(0, registrations);
    }

    @Test
    void whoHasItsNumberNoLongerTakesNobodyOut() {
        Attachment before = of(socket);
        Attachment now = of(socket);
        assertTrue(add(before));
        assertTrue(add(now));
        IdleWatch.remove(before);
        socket.isClosing = true;
        Attachment another = of(wrapper);
        assertFalse(add(another), "the one that has the number was taken out");
        IdleWatch.remove(now);
        assertTrue(add(another), "it is still there");
    }
}
