package io.leasehold.internal.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.natives.Descriptors;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is asked of sockets and set on them, also where they fail. */
class SocketDescriptorsTest {
    private static final int MILLIS = 1234;

    private final RuntimeException failure = new IllegalStateException("of the test's own making");
    private ServerSocket server;
    private Stubborn socket;

    @BeforeEach
    void connect() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        socket = new Stubborn(server);
    }

    @AfterEach
    void close() throws IOException {
        socket.failure = null;
        socket.close();
        server.close();
    }

    /** Whether that a socket failed is a line of the log, though nobody is thrown it. */
    private boolean isLogged(Runnable asking) {
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            asking.run();
            return log.thrown().contains(failure);
        }
    }

    @Test
    void aSocketThatFailsCountsAsOneThatCannotBeUsedAndIsLogged() {
        socket.failure = failure;
        assertTrue(isLogged(() -> assertEquals(Descriptors.UNKNOWN, SocketDescriptors.probe(socket, socket, 0))));
        assertTrue(isLogged(() -> assertFalse(SocketDescriptors.isOpen(socket))));
        assertTrue(isLogged(() -> assertFalse(SocketDescriptors.isInUse(socket))));
        assertTrue(isLogged(() -> assertFalse(SocketDescriptors.lingers(socket))));
        assertTrue(isLogged(() -> SocketDescriptors.boundReads(new Bounded(failure), MILLIS)));
        assertTrue(isLogged(() -> SocketDescriptors.passOver(failure)));
        assertFalse(isLogged(() -> SocketDescriptors.passOver(new IOException(failure))));
    }

    @Test
    void whatWasClosedMeanwhileIsNothingToTellOf() throws Exception {
        assertTrue(SocketDescriptors.isOpen(socket));
        assertTrue(SocketDescriptors.isInUse(socket));
        socket.close();
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            assertFalse(SocketDescriptors.isOpen(socket));
            assertFalse(SocketDescriptors.isInUse(socket));
            assertFalse(SocketDescriptors.lingers(socket));
            assertFalse(log.thrown().stream().anyMatch(thrown -> thrown instanceof SocketException), log.lines()::toString);
        }
    }

    @Test
    void aCloseThatIsToResetStaysOne() throws Exception {
        socket.setSoLinger(true, 0);
        SocketDescriptors.doNotLinger(socket);
        assertEquals(0, socket.getSoLinger());
        assertFalse(SocketDescriptors.lingers(socket));
        socket.setSoLinger(true, 600);
        assertTrue(SocketDescriptors.lingers(socket));
        SocketDescriptors.doNotLinger(socket);
        assertEquals(-1, socket.getSoLinger());
    }

    @Test
    void aSocketThatCannotBeKeptFromLingeringIsLogged() throws Exception {
        try (Socket lingering = new Socket() {
            @Override
            public int getSoLinger() {
                return 600;
            }

            @Override
            public void setSoLinger(boolean on, int seconds) {
                throw failure;
            }
        }) {
            assertTrue(isLogged(() -> SocketDescriptors.doNotLinger(lingering)));
        }
    }

    /** Says how long its reads may take, or fails to. */
    private static final class Bounded extends Socket {
        private final RuntimeException failure;
        private int millis;

        Bounded(RuntimeException failure) {
            this.failure = failure;
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public void setSoTimeout(int millis) {
            if (failure != null) {
                throw failure;
            }
            this.millis = millis;
        }
    }

    /** Is made by who asks a socket for what it has not connected itself. */
    private static final class Opened extends SocketImpl {
        private boolean isOpened;

        @Override
        protected void create(boolean isStream) {
            isOpened = true;
        }

        @Override
        public void setOption(int option, Object value) {}

        @Override
        public Object getOption(int option) {
            return 0;
        }

        @Override
        protected void connect(String host, int port) {}

        @Override
        protected void connect(InetAddress address, int port) {}

        @Override
        protected void connect(SocketAddress address, int timeout) {}

        @Override
        protected void bind(InetAddress host, int port) {}

        @Override
        protected void listen(int backlog) {}

        @Override
        protected void accept(SocketImpl other) {}

        @Override
        protected InputStream getInputStream() {
            return null;
        }

        @Override
        protected OutputStream getOutputStream() {
            return null;
        }

        @Override
        protected int available() {
            return 0;
        }

        @Override
        protected void close() {}

        @Override
        protected void sendUrgentData(int data) {}
    }

    @Test
    void readsAreBoundedOfWhatIsConnectedItselfOrPassesThatOn() throws Exception {
        SocketDescriptors.boundReads(socket, MILLIS);
        assertEquals(MILLIS, socket.getSoTimeout());
        Bounded bounded = new Bounded(null);
        SocketDescriptors.boundReads(bounded, MILLIS);
        assertEquals(MILLIS, bounded.millis);
    }

    @Test
    void nothingIsOpenedToBoundReads() throws Exception {
        Opened ofOneThatWrapsAnother = new Opened();
        SocketDescriptors.boundReads(new Socket(ofOneThatWrapsAnother) {
            @Override
            public boolean isConnected() {
                return true;
            }
        }, MILLIS);
        assertFalse(ofOneThatWrapsAnother.isOpened);
        Opened ofOneThatIsNotConnected = new Opened();
        SocketDescriptors.boundReads(new Socket(ofOneThatIsNotConnected) {}, MILLIS);
        assertFalse(ofOneThatIsNotConnected.isOpened);
    }
}
