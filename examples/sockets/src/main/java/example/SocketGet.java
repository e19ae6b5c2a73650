package example;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Gets a URL three times over one pooled socket. It knows as much of HTTP as that takes. */
public final class SocketGet {
    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0]);
        InetSocketAddress address = new InetSocketAddress(uri.getHost(), uri.getPort());
        try (ConnectionPool<InetSocketAddress, Socket> pool = pool()) {
            for (int i = 0; i < 3; i++) {
                System.out.println(get(pool, address, uri.getPath()));
            }
        }
    }

    /** A pool closes what it lets go by the method that it is given here, which must not refer to the pool. */
    public static ConnectionPool<InetSocketAddress, Socket> pool() {
        return ConnectionPool.<InetSocketAddress, Socket>builder(SocketGet::close).maxPerRoute(10).build();
    }

    private static void close(Socket socket, Cause cause) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Gets a page over a pooled socket.
     *
     * @return the response's first line and its length
     */
    public static String get(ConnectionPool<InetSocketAddress, Socket> pool, InetSocketAddress address, String path) throws Exception {
        try (Lease<Socket> lease = pool.lease(address, Duration.ofSeconds(5))) {
            return get(lease, address, path);
        } // discards the connection if anything was thrown
    }

    private static String get(Lease<Socket> lease, InetSocketAddress address, String path) throws IOException {
        if (lease.isVacancy()) {
            Socket socket = new Socket(address.getHostName(), address.getPort());
            lease.opened(socket);
            lease.attach(socket); // from here on the pool notices when the server closes it
        }
        String answer = exchange(lease.connection(), path); // a request and its whole response
        lease.updateExpiry(Duration.ofSeconds(30)); // as the server promised
        lease.release();
        return answer;
    }

    /**
     * Gets a page without a thread that waits for a connection: one of the executor's has work once there is one.
     *
     * @return the response's first line and its length
     */
    public static CompletableFuture<String> getAsync(
            ConnectionPool<InetSocketAddress, Socket> pool, InetSocketAddress address, String path, Executor executor) {
        return pool.leaseAsync(address, Duration.ofSeconds(5)).thenApplyAsync(lease -> {
            try (Lease<Socket> mine = lease) {
                return get(mine, address, path);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, executor);
    }

    private static String exchange(Socket socket, String path) throws IOException {
        String request = "GET " + path + " HTTP/1.1\r\nHost: " + socket.getInetAddress().getHostName() + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        InputStream in = socket.getInputStream();
        String status = line(in);
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase().startsWith("content-length:")) {
                length = Integer.parseInt(header.substring("content-length:".length()).trim());
            }
        }
        for (int i = 0; i < length; i++) {
            read(in);
        }
        return status + ", " + length + " bytes";
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = read(in); c != '\n'; c = read(in)) {
            line.append((char) c);
        }
        return line.toString().trim();
    }

    private static int read(InputStream in) throws IOException {
        int c = in.read();
        if (c < 0) {
            throw new EOFException("the server closed in the middle of its response");
        }
        return c;
    }
}
