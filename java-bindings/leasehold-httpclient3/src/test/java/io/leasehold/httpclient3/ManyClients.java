package io.leasehold.httpclient3;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Iterator;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.methods.GetMethod;

/**
 * A common habit of 3.1's users: a new HttpClient for every request, never shut down. A program of its own, so that what it uses up is
 * its own: {@code ManyClients (stock|leasehold) COUNT}. Prints, ten times on the way, how many descriptors and threads there are and how
 * much memory is resident, and at the end the most of each in the second half.
 */
public final class ManyClients {
    private static final ByteBuffer ANSWER = ByteBuffer.wrap(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII)).asReadOnlyBuffer();

    private ManyClients() {}

    /** Runs it. */
    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("leasehold") && !LeaseholdHttpConnectionManager.useByDefault()) {
            throw new IllegalStateException("Leasehold is not available");
        }
        int count = Integer.parseInt(arguments[1]);
        String url = "http://127.0.0.1:" + startServer() + "/";
        long[] most = new long[3];
        for (int i = 1; i <= count; i++) {
            HttpClient client = new HttpClient();
            GetMethod get = new GetMethod(url);
            if (client.executeMethod(get) != 200 || !get.getResponseBodyAsString().equals("ok")) {
                throw new IllegalStateException("wrong answer");
            }
            get.releaseConnection();
            if (i % Math.max(1, count / 100) == 0) {
                long[] now = {new File("/proc/self/fd").list().length, status("Threads"), status("VmRSS")};
                if (i > count / 2) {
                    for (int j = 0; j < now.length; j++) {
                        most[j] = Math.max(most[j], now[j]);
                    }
                }
                if (i % Math.max(1, count / 10) == 0) {
                    System.out.println(i + " clients: " + now[0] + " descriptors, " + now[1] + " threads, " + now[2] + " KiB resident");
                }
            }
        }
        System.out.println("most descriptors " + most[0]);
        System.out.println("most threads " + most[1]);
        System.out.println("most resident " + most[2]);
        System.exit(0);
    }

    private static long status(String name) throws IOException {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
            if (line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("no " + name + " in /proc/self/status");
    }

    /** One thread that answers every request it reads and closes when the client has. */
    private static int startServer() throws IOException {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        Thread server = new Thread(() -> serve(selector, listener), "server");
        server.setDaemon(true);
        server.start();
        return listener.socket().getLocalPort();
    }

    private static void serve(Selector selector, ServerSocketChannel listener) {
        ByteBuffer in = ByteBuffer.allocate(4096);
        try {
            while (true) {
                selector.select();
                for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); keys.remove()) {
                    SelectionKey key = keys.next();
                    if (key.isAcceptable()) {
                        SocketChannel accepted = listener.accept();
                        accepted.configureBlocking(false);
                        // Ended by a reset: a clean end would keep each client's port for a minute, and there are not that many.
                        accepted.setOption(StandardSocketOptions.SO_LINGER, 0);
                        accepted.register(selector, SelectionKey.OP_READ);
                        continue;
                    }
                    SocketChannel channel = (SocketChannel) key.channel();
                    in.clear();
                    // A request of this size arrives in one piece on loopback.
                    if (channel.read(in) < 0) {
                        channel.close();
                    } else {
                        channel.write(ANSWER.duplicate());
                    }
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
