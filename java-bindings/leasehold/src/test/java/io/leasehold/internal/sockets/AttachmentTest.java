package io.leasehold.internal.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.natives.SecondDescriptor;
import io.leasehold.testsupport.DelegatingSocket;
import io.leasehold.testsupport.Eventually;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is known of a connection's socket, and what becomes of that when the socket has gone. */
class AttachmentTest {
    private ServerSocket server;
    private Stubborn socket;
    private Attachment attachment;

    @BeforeEach
    void connect() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        socket = new Stubborn(server);
        attachment = new Attachment(FoundSocket.of(socket));
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        server.close();
    }

    @Test
    void itIsOfItsSocketAsThatIsNoticed() throws Exception {
        attachment.isWatched = true;
        assertTrue(attachment.isOf(socket));
        assertTrue(attachment.isOf(socket, true, false));
        assertFalse(attachment.isOf(socket, false, false));
        assertFalse(attachment.isOf(socket, true, true));
        try (Socket other = new DelegatingSocket(socket)) {
            assertFalse(attachment.isOf(other));
            assertFalse(attachment.isOf(other, true, false));
        }
        try (Socket unknown = new Socket()) {
            Attachment ofUnknown = new Attachment(FoundSocket.of(unknown));
            assertTrue(ofUnknown.isOf(unknown));
            // It may be known by now.
            assertFalse(ofUnknown.isOf(unknown, false, false));
        }
    }

    @Test
    void aSocketThatNobodyHasAnyMoreSaysNothingOfItsConnection() {
        attachment.clear();
        assertFalse(attachment.isDead());
        assertFalse(attachment.isOpen());
        assertFalse(attachment.isInUse());
        assertNull(attachment.duplicate());
    }

    /** Passes on to a socket that it can be parted from. */
    private static final class Parting extends Socket {
        private Socket inner;
        private final SocketAddress local;
        private final SocketAddress remote;

        Parting(Socket inner) {
            this.inner = inner;
            local = inner.getLocalSocketAddress();
            remote = inner.getRemoteSocketAddress();
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return local;
        }

        @Override
        public SocketAddress getRemoteSocketAddress() {
            return remote;
        }
    }

    @Test
    void aWrapperWhoseInnerSocketIsGoneIsDead() throws Exception {
        try (Parting wrapper = new Parting(new Socket(server.getInetAddress(), server.getLocalPort()))) {
            Attachment ofWrapper = new Attachment(FoundSocket.of(wrapper));
            assertTrue(ofWrapper.isKnown());
            assertFalse(ofWrapper.isDead());
            wrapper.inner = null;
            Eventually.awaitAfterCollection("it is dead", ofWrapper::isDead);
        }
    }

    @Test
    void aClosedSocketIsNeitherOpenNorInUseNorDuplicated() throws Exception {
        assertTrue(attachment.isOpen());
        assertTrue(attachment.isInUse());
        SecondDescriptor second = attachment.duplicate();
        assertNotNull(second);
        second.close();
        socket.close();
        assertFalse(attachment.isOpen());
        assertFalse(attachment.isInUse());
        assertNull(attachment.duplicate());
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    @Test
    void theDuplicateOfWhatIsFoundToBeClosingIsNotKept() {
        socket.isClosing = true;
        int before = descriptors();
        for (int i = 0; i < 300; i++) {
            assertNull(attachment.duplicate());
        }
        assertEquals(0, (descriptors() - before) / 100, "descriptors are left");
    }
}
