package io.leasehold.tests.servers;

import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernel's table of TCP sockets, as far as it concerns one server port on this machine. A loopback connection is in it
 * twice, once for each side.
 */
public final class SocketTable {
    /** The side of a connection that a socket is of. */
    public enum Side { CLIENT, SERVER }

    /** TCP's states, in the order of the numbers that Linux gives them, from 1. */
    public enum State {
        ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING, NEW_SYN_RECV
    }

    // Which of a socket's timers runs, in the numbers of Linux.
    private static final String KEEP_ALIVE = "02";
    private static final String ZERO_WINDOW_PROBE = "04";

    private static final class Socket {
        final Side side;
        final State state;
        final long unread;
        final String timer;

        Socket(Side side, State state, long unread, String timer) {
            this.side = side;
            this.state = state;
            this.unread = unread;
            this.timer = timer;
        }

        @Override
        public String toString() {
            return side + " " + state;
        }
    }

    private final List<Socket> sockets;

    private SocketTable(List<Socket> sockets) {
        this.sockets = sockets;
    }

    /** The sockets of both sides of the connections to a server port. */
    public static SocketTable ofPort(int serverPort) throws IOException {
        // Java's sockets are IPv6 sockets where there is IPv6, whatever address they are connected to.
        return ofPort(serverPort, lines(Paths.get("/proc/self/net/tcp")), lines(Paths.get("/proc/self/net/tcp6")));
    }

    /**
     * The same, of the lines of the kernel's two files. They are not of one moment: while others open and close connections the kernel may
     * list a socket several times over.
     */
    static SocketTable ofPort(int serverPort, List<String> ipv4, List<String> ipv6) {
        Map<String, Socket> found = new LinkedHashMap<>();
        for (List<String> file : Arrays.asList(ipv4, ipv6)) {
            for (String line : file) {
                // number: local address:port, remote address:port, state, bytes to send:bytes to read, timer:when, all in hexadecimal
                String[] fields = line.trim().split("\\s+");
                long local = afterColon(fields[1]);
                long remote = afterColon(fields[2]);
                if (remote != 0 && (local == serverPort || remote == serverPort)) {
                    State state = State.values()[Integer.parseInt(fields[3], 16) - 1];
                    found.put(fields[1] + " " + fields[2], new Socket(
                            local == serverPort ? Side.SERVER : Side.CLIENT, state, afterColon(fields[4]), fields[5].substring(0, 2)));
                }
            }
        }
        return new SocketTable(new ArrayList<>(found.values()));
    }

    /** How many sockets of a side are in one of the states. */
    public int count(Side side, State... states) {
        int n = 0;
        for (Socket socket : sockets) {
            if (socket.side == side && Arrays.asList(states).contains(socket.state)) {
                n++;
            }
        }
        return n;
    }

    /** How many bytes have arrived on a side that its program has not read. */
    public long unread(Side side) {
        return sockets.stream().filter(socket -> socket.side == side).mapToLong(socket -> socket.unread).sum();
    }

    /** Whether an open socket of a side waits to ask its peer whether it is still there. */
    public boolean hasKeepAlive(Side side) {
        return hasTimer(side, KEEP_ALIVE);
    }

    /** Whether an open socket of a side has bytes to send for which its peer has no room. */
    public boolean isHeldUp(Side side) {
        return hasTimer(side, ZERO_WINDOW_PROBE);
    }

    private boolean hasTimer(Side side, String timer) {
        return sockets.stream().anyMatch(socket -> socket.side == side && socket.state == State.ESTABLISHED && socket.timer.equals(timer));
    }

    /** Whether no connection is on its way from one state to another, so that looking again shows the same. */
    public boolean isSettled() {
        State[] passing = {State.SYN_SENT, State.SYN_RECV, State.NEW_SYN_RECV, State.FIN_WAIT1, State.LAST_ACK, State.CLOSING};
        return count(Side.CLIENT, passing) + count(Side.SERVER, passing) == 0;
    }

    /** The table of the port once it is settled. */
    public static SocketTable settled(int serverPort) throws Exception {
        Eventually.await("the sockets of port " + serverPort + " are settled", () -> ofPort(serverPort).isSettled());
        return ofPort(serverPort);
    }

    /** The same once the server, which may take its time, has also closed what its clients have closed. */
    public static SocketTable settledOnBothSides(int serverPort) throws Exception {
        Eventually.await("the server has closed what its clients closed, on port " + serverPort,
                () -> ofPort(serverPort).count(Side.SERVER, State.CLOSE_WAIT) == 0);
        return settled(serverPort);
    }

    @Override
    public String toString() {
        return sockets.toString();
    }

    private static List<String> lines(Path file) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.US_ASCII);
        } catch (NoSuchFileException noIpv6) {
            return Collections.emptyList();
        }
        return lines.subList(1, lines.size());
    }

    private static long afterColon(String field) {
        return Long.parseLong(field.substring(field.lastIndexOf(':') + 1), 16);
    }
}
