package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketImpl;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.KeyStore;
import java.util.concurrent.FutureTask;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What can be known of sockets of every kind, in every state of their peer. */
class SocketsTest {
    /** Ways to come by a socket. */
    enum Kind {
        PLAIN {
            @Override
            Pair connect() throws Exception {
                try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
                    Socket ours = new Socket(LOOPBACK, server.getLocalPort());
                    return new Pair(ours, server.accept());
                }
            }
        },
        PLAIN_WITHOUT_PROXY {
            @Override
            Pair connect() throws Exception {
                try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
                    Socket ours = new Socket(Proxy.NO_PROXY);
                    ours.connect(server.getLocalSocketAddress());
                    return new Pair(ours, server.accept());
                }
            }
        },
        ACCEPTED {
            @Override
            Pair connect() throws Exception {
                Pair pair = PLAIN.connect();
                return new Pair(pair.theirs, pair.ours);
            }
        },
        OF_A_CHANNEL {
            @Override
            Pair connect() throws Exception {
                try (ServerSocketChannel server = ServerSocketChannel.open()) {
                    server.bind(new java.net.InetSocketAddress(LOOPBACK, 0));
                    SocketAddress address = server.getLocalAddress();
                    return new Pair(SocketChannel.open(address).socket(), server.accept().socket());
                }
            }
        },
        TLS {
            @Override
            Pair connect() throws Exception {
                SSLContext context = context();
                try (SSLServerSocket server =
                        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 1, LOOPBACK)) {
                    Socket ours = context.getSocketFactory().createSocket(LOOPBACK, server.getLocalPort());
                    return handshaken(ours, server.accept());
                }
            }
        },
        TLS_LAYERED {
            @Override
            Pair connect() throws Exception {
                SSLContext context = context();
                try (SSLServerSocket server =
                        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 1, LOOPBACK)) {
                    Socket plain = new Socket(LOOPBACK, server.getLocalPort());
                    Socket ours = context.getSocketFactory()
                            .createSocket(plain, "localhost", server.getLocalPort(), true);
                    return handshaken(ours, server.accept());
                }
            }
        };

        abstract Pair connect() throws Exception;
    }

    static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    static final class Pair {
        final Socket ours;
        final Socket theirs;
        final SocketProbe probe;

        Pair(Socket ours, Socket theirs) {
            this.ours = ours;
            this.theirs = theirs;
            probe = SocketProbe.of(ours);
        }
    }

    /** Handshakes and passes one byte each way, so that session tickets are read and the socket is idle. */
    private static Pair handshaken(Socket ours, Socket theirs) throws Exception {
        FutureTask<Void> server = new FutureTask<>(() -> {
            int seen = theirs.getInputStream().read();
            theirs.getOutputStream().write(seen);
            return null;
        });
        new Thread(server).start();
        ((SSLSocket) ours).startHandshake();
        ours.getOutputStream().write(7);
        assertEquals(7, ours.getInputStream().read());
        server.get();
        return new Pair(ours, theirs);
    }

    private static SSLContext context() throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = SocketsTest.class.getResourceAsStream("localhost.p12")) {
            keys.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        ours.init(keys, "changeit".toCharArray());
        TrustManagerFactory theirs = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        theirs.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(ours.getKeyManagers(), theirs.getTrustManagers(), null);
        return context;
    }

    private Pair pair;

    @AfterEach
    void close() throws Exception {
        if (pair != null) {
            pair.ours.close();
            pair.theirs.close();
        }
    }

    private void becomes(Liveness wanted) throws Exception {
        Eventually.await("the socket is " + wanted, () -> Sockets.probe(pair.ours) == wanted);
        assertEquals(wanted, pair.probe.ask());
    }

    @ParameterizedTest
    @EnumSource
    void anIdleConnectionIsAlive(Kind kind) throws Exception {
        pair = kind.connect();
        for (int i = 0; i < 1_000; i++) {
            assertEquals(Liveness.ALIVE, Sockets.probe(pair.ours));
            assertEquals(Liveness.ALIVE, pair.probe.ask());
        }
        pair.theirs.getOutputStream().write(1);
        assertEquals(1, pair.ours.getInputStream().read());
        assertEquals(Liveness.ALIVE, Sockets.probe(pair.ours));
    }

    @ParameterizedTest
    @EnumSource
    void bytesThatWaitMakeItReadable(Kind kind) throws Exception {
        pair = kind.connect();
        pair.theirs.getOutputStream().write(1);
        becomes(Liveness.READABLE);
        assertEquals(1, pair.ours.getInputStream().read(), "a probe takes nothing away");
    }

    @ParameterizedTest
    @EnumSource
    void aPeerThatClosesMakesItClosed(Kind kind) throws Exception {
        pair = kind.connect();
        pair.theirs.close();
        becomes(Liveness.CLOSED);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"TLS", "TLS_LAYERED"})
    void aPeerThatClosesItsHalfMakesItClosedAlsoWithBytesWaiting(Kind kind) throws Exception {
        pair = kind.connect();
        OutputStream out = pair.theirs.getOutputStream();
        out.write(new byte[10]);
        pair.theirs.shutdownOutput();
        becomes(Liveness.CLOSED);
    }

    @ParameterizedTest
    @EnumSource
    void aResetMakesItClosed(Kind kind) throws Exception {
        pair = kind.connect();
        pair.theirs.setSoLinger(true, 0);
        pair.theirs.close();
        becomes(Liveness.CLOSED);
    }

    @ParameterizedTest
    @EnumSource
    void oneThatWeClosedIsClosed(Kind kind) throws Exception {
        pair = kind.connect();
        pair.ours.close();
        assertEquals(Liveness.CLOSED, Sockets.probe(pair.ours));
        // Another socket may have the number of its descriptor by now.
        assertEquals(Liveness.CLOSED, pair.probe.ask());
    }

    @Test
    void oneThatIsNotConnectedIsUnknown() throws Exception {
        try (Socket socket = new Socket()) {
            assertEquals(Liveness.UNKNOWN, Sockets.probe(socket));
            assertEquals(Liveness.UNKNOWN, SocketProbe.of(socket).ask());
        }
        assertEquals(Liveness.UNKNOWN, Sockets.probe(null));
        assertEquals(Liveness.UNKNOWN, SocketProbe.of(null).ask());
    }

    @Test
    void oneOfSomebodyElsesMakingIsUnknown() throws Exception {
        Socket foreign = new Socket((SocketImpl) null) {
            @Override
            public boolean isClosed() {
                return false;
            }
        };
        assertEquals(Liveness.UNKNOWN, Sockets.probe(foreign));
        assertEquals(Liveness.UNKNOWN, SocketProbe.of(foreign).ask());
        Socket broken = new Socket() {
            @Override
            public boolean isClosed() {
                throw new IllegalStateException("of the test's own making");
            }
        };
        assertEquals(Liveness.UNKNOWN, Sockets.probe(broken));
        assertEquals(Liveness.UNKNOWN, SocketProbe.of(broken).ask());
    }

    @Test
    void aProbeLeavesTheSocketsOptionsAlone() throws Exception {
        pair = Kind.PLAIN.connect();
        pair.ours.setSoTimeout(1234);
        assertEquals(Liveness.ALIVE, Sockets.probe(pair.ours));
        assertEquals(1234, pair.ours.getSoTimeout());
        assertTrue(pair.ours.isConnected());
    }
}
