package io.leasehold.internal.sockets;

import io.leasehold.internal.natives.PeerWatch;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * The loaded library's one watch: the operating system's list of sockets whose peer's close is to be told. It is made with the
 * first socket that is watched; the housekeeper's thread, and it alone, waits on it.
 *
 * <p>The system knows a socket by its descriptor's number, and whoever uses a connection may close its socket at any time: then the
 * number is soon another socket's. So who is watched under a number is written down here, and changes only together with the
 * registration, one change of a number at a time. A socket that comes too late finds the other one and leaves it alone.
 *
 * <p>Race window: a socket may be closed just before the system is told of it, which registers whoever has its number by then under its
 * token. It is harmless because a socket of ours is registered anew once it is attached, and of another the peer's close is told of a
 * connection that is closed already.
 *
 * <p>Which of two sockets has a number only the one that comes can tell. The one before may be in the middle of its close: a TLS socket
 * says then that it is open, and a plain one lets who asks wait, up to JDK 17 at least, though the number was given back at once. If it
 * lingers that takes as long as its peer likes.
 */
public final class IdleWatch {
    // ----- written by whoever had the first socket watched -----
    private static volatile boolean open;

    // ----- each number's entry is written inside that entry, together with the registration -----
    // By number. The sockets themselves are held weakly, and what was not taken out makes room for the next one of its number.
    private static final ConcurrentHashMap<Integer, Attachment> WATCHED = new ConcurrentHashMap<>();

    private IdleWatch() {}

    /**
     * Whether any socket was ever watched, so that there is something to wait for.
     *
     * @return true if so
     */
    public static boolean isOpen() {
        return open;
    }

    /**
     * Has a socket watched, unless it was closed meanwhile.
     *
     * @param attachment the socket
     * @param registration tells the operating system, and whether that was possible
     * @return false if nobody will tell of its peer's close
     */
    public static boolean add(Attachment attachment, BooleanSupplier registration) {
        boolean isWatched = register(attachment, registration);
        if (isWatched && !open) {
            open = true;
        }
        return isWatched;
    }

    private static boolean register(Attachment attachment, BooleanSupplier registration) {
        for (;;) {
            Attachment before = WATCHED.get(attachment.descriptor());
            // Not while the number is held on to: it may take as long as a close.
            if (before == null || before.isOf(attachment.get()) ? !attachment.isOpen() : !attachment.isInUse()) {
                return false;
            }
            // Who was written down before this one was found to have the number has it no longer; who came afterwards may have.
            Attachment now = WATCHED.compute(attachment.descriptor(), (number, other) ->
                    other == before && registration.getAsBoolean() ? attachment : other);
            if (now == attachment || now == before) {
                return now == attachment;
            }
        }
    }

    /**
     * Watches a socket no longer, if it was: before it is closed, so that nobody watches its number when that is another's.
     *
     * @param attachment the socket, null for none
     */
    public static void remove(Attachment attachment) {
        if (attachment != null && attachment.isWatched) {
            try {
                forget(attachment);
            } catch (Throwable e) {
                // For want of memory. The system forgets it when it is closed, and who comes next with its number finds that.
            }
        }
    }

    private static void forget(Attachment attachment) {
        WATCHED.computeIfPresent(attachment.descriptor(), (number, watched) -> {
            if (watched != attachment) {
                return watched;
            }
            PeerWatch.forget(number);
            return null;
        });
    }
}
