package io.leasehold;

import io.leasehold.internal.sockets.FoundSocket;
import java.net.Socket;
import java.net.SocketException;

/**
 * TCP keep-alive: how the operating system finds out about a peer that vanished without a word, as a crashed machine does,
 * or behind a firewall that forgot the connection. Nothing else tells of those.
 *
 * <p>A connection on which nothing has arrived for the idle time is asked again and again, with the interval between, and
 * breaks when a number of probes in a row found no answer: {@code idle + interval * probes} seconds after the last word. From
 * then on it counts as closed by its peer.
 *
 * <p>Immutable.
 */
public final class TcpKeepAlive {
    /** What Linux takes at most. */
    private static final int MOST_SECONDS = 32_767;
    private static final int MOST_PROBES = 127;

    private final int idle;
    private final int interval;
    private final int probes;

    private TcpKeepAlive(int idle, int interval, int probes) {
        this.idle = idle;
        this.interval = interval;
        this.probes = probes;
    }

    /**
     * Describes it.
     *
     * @param idle after how many seconds of silence the peer is asked for the first time, 1 to 32767
     * @param interval how many seconds lie between two probes, 1 to 32767
     * @param probes how many probes go unanswered before the connection breaks, 1 to 127
     * @return what can be set on sockets
     * @throws IllegalArgumentException if one of them is out of its range
     */
    public static TcpKeepAlive of(int idle, int interval, int probes) {
        return new TcpKeepAlive(
                checked("idle", idle, MOST_SECONDS, "seconds"),
                checked("interval", interval, MOST_SECONDS, "seconds"),
                checked("probes", probes, MOST_PROBES, "of them"));
    }

    private static int checked(String what, int value, int most, String unit) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException(
                    "TCP keep-alive: " + what + " must be 1 to " + most + " " + unit + ", not " + value);
        }
        return value;
    }

    /**
     * Switches it on for a socket, with these times. They hold until they are set anew.
     *
     * @param socket a connected socket, which no other thread may close meanwhile
     * @return false if its descriptor cannot be reached (see {@link Sockets#probe}): then nothing was set
     * @throws SocketException if the operating system refuses
     * @throws IllegalArgumentException if {@code socket} is null
     */
    public boolean setOn(Socket socket) throws SocketException {
        return setOn(FoundSocket.of(Arguments.given(socket, "socket", "say which is to have it")));
    }

    /**
     * As {@link #setOn(Socket)}, of a socket whose descriptor was looked for before.
     *
     * @param socket the probe of a connected socket, which no other thread may close meanwhile
     * @return false if its descriptor cannot be reached, or the socket was closed: then nothing was set
     * @throws SocketException if the operating system refuses
     * @throws IllegalArgumentException if {@code socket} is null
     */
    public boolean setOn(SocketProbe socket) throws SocketException {
        return setOn(Arguments.given(socket, "socket", "say which is to have it").found());
    }

    private boolean setOn(FoundSocket socket) throws SocketException {
        String failure = socket.setTcpKeepAlive(idle, interval, probes);
        if (failure != null && !failure.isEmpty()) {
            throw new SocketException("TCP keep-alive could not be set: " + failure);
        }
        return failure == null;
    }

    @Override
    public String toString() {
        return "[idle: " + idle + " s; interval: " + interval + " s; probes: " + probes + "]";
    }
}
