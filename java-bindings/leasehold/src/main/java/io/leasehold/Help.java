package io.leasehold;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** What a pool does for leased connections that need it: asked on the housekeeper's thread, and given on the disposer's. */
final class Help {
    private final Predicate<Object> needsHelp;
    private final Consumer<Object> help;
    // Who is being helped. Added to by the housekeeper's thread, taken out of by who has helped.
    private final Set<Object> underWay = Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

    @SuppressWarnings("unchecked") // They are asked about the connections of their own pool alone.
    Help(Predicate<?> needsHelp, Consumer<?> help) {
        this.needsHelp = (Predicate<Object>) needsHelp;
        this.help = (Consumer<Object>) help;
    }

    /**
     * Has a connection helped that needs it, and is not being helped.
     *
     * @param connection the connection; null for none
     * @param name its pool's
     */
    void giveIfNeeded(Object connection, PoolName name) {
        try {
            if (connection == null || underWay.contains(connection) || !needsHelp.test(connection)) {
                return;
            }
        } catch (Throwable e) {
            Log.warnOf(name, Texts.NEEDS_HELP_FAILED, e);
            return;
        }
        boolean isTaken = false;
        try {
            underWay.add(connection);
            isTaken = Hooks.callAside(new Giving(connection, name));
        } catch (Throwable e) {
            Log.warnOf(name, Texts.HELP_FAILED, e);
        } finally {
            if (!isTaken) {
                // The housekeeper comes again.
                underWay.remove(connection);
            }
        }
    }

    /** One connection to be helped. */
    final class Giving implements Runnable {
        private final Object connection;
        private final PoolName name;

        Giving(Object connection, PoolName name) {
            this.connection = connection;
            this.name = name;
        }

        @Override
        public void run() {
            try {
                help.accept(connection);
            } catch (Throwable e) {
                Log.warnOf(name, Texts.HELP_FAILED, e);
            } finally {
                underWay.remove(connection);
            }
        }
    }
}
