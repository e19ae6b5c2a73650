package io.leasehold.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.testsupport.Eventually;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WebServerTest {
    static Stream<ServerBuilder<?>> kinds() {
        return Stream.of(Nginx.builder(), Httpd.builder(), Tomcat.builder());
    }

    static Stream<ServerBuilder<?>> kindsThatReload() {
        return kinds().filter(kind -> !kind.name().equals("tomcat"));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void answersAndCountsConnections(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.ports(2).start(); Client first = new Client(server.port()); Client second = new Client(server.port(1))) {
            for (int i = 0; i < 3; i++) {
                assertEquals("HTTP/1.1 200", first.request("GET", WebServer.HELLO));
            }
            assertEquals("HTTP/1.1 200", second.request("POST", WebServer.HELLO));

            Eventually.await("both connections are counted", () -> server.connections() == 2);
            assertEquals(1, server.sockets().count(Side.CLIENT, State.ESTABLISHED));
            assertEquals(1, server.sockets().count(Side.SERVER, State.ESTABLISHED));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void closesAfterGoodbye(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.start(); Client client = new Client(server.port())) {
            assertEquals("HTTP/1.1 200", client.request("GET", WebServer.GOODBYE));
            assertTrue(client.isAtEnd());
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void closesIdleConnections(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.keepAlive(50).start(); Client client = new Client(server.port())) {
            client.request("GET", WebServer.HELLO);
            assertTrue(client.isAtEnd());
            assertEquals(1, SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void comesBackOnItsPort(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.start()) {
            try (Client client = new Client(server.port())) {
                client.request("GET", WebServer.HELLO);
                server.stop();
                assertTrue(client.isAtEnd());
                assertThrows(IOException.class, () -> new Client(server.port()));
            }
            server.start();
            try (Client client = new Client(server.port())) {
                assertEquals("HTTP/1.1 200", client.request("GET", WebServer.HELLO));
                Eventually.await("only connections since the start are counted", () -> server.connections() == 1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kindsThatReload")
    void closesIdleConnectionsWhenItReloads(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.start(); Client before = new Client(server.port())) {
            before.request("GET", WebServer.HELLO);
            server.reload();
            assertTrue(before.isAtEnd());
            server.awaitOldWorkersGone();
            try (Client after = new Client(server.port())) {
                assertEquals("HTTP/1.1 200", after.request("GET", WebServer.HELLO));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void answersNobodyWhileFrozen(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.start()) {
            server.freeze();
            try (Client client = new Client(server.port())) {
                client.socket.setSoTimeout(50);
                assertThrows(SocketTimeoutException.class, () -> client.request("GET", WebServer.HELLO));
                server.thaw();
                client.socket.setSoTimeout(0);
                assertEquals("HTTP/1.1 200", client.readHead());
            }
            server.freeze();
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void saysWhatIsWrongWithItsConfiguration(ServerBuilder<?> kind) {
        IOException e = assertThrows(IOException.class, () -> kind.directive("nonsense 1;").start());
        assertTrue(e.getMessage().contains("nonsense"), e.getMessage());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void leavesNothingBehind(ServerBuilder<?> kind) throws Exception {
        WebServer server = kind.start();
        long pid = server.pid();
        server.close();
        assertFalse(Files.exists(Paths.get("/proc/" + pid)));
        assertFalse(Files.exists(server.directory));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void leavesNothingBehindWhenTheJvmIsKilled(ServerBuilder<?> kind) throws Exception {
        Process jvm = new ProcessBuilder(Paths.get(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), Abandoner.class.getName(), kind.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Path directory;
        Path process;
        try (BufferedReader out = new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
            directory = Paths.get(out.readLine());
            process = Paths.get("/proc/" + out.readLine());
            assertTrue(Files.exists(process));
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        Eventually.await("the server and its directory are gone", () -> !Files.exists(process) && !Files.exists(directory));
    }

    @Test
    void nginxSpeaksTls() throws Exception {
        try (Nginx server = Nginx.builder().tls().start();
                Socket socket = server.trust().getSocketFactory().createSocket("127.0.0.1", server.port())) {
            assertEquals("HTTP/1.1 200", new Client(socket).request("GET", WebServer.HELLO));
        }
    }

    @Test
    void httpdCountsRequestsOfEachConnection() throws Exception {
        try (Httpd server = Httpd.builder().directive("MaxKeepAliveRequests 2").start();
                Client first = new Client(server.port());
                Client second = new Client(server.port())) {
            second.request("GET", WebServer.HELLO);
            int served = 0;
            while (!first.isClosed) {
                first.request("GET", WebServer.HELLO);
                served++;
            }
            int expected = served;
            Eventually.await("the counts are right", () -> {
                List<Integer> counts = server.requestsPerConnection(0);
                Collections.sort(counts);
                return counts.equals(Arrays.asList(1, expected));
            });
        }
    }

    static Stream<ServerBuilder<?>> kindsThatAnnounceTheirKeepAlive() {
        return Stream.of(Nginx.builder().announceKeepAlive(), Httpd.builder(), Tomcat.builder());
    }

    @ParameterizedTest
    @MethodSource("kindsThatAnnounceTheirKeepAlive")
    void saysHowLongItKeepsAConnection(ServerBuilder<?> kind) throws Exception {
        try (WebServer server = kind.keepAlive(7_000).start(); Client client = new Client(server.port())) {
            client.request("GET", WebServer.HELLO);
            assertEquals(1, client.headers.stream().filter(header -> header.startsWith("Keep-Alive: timeout=7")).count(), client.headers.toString());
        }
    }

    @Test
    void tomcatAnswersInChunks() throws Exception {
        try (Tomcat server = Tomcat.builder().start(); Client client = new Client(server.port())) {
            client.send("GET", Tomcat.CHUNKED);
            assertEquals("HTTP/1.1 200", client.readHead());
            assertTrue(client.headers.contains("Transfer-Encoding: chunked"), client.headers.toString());
            for (String chunk : WebServer.GREETING.split("")) {
                assertEquals("1", client.in.readLine());
                assertEquals(chunk.trim(), client.in.readLine());
                if (chunk.equals("\n")) {
                    assertEquals("", client.in.readLine());
                }
            }
            assertEquals("0", client.in.readLine());
        }
    }

    @Test
    void tomcatEndsAConnectionAfterItsNumberOfRequests() throws Exception {
        try (Tomcat server = Tomcat.builder().directive("maxKeepAliveRequests=3").start(); Client client = new Client(server.port())) {
            for (int i = 1; i <= 3; i++) {
                client.request("GET", WebServer.HELLO);
                assertEquals(i == 3, client.isClosed);
            }
            assertTrue(client.isAtEnd());
        }
    }

    /** Starts a server and leaves it alone. */
    static final class Abandoner {
        public static void main(String[] args) throws Exception {
            WebServer server = kinds().filter(kind -> kind.name().equals(args[0])).findFirst().get().start();
            System.out.println(server.directory);
            System.out.println(server.pid());
            System.out.flush();
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    /** One connection, without any library. */
    private static final class Client implements AutoCloseable {
        final Socket socket;
        final BufferedReader in;
        /** Of the last response. */
        final List<String> headers = new ArrayList<>();
        boolean isClosed;

        Client(int port) throws IOException {
            this(new Socket(InetAddress.getLoopbackAddress(), port));
        }

        Client(Socket socket) throws IOException {
            this.socket = socket;
            socket.setSoTimeout(20_000);
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        }

        /** The status line of the response, whose body is read. */
        String request(String method, String path) throws IOException {
            send(method, path);
            String status = readHead();
            assertEquals(WebServer.GREETING.trim(), in.readLine());
            return status;
        }

        void send(String method, String path) throws IOException {
            OutputStream out = socket.getOutputStream();
            out.write((method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        }

        /** Reads the headers; returns the protocol and status code. */
        String readHead() throws IOException {
            String status = in.readLine();
            headers.clear();
            for (String header = in.readLine(); !header.isEmpty(); header = in.readLine()) {
                headers.add(header);
                isClosed |= header.equals("Connection: close");
            }
            // The reason phrase is the server's own business; Tomcat sends none.
            return status.substring(0, "HTTP/1.1 200".length());
        }

        boolean isAtEnd() throws IOException {
            return in.read() < 0;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
