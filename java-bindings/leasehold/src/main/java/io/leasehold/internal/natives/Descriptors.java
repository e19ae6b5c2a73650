package io.leasehold.internal.natives;

import java.io.InputStream;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.net.Socket;

/** The descriptors of sockets: reaches them, by private fields, which only native code may read, and asks and sets what is theirs. */
public final class Descriptors {
    /** There is no descriptor, or it tells nothing. */
    public static final int UNKNOWN = -1;
    // In step with sockets.rs.
    /** Connected, and nothing waits to be read. */
    public static final int ALIVE = 0;
    /** The peer has closed its side or reset the connection, or this side has closed. */
    public static final int CLOSED = 1;
    /** Bytes wait to be read. */
    public static final int READABLE = 2;

    private Descriptors() {}

    /** The first field or class that this JDK lacks, or null. While the library is loaded. */
    static String missing() {
        return findFields();
    }

    private static native String findFields();

    /**
     * A socket's own descriptor.
     *
     * @param socket the socket
     * @return the descriptor; {@link #UNKNOWN} if none can be reached
     */
    public static int of(Socket socket) {
        return descriptor(socket);
    }

    private static native int descriptor(Socket socket);

    /**
     * What a TLS socket of the JDK's is layered over.
     *
     * @param socket the socket
     * @return the socket below; null if it is no such socket, or connected by itself
     */
    public static Socket layerBelow(Socket socket) {
        return below(socket);
    }

    private static native Socket below(Socket socket);

    /**
     * What an object has in a field, whoever may see it. Only sockets and streams are told: what else an object keeps to itself is nobody's
     * business.
     *
     * @param holder the object
     * @param field one of its fields, that can hold a socket or a stream to read from
     * @return what is in it
     */
    public static Object field(Object holder, Field field) {
        Class<?> type = field.getType();
        if (!Socket.class.isAssignableFrom(type) && !InputStream.class.isAssignableFrom(type)) {
            throw new IllegalArgumentException("neither a socket nor a stream: " + field);
        }
        return field(holder, field.getDeclaringClass(), field.getName(), "L" + type.getName().replace('.', '/') + ";");
    }

    private static native Object field(Object holder, Class<?> declaring, String name, String signature);

    /**
     * Whether a descriptor's socket is connected.
     *
     * @param descriptor the descriptor
     * @param local from this address
     * @param peer to this one
     * @return true if it is, from and to there
     */
    public static boolean connects(int descriptor, InetSocketAddress local, InetSocketAddress peer) {
        return connects(descriptor, local.getAddress().getAddress(), local.getPort(), peer.getAddress().getAddress(), peer.getPort());
    }

    private static native boolean connects(int descriptor, byte[] local, int localPort, byte[] peer, int peerPort);

    /**
     * What the operating system says of a socket without waiting.
     *
     * @param descriptor its descriptor, of a socket that no other thread may close meanwhile
     * @return {@link #ALIVE}, {@link #CLOSED}, {@link #READABLE} or {@link #UNKNOWN}
     */
    public static int probe(int descriptor) {
        return ask(descriptor);
    }

    private static native int ask(int descriptor);

    /**
     * Sets TCP keep-alive on a socket.
     *
     * @param descriptor its descriptor, of a socket that no other thread may close meanwhile
     * @param idle seconds
     * @param interval seconds
     * @param probes how many
     * @return null if it was set, else what the operating system says
     */
    public static String keepAlive(int descriptor, int idle, int interval, int probes) {
        return setTcpKeepAlive(descriptor, idle, interval, probes);
    }

    private static native String setTcpKeepAlive(int descriptor, int idle, int interval, int probes);
}
