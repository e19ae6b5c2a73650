package io.leasehold.tests.agent.programs;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What each of these programs does with the clients that it has made: requests, then a server that closes all that is idle, then a request
 * more by each client. The programs know nothing of an agent. They print what they see.
 */
final class Visits {
    /** A client. */
    interface Client {
        /** A request: the answer's body. */
        String get(String url) throws Exception;
    }

    private static final long PATIENCE_NANOS = 120_000_000_000L;

    private final String url;
    private final List<Client> clients = new ArrayList<>();

    Visits(String url) {
        this.url = url;
    }

    void add(Client client) {
        clients.add(client);
    }

    static void say(String what, Object value) {
        System.out.println(what + "=" + value);
    }

    /** How many of these are left, once there is none or much time is over. */
    static <T> long awaitCollection(List<WeakReference<T>> all) throws InterruptedException {
        long start = System.nanoTime();
        long left;
        do {
            System.gc();
            Thread.sleep(2);
            left = all.stream().filter(each -> each.get() != null).count();
        } while (left > 0 && System.nanoTime() - start < PATIENCE_NANOS);
        return left;
    }

    void run() throws Exception {
        say("clients", clients.size());
        for (Client each : clients) {
            for (int i = 0; i < 3; i++) {
                String answer = each.get(url + "/hello");
                if (!answer.equals("hello")) {
                    throw new IllegalStateException(answer);
                }
            }
        }
        say("closeWait", closeIdle());
        int lost = 0;
        for (Client each : clients) {
            try {
                each.get(url + "/hello");
            } catch (Exception e) {
                lost++;
            }
        }
        say("lost", lost);
    }

    /** Has the server close what is idle; how many of this program's sockets are left in CLOSE_WAIT. */
    private String closeIdle() throws Exception {
        URI uri = new URI(url);
        try (Socket socket = new Socket("127.0.0.1", uri.getPort())) {
            socket.getOutputStream().write("GET /close-idle HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            String last = null;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                last = line;
            }
            return last;
        }
    }
}
