package io.leasehold.testsupport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What the kernel says of one side of a connection on this machine. */
public final class TcpState {
    /** There is no such socket. */
    public static final int NONE = 0;
    /** It was closed first, and the other side knows and has closed, too. In the numbers of Linux. */
    public static final int TIME_WAIT = 6;

    private static final int FIN_WAIT1 = 4;
    private static final int LAST_ACK = 9;
    private static final int CLOSING = 11;

    private TcpState() {}

    /** The state of the socket from a port to another, in the numbers of Linux. */
    public static int of(int localPort, int remotePort) throws IOException {
        String[] found = find(localPort, remotePort);
        return found == null ? NONE : Integer.parseInt(found[3], 16);
    }

    /** Whether the socket from a port to another has something under way, bytes or its end, that the other side has not acknowledged. */
    public static boolean hasUnacknowledged(int localPort, int remotePort) throws IOException {
        String[] found = find(localPort, remotePort);
        if (found == null) {
            return false;
        }
        int state = Integer.parseInt(found[3], 16);
        return state == FIN_WAIT1 || state == LAST_ACK || state == CLOSING || !found[4].startsWith("00000000:");
    }

    /** Number, local address:port, remote address:port, state, bytes to send:bytes to read and more, in hexadecimal; null for none. */
    private static String[] find(int localPort, int remotePort) throws IOException {
        // Java's sockets are IPv6 sockets where there is IPv6, whatever address they are connected to.
        for (String file : Arrays.asList("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
            for (String line : lines(Paths.get(file))) {
                String[] fields = line.trim().split("\\s+", 6);
                if (port(fields[1]) == localPort && port(fields[2]) == remotePort) {
                    return fields;
                }
            }
        }
        return null;
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

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1), 16);
    }
}
