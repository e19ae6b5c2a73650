package io.leasehold.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/**
 * The turns of this JVM, which {@link Turns} grants: its threads together await one, measure, and pass it on. A JVM that was not told
 * where to ask for turns measures whenever it likes.
 *
 * <p>JMH has all threads of an iteration await the turn before any of them ends it, so whoever comes first asks and the last passes on.
 */
final class Turn {
    static final String PORT = "leasehold.bench.turns";

    // Both written under the class's lock.
    private static Socket turns;
    private static int measuring;

    private Turn() {
    }

    static synchronized void await() throws IOException {
        Integer port = Integer.getInteger(PORT);
        if (port != null && turns == null) {
            turns = new Socket(InetAddress.getLoopbackAddress(), port);
        }
        if (turns != null && measuring == 0 && turns.getInputStream().read() < 0) {
            throw new EOFException("no more turns: what another contender's JVM says comes first");
        }
        measuring++;
    }

    static synchronized void end() throws IOException {
        if (--measuring == 0 && turns != null) {
            turns.getOutputStream().write(0);
        }
    }
}
