package io.leasehold.agent;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * What the agent says, on standard error: a logger would be set up before the program has configured it. Each line once. It knows loaders
 * and classes by their names alone, so it keeps nothing of an application's.
 */
final class Report implements Runnable {
    private static final long MOST_NANOS_FOR_THE_GONE = TimeUnit.SECONDS.toNanos(10);
    private static final long MILLIS_BETWEEN_COLLECTIONS = 500;

    private final boolean wanted;
    private final boolean isDryRun;
    // Inside this object's monitor, inside which nothing is called but the JDK.
    private final Set<String> said = new HashSet<>();
    // By class, version and loader.
    private final Map<String, Made> replaced = new TreeMap<>();

    /** What was made of a class's managers. */
    private static final class Made {
        int ours;
        int stock;
        // Those of ours that somebody still refers to. Of the others we know what they did.
        final Map<Object, Used> alive = new WeakHashMap<>();
        // Inside this object's monitor: what managers have said, and how many of them were used since they have said something.
        long leases;
        long connections;
        int untold;

        synchronized boolean isAnyUntold() {
            return untold > 0;
        }

        /** Until one more manager has said its numbers, or it is time to help it. */
        synchronized void awaitNumbers() throws InterruptedException {
            if (untold > 0) {
                wait(MILLIS_BETWEEN_COLLECTIONS);
            }
        }
    }

    /** What a manager has said of itself: its pool refers to this, and this to nothing of a loader. */
    private static final class Used implements BiConsumer<Long, Long> {
        private final Made made;
        // Inside that object's monitor.
        private long leases;
        private long connections;
        private boolean isUntold;
        private boolean isRead;

        Used(Made made) {
            this.made = made;
        }

        /** At the end, from a manager that is there: what it does after that nobody waits for. */
        void read(long leasesNow, long connectionsNow) {
            synchronized (made) {
                isRead = true;
                accept(leasesNow, connectionsNow);
            }
        }

        /** All that there were; of nulls, that there will be more. The numbers only grow, but who looks at the end may be overtaken. */
        @Override
        public void accept(Long leasesNow, Long connectionsNow) {
            synchronized (made) {
                if (leasesNow == null) {
                    if (!isUntold && !isRead) {
                        isUntold = true;
                        made.untold++;
                    }
                    return;
                }
                made.leases += Math.max(0, leasesNow - leases);
                made.connections += Math.max(0, connectionsNow - connections);
                leases = Math.max(leases, leasesNow);
                connections = Math.max(connections, connectionsNow);
                if (isUntold) {
                    isUntold = false;
                    made.untold--;
                    made.notifyAll();
                }
            }
        }
    }

    Report(Options options) {
        wanted = options.report;
        isDryRun = options.dryRun;
    }

    /** Whether somebody has asked for more than what must be known. */
    boolean isAwaited() {
        return wanted || isDryRun;
    }

    /** Something that the user must know. */
    static void say(String line) {
        System.err.println("leasehold-agent: " + line);
    }

    synchronized void sayOnce(String line) {
        if (said.add(line)) {
            say(line);
        }
    }

    /** What a class is not as. */
    void leftAlone(String className, Unexpected why) {
        sayOnce(className + " is left alone: " + why.getMessage());
    }

    /** What is good to know, said to who has asked. */
    void mention(String line) {
        if (isAwaited()) {
            sayOnce(line);
        }
    }

    /** A class was changed, or would have been. */
    void found(String which) {
        boolean isNew;
        synchronized (this) {
            isNew = replaced.putIfAbsent(which, new Made()) == null;
        }
        if (isNew) {
            mention(which + (isDryRun ? " would be put on Leasehold" : " is put on Leasehold"));
        }
    }

    /** A class is left alone after all, before any manager of it was made; null if it was not found. Another copy of it may not be. */
    synchronized void lost(String which) {
        Made made = which == null ? null : replaced.get(which);
        if (made != null && made.ours + made.stock == 0) {
            replaced.remove(which);
        }
    }

    /** A manager was made: ours, or null. */
    void made(String which, Object ours) {
        Used used = null;
        synchronized (this) {
            Made made = replaced.computeIfAbsent(which, key -> new Made());
            if (ours == null) {
                made.stock++;
            } else {
                made.ours++;
                if (wanted) {
                    used = new Used(made);
                    made.alive.put(ours, used);
                }
            }
        }
        if (used != null) {
            tellNumbers(ours, used);
        }
    }

    /** At the end: the classes, one a line. Others may go on making managers meanwhile. */
    @Override
    public void run() {
        Map<String, Made> all;
        synchronized (this) {
            all = new TreeMap<>(replaced);
        }
        say("report: " + all.size() + (all.size() == 1 ? " class" : " classes") + (isDryRun ? ", dry run" : ""));
        all.forEach((which, made) -> say("report: " + which + (isDryRun ? "" : ": " + told(made))));
    }

    private String told(Made made) {
        List<Map.Entry<Object, Used>> alive;
        String counted;
        synchronized (this) {
            alive = new ArrayList<>(made.alive.entrySet());
            counted = made.ours + " on Leasehold, " + made.stock + " on stock; ";
        }
        try {
            // Those that are gone have said it, by their pools.
            for (Map.Entry<Object, Used> each : alive) {
                Object metrics = asManager(each.getKey(), "getMetrics");
                each.getValue().read(number(metrics, "leases"), number(metrics, "openings"));
            }
            awaitTheGone(made);
        } catch (Throwable e) {
            return counted + "their numbers cannot be read: " + told(e);
        }
        synchronized (made) {
            return counted + made.leases + " leases, " + made.connections + " of a new connection"
                    + (made.untold == 0 ? "" : ", and those of " + made.untold + " that were collected too late to be known");
        }
    }

    /**
     * Those that were collected a moment ago are told of by the housekeeper of their pools, which looks up once a second. What has a
     * finalizer, as stock's manager of 4.5 has, holds its pool until it is collected once more.
     */
    private static void awaitTheGone(Made made) throws InterruptedException {
        long end = System.nanoTime() + MOST_NANOS_FOR_THE_GONE;
        while (made.isAnyUntold() && end - System.nanoTime() > 0) {
            System.gc();
            made.awaitNumbers();
        }
    }

    private void tellNumbers(Object manager, Used used) {
        try {
            Object pool = asManager(manager, "getPool");
            Method listen = pool.getClass().getDeclaredMethod("tellNumbers", BiConsumer.class);
            listen.setAccessible(true);
            listen.invoke(pool, used);
        } catch (Throwable e) {
            sayOnce("the numbers of managers that are gone will not be known: " + told(e));
        }
    }

    /** By reflection, as each manager may be of a Leasehold of its own. */
    private static Object asManager(Object manager, String method) throws ReflectiveOperationException {
        return Class.forName("io.leasehold.LeaseholdManager", false, manager.getClass().getClassLoader()).getMethod(method).invoke(manager);
    }

    private static long number(Object metrics, String name) throws ReflectiveOperationException {
        return (Long) metrics.getClass().getMethod(name).invoke(metrics);
    }

    /** What went wrong, in one line. */
    static String told(Throwable e) {
        Throwable cause = e instanceof InvocationTargetException && e.getCause() != null ? e.getCause() : e;
        String message = cause.getMessage();
        return cause.getClass().getSimpleName().equals("LeaseholdUnavailableException") ? message
                : cause.getClass().getName() + (message == null ? "" : ": " + message);
    }
}
