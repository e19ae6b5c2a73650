package io.leasehold;

import static java.util.Arrays.stream;
import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.DelegatingSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import java.io.OutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.http.apache.internal.net.SdkSocket;
import software.amazon.awssdk.http.apache.internal.net.SdkSslSocket;

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
                return tlsByItself(TestTls.context());
            }
        },
        TLS_LAYERED {
            @Override
            Pair connect() throws Exception {
                return tls(ours -> over(ours, TestTls.context()));
            }
        },
        TLS_OVER_TLS {
            @Override
            Pair connect() throws Exception {
                Pair below = TLS_LAYERED.connect();
                return tls(below, ours -> over(ours, TestTls.context()));
            }
        },
        DELEGATING {
            @Override
            Pair connect() throws Exception {
                Pair pair = PLAIN.connect();
                return new Pair(new DelegatingSocket(pair.ours), pair.theirs);
            }
        },
        DELEGATING_TWICE {
            @Override
            Pair connect() throws Exception {
                Pair pair = DELEGATING.connect();
                return new Pair(new WrappedSockets.Unseen(pair.ours), pair.theirs);
            }
        },
        DELEGATING_TO_A_CHANNEL {
            @Override
            Pair connect() throws Exception {
                Pair pair = OF_A_CHANNEL.connect();
                return new Pair(new DelegatingSocket(pair.ours), pair.theirs);
            }
        },
        /** Nothing leads to the socket but the stream. */
        DELEGATING_UNSEEN {
            @Override
            Pair connect() throws Exception {
                Pair pair = PLAIN.connect();
                return new Pair(new WrappedSockets.Unseen(pair.ours), pair.theirs);
            }
        },
        /** The stream is the one of the JDK's TLS. */
        DELEGATING_UNSEEN_TO_TLS {
            @Override
            Pair connect() throws Exception {
                Pair pair = TLS_LAYERED.connect();
                return new Pair(new WrappedSockets.Unseen(pair.ours), pair.theirs);
            }
        },
        TLS_OVER_DELEGATING {
            @Override
            Pair connect() throws Exception {
                return tls(ours -> over(new DelegatingSocket(ours), TestTls.context()));
            }
        },
        AWS {
            @Override
            Pair connect() throws Exception {
                Pair pair = PLAIN.connect();
                return new Pair(new SdkSocket(pair.ours), pair.theirs);
            }
        },
        AWS_TLS {
            @Override
            Pair connect() throws Exception {
                Pair pair = TLS_LAYERED.connect();
                return new Pair(new SdkSslSocket((SSLSocket) pair.ours), pair.theirs);
            }
        },
        AWS_TLS_OVER_AWS {
            @Override
            Pair connect() throws Exception {
                return tls(ours -> new SdkSslSocket(over(new SdkSocket(ours), TestTls.context())));
            }
        },
        CONSCRYPT {
            @Override
            Pair connect() throws Exception {
                return tlsByItself(WrappedSockets.conscrypt());
            }
        },
        CONSCRYPT_LAYERED {
            @Override
            Pair connect() throws Exception {
                return tls(ours -> over(ours, WrappedSockets.conscrypt()));
            }
        },
        BOUNCY_CASTLE {
            @Override
            Pair connect() throws Exception {
                return tlsByItself(WrappedSockets.bouncyCastle());
            }
        },
        BOUNCY_CASTLE_LAYERED {
            @Override
            Pair connect() throws Exception {
                return tls(ours -> over(ours, WrappedSockets.bouncyCastle()));
            }
        },
        /** As an AWS client has it whose TLS is Conscrypt's, through a proxy that is spoken to in Bouncy Castle's. */
        ALL_THREE {
            @Override
            Pair connect() throws Exception {
                Pair below = BOUNCY_CASTLE_LAYERED.connect();
                return tls(below, ours -> new SdkSslSocket(over(ours, WrappedSockets.conscrypt())));
            }
        };

        abstract Pair connect() throws Exception;

        /** Whether somebody else reads the bytes that wait before the connection's user does. */
        boolean isOpaque() {
            return this != PLAIN && this != PLAIN_WITHOUT_PROXY && this != ACCEPTED && this != OF_A_CHANNEL;
        }

        boolean isWrapped() {
            return isOpaque() && this != TLS && this != TLS_LAYERED && this != TLS_OVER_TLS && this != CONSCRYPT && this != BOUNCY_CASTLE;
        }

        boolean isTls() {
            return isOpaque() && !name().startsWith("DELEGATING") && this != AWS || this == DELEGATING_UNSEEN_TO_TLS;
        }
    }

    /** What is layered over a connected socket. */
    private interface Layer {
        SSLSocket over(Socket connected) throws Exception;
    }

    private static Pair tls(Layer layer) throws Exception {
        return tls(Kind.PLAIN.connect(), layer);
    }

    private static Pair tls(Pair below, Layer layer) throws Exception {
        SSLSocket theirs = over(below.theirs, TestTls.context());
        theirs.setUseClientMode(false);
        return handshaken(layer.over(below.ours), theirs);
    }

    private static SSLSocket over(Socket connected, SSLContext context) throws Exception {
        return (SSLSocket) context.getSocketFactory().createSocket(connected, "localhost", connected.getPort(), true);
    }

    private static Pair tlsByItself(SSLContext context) throws Exception {
        try (ServerSocket server = TestTls.context().getServerSocketFactory().createServerSocket(0, 1, LOOPBACK)) {
            return handshaken(context.getSocketFactory().createSocket(LOOPBACK, server.getLocalPort()), server.accept());
        }
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

        void end() throws IOException {
            close(ours);
            close(theirs);
        }
    }

    /** Closes a socket whose peer may have closed before. */
    static void close(Socket socket) throws IOException {
        try {
            socket.close();
        } catch (SocketException e) {
            // Bouncy Castle's could not say goodbye.
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

    private Pair pair;

    @AfterEach
    void close() throws Exception {
        if (pair != null) {
            pair.end();
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

    static List<Kind> thoseWithoutTls() {
        return stream(Kind.values()).filter(kind -> !kind.isTls()).collect(toList());
    }

    @ParameterizedTest
    @MethodSource("thoseWithoutTls")
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
        Eventually.await("the reset", () -> pair.probe.ask() == Liveness.CLOSED);
        // The system does not know any more where it went, which a wrapper says.
        assertEquals(kind.isWrapped() ? Liveness.UNKNOWN : Liveness.CLOSED, Sockets.probe(pair.ours));
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
    void aProbeKnowsItsSocketAndWhatWaitingBytesMeanThere() throws Exception {
        pair = Kind.PLAIN.connect();
        assertTrue(pair.probe.isOf(pair.ours));
        assertFalse(pair.probe.isOf(pair.theirs));
        assertEquals(Liveness.ALIVE, pair.probe.betweenRequests(false));
        pair.theirs.getOutputStream().write(1);
        becomes(Liveness.READABLE);
        assertEquals(Liveness.CLOSED, pair.probe.betweenRequests(false));
        assertEquals(Liveness.UNKNOWN, pair.probe.betweenRequests(true));
        assertFalse(pair.probe.mayBlockToClose());
        pair.ours.setSoLinger(true, 1);
        assertTrue(pair.probe.mayBlockToClose());
    }

    @Test
    void aWayOfWatchingSaysWhatItTakes() {
        assertEquals("[false, true, false, true]",
                Arrays.toString(stream(Watching.values()).map(Watching::probes).toArray()));
        assertEquals("[false, false, true, true]",
                Arrays.toString(stream(Watching.values()).map(Watching::watches).toArray()));
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
