package io.leasehold.internal.sockets;

import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.natives.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLSocket;

/**
 * A connection's socket, and the descriptor that it comes down to, looked for once.
 *
 * <p>A socket of the JDK's has its descriptor itself, or is TLS over one that has. Others' sockets may only pass on to another one, which
 * is found where a wrapper, or a class that it extends, has one field that can hold a socket, or else where the stream that it reads from
 * leads to one; in it the next one is looked for, up to a few layers. Such a field may hold anything, the connection to a proxy, say, that
 * many share. So what was found is believed only if each wrapper on the way says that it goes from that descriptor's address to that of
 * its peer.
 *
 * <p>Nothing is asked of a wrapper that could open or change anything: a method of {@link Socket} that its class has not overridden would
 * be answered by a socket that was never connected, and make the JDK open one for it. Its stream HttpClient asks for as well.
 *
 * <p>Immutable. It refers to its sockets.
 */
public final class FoundSocket {
    private static final int NONE = -1;
    // TLS through a TLS proxy is two, and each may be wrapped once or twice. What leads in a circle ends here, too.
    private static final int MOST_LAYERS = 8;

    private final Socket socket;
    private final Socket base;
    private final int descriptor;
    private final boolean isTls;
    private final boolean isWrapped;

    private FoundSocket(Socket socket, Socket base, int descriptor, boolean isTls, boolean isWrapped) {
        this.socket = socket;
        this.base = base;
        this.descriptor = descriptor;
        this.isTls = isTls;
        this.isWrapped = isWrapped;
    }

    /**
     * Looks for the descriptor of a socket, which stays the same for as long as the socket is connected.
     *
     * @param socket the socket, which no other thread may close meanwhile; may be null
     * @return what was found
     */
    public static FoundSocket of(Socket socket) {
        if (socket != null && NativeLibrary.reachesDescriptors()) {
            try {
                FoundSocket found = search(socket);
                if (found != null) {
                    return found;
                }
            } catch (IOException | RuntimeException | LinkageError e) {
                SocketDescriptors.passOver(e);
            }
        }
        return new FoundSocket(socket, ofTheJdk(socket), NONE, socket instanceof SSLSocket, false);
    }

    private static FoundSocket search(Socket socket) throws IOException {
        List<Socket> wrappers = new ArrayList<>(0);
        boolean isTls = false;
        Socket base = socket;
        Socket layer = socket;
        for (int layers = 0; layer != null && layers < MOST_LAYERS; layers++) {
            isTls |= layer instanceof SSLSocket;
            int descriptor = ownDescriptor(layer);
            if (descriptor != NONE) {
                return isBetweenTheirEnds(descriptor, wrappers)
                        ? new FoundSocket(socket, base, descriptor, isTls, !wrappers.isEmpty())
                        : null;
            }
            Socket below = Descriptors.layerBelow(layer);
            if (below == null) {
                wrappers.add(layer);
                below = passedOnTo(layer);
                base = below;
            }
            layer = below;
        }
        return null;
    }

    private static int ownDescriptor(Socket socket) {
        int descriptor = SocketDescriptors.isOpen(socket) ? Descriptors.of(socket) : NONE;
        // A socket that only passes on may have one that was never connected: it would be told of as hung up at once.
        return descriptor != NONE && Descriptors.probe(descriptor) != NONE ? descriptor : NONE;
    }

    /** The socket that a wrapper passes on to; null if that cannot be told. */
    private static Socket passedOnTo(Socket wrapper) throws IOException {
        Socket held = only(Socket.class, wrapper);
        return held != null ? held : behindItsStream(wrapper);
    }

    private static Socket behindItsStream(Socket wrapper) throws IOException {
        Object stream = isOverridden(wrapper, "getInputStream") ? wrapper.getInputStream() : null;
        for (int layers = 0; stream != null && layers < MOST_LAYERS; layers++) {
            Socket read = only(Socket.class, stream);
            // A stream that is the wrapper's own leads back to it.
            if (read != null && read != wrapper) {
                return read;
            }
            stream = only(InputStream.class, stream);
        }
        return null;
    }

    /** What an object has in its only field that can hold such a thing; null if there is nothing in it, or more than one field. */
    private static <T> T only(Class<T> type, Object holder) {
        Field only = null;
        for (Class<?> declaring = holder.getClass(); declaring != null; declaring = declaring.getSuperclass()) {
            for (Field field : declaring.getDeclaredFields()) {
                if (type.isAssignableFrom(field.getType()) && !Modifier.isStatic(field.getModifiers())) {
                    if (only != null) {
                        return null;
                    }
                    only = field;
                }
            }
        }
        return only == null ? null : type.cast(Descriptors.field(holder, only));
    }

    /** Whether a descriptor's socket is connected from where to where all wrappers around it say that they are. */
    private static boolean isBetweenTheirEnds(int descriptor, List<Socket> wrappers) {
        boolean isLocal = areOverridden(wrappers, "getLocalAddress") && areOverridden(wrappers, "getLocalPort");
        boolean isPeer = areOverridden(wrappers, "getInetAddress") && areOverridden(wrappers, "getPort");
        if (!isLocal && !areOverridden(wrappers, "getLocalSocketAddress")
                || !isPeer && !areOverridden(wrappers, "getRemoteSocketAddress")) {
            return false;
        }
        for (Socket wrapper : wrappers) {
            SocketAddress local = isLocal
                    ? new InetSocketAddress(wrapper.getLocalAddress(), wrapper.getLocalPort())
                    : wrapper.getLocalSocketAddress();
            SocketAddress peer = isPeer
                    ? new InetSocketAddress(wrapper.getInetAddress(), wrapper.getPort())
                    : wrapper.getRemoteSocketAddress();
            if (!isComplete(local) || !isComplete(peer)
                    || !Descriptors.connects(descriptor, (InetSocketAddress) local, (InetSocketAddress) peer)) {
                return false;
            }
        }
        return true;
    }

    /** Whether a method is, by all of them: one may pass the question on to the next. */
    private static boolean areOverridden(List<Socket> wrappers, String method) {
        for (Socket wrapper : wrappers) {
            if (!isOverridden(wrapper, method)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isComplete(SocketAddress address) {
        return address instanceof InetSocketAddress && !((InetSocketAddress) address).isUnresolved();
    }

    /** Whether a class that extends {@link Socket} has its own answer to a question that takes no argument. */
    private static boolean isOverridden(Socket wrapper, String method) {
        try {
            return wrapper.getClass().getMethod(method).getDeclaringClass() != Socket.class;
        } catch (NoSuchMethodException e) {
            throw new AssertionError("it is a socket", e);
        }
    }

    /** A socket that is connected and of the JDK's own making, so that it can be asked for its options; else null. */
    private static Socket ofTheJdk(Socket socket) {
        return socket != null && socket.getClass().getClassLoader() == null && !(socket instanceof SSLSocket) && socket.isConnected()
                ? socket : null;
    }

    /**
     * The socket of the connection.
     *
     * @return the socket that was looked into, or null
     */
    public Socket socket() {
        return socket;
    }

    /** The socket that can be asked for its options, and whether the descriptor is still its own; null if none is known. */
    Socket base() {
        return base;
    }

    /**
     * The descriptor.
     *
     * @return the descriptor, or -1 if none can be reached
     */
    public int descriptor() {
        return descriptor;
    }

    /**
     * Whether bytes that wait to be read say nothing of the connection, because TLS or somebody else's wrapper reads them first.
     *
     * @return true if so
     */
    public boolean isOpaque() {
        return isTls || isWrapped;
    }

    /**
     * Asks the operating system whether the socket is alive. No other thread may close it meanwhile.
     *
     * @return one of the answers of {@link Descriptors#probe}
     */
    public int probe() {
        return SocketDescriptors.probe(socket, base, descriptor);
    }

    /**
     * Sets TCP keep-alive on the socket. No other thread may close it meanwhile.
     *
     * @param idle seconds
     * @param interval seconds
     * @param probes how many
     * @return null if it was set, an empty text if there is no way to the descriptor, else what the operating system says
     */
    public String setTcpKeepAlive(int idle, int interval, int probes) {
        // Its descriptor may be another's by now.
        boolean isReached = descriptor != NONE && SocketDescriptors.isOpen(socket) && SocketDescriptors.isOpen(base);
        return isReached ? Descriptors.keepAlive(descriptor, idle, interval, probes) : "";
    }

    /**
     * Whether closing the socket may wait for its peer.
     *
     * @return true if it may; of a socket of somebody else's making whose descriptor was not found only TLS is known to
     */
    public boolean mayBlockToClose() {
        return isTls || base != null && SocketDescriptors.lingers(base);
    }
}
