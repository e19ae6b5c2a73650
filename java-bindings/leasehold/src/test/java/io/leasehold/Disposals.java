package io.leasehold;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A disposer that keeps a record. It knows no pool, as the pool's contract demands. */
final class Disposals implements Disposer<Connection> {
    /** For tests that do not end all their leases, as these are not what they are about. */
    static final LeakListener<Object, Object> LEAKS_ARE_EXPECTED = (route, connection) -> {};

    private final Queue<String> seen = new ConcurrentLinkedQueue<>();

    @Override
    public void dispose(Connection connection, Cause cause) {
        if (connection.closedFor != null) {
            throw new AssertionError(connection + " was disposed of twice: " + connection.closedFor + ", " + cause);
        }
        connection.closedFor = cause;
        seen.add(connection + " " + cause);
    }

    /** What was disposed of since the last call. */
    List<String> take() {
        List<String> taken = new ArrayList<>();
        for (String next = seen.poll(); next != null; next = seen.poll()) {
            taken.add(next);
        }
        return taken;
    }

    int count() {
        return seen.size();
    }
}
