package io.leasehold.internal.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What can be asked of descriptors, and which fields nobody is told. */
class DescriptorsTest {
    /** Has something of each kind. */
    private static final class Holder {
        private final Socket socket = new Socket();
        private final InputStream stream = new ByteArrayInputStream(new byte[0]);
        private final String secret = "of the test's own making";
    }

    @BeforeAll
    static void loadTheLibrary() {
        assertNull(NativeLibrary.failure());
    }

    @Test
    void onlySocketsAndStreamsAreTold() throws Exception {
        Holder holder = new Holder();
        assertSame(holder.socket, Descriptors.field(holder, Holder.class.getDeclaredField("socket")));
        assertSame(holder.stream, Descriptors.field(holder, Holder.class.getDeclaredField("stream")));
        assertThrows(IllegalArgumentException.class, () -> Descriptors.field(holder, Holder.class.getDeclaredField("secret")));
        assertEquals("of the test's own making", holder.secret);
        assertNull(Descriptors.missing());
    }

    @Test
    void aSecondDescriptorEndsTheConnectionUntilItIsClosed() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket ours = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket theirs = server.accept()) {
            int descriptor = Descriptors.of(ours);
            assertTrue(Descriptors.connects(descriptor, (InetSocketAddress) ours.getLocalSocketAddress(),
                    (InetSocketAddress) ours.getRemoteSocketAddress()));
            SecondDescriptor closed = SecondDescriptor.of(descriptor);
            assertNotNull(closed);
            closed.close();
            closed.close();
            closed.shutdown();
            assertEquals(Descriptors.ALIVE, Descriptors.probe(descriptor));
            SecondDescriptor second = SecondDescriptor.of(descriptor);
            second.shutdown();
            assertEquals(Descriptors.CLOSED, Descriptors.probe(descriptor));
            assertEquals(-1, theirs.getInputStream().read());
            second.close();
        }
        assertNull(SecondDescriptor.of(Descriptors.UNKNOWN));
    }
}
