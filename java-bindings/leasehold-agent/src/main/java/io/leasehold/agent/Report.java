package io.leasehold.agent;

import java.lang.reflect.InvocationTargetException;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.WeakHashMap;

/**
 * What the agent says, on standard error: a logger would be set up before the program has configured it. Each line once. It knows loaders
 * and classes by their names alone, so it keeps nothing of an application's.
 */
final class Report implements Runnable {
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
        // Those of ours that somebody still refers to.
        final Set<Object> alive = Collections.newSetFromMap(new WeakHashMap<>());
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

    /** A class that was found is left alone after all, before any manager of it was made. Another copy of it may not be. */
    synchronized void lost(String which) {
        Made made = replaced.get(which);
        if (made != null && made.ours + made.stock == 0) {
            replaced.remove(which);
        }
    }

    /** A manager was made: ours, or null. */
    synchronized void made(String which, Object ours) {
        Made made = replaced.computeIfAbsent(which, key -> new Made());
        if (ours == null) {
            made.stock++;
        } else {
            made.ours++;
            if (wanted) {
                made.alive.add(ours);
            }
        }
    }

    /** At the end: the classes, one a line. */
    @Override
    public synchronized void run() {
        say("report: " + replaced.size() + (replaced.size() == 1 ? " class" : " classes") + (isDryRun ? ", dry run" : ""));
        replaced.forEach((which, made) -> say("report: " + which + (isDryRun ? "" : ": " + made.ours + " on Leasehold, " + made.stock
                + " on stock" + used(made.alive))));
    }

    /** What managers have done, as far as they are still there: by reflection, as each may be of a Leasehold of its own. */
    private static String used(Set<Object> managers) {
        long requests = 0;
        long connections = 0;
        try {
            for (Object each : managers) {
                Class<?> type = Class.forName("io.leasehold.LeaseholdManager", false, each.getClass().getClassLoader());
                Object metrics = type.getMethod("getMetrics").invoke(each);
                long opened = number(metrics, "openings");
                connections += opened;
                requests += opened + number(metrics, "hits") + number(metrics, "handedOver");
            }
        } catch (Throwable e) {
            return "; their numbers cannot be read: " + told(e);
        }
        return "; " + requests + " leases, " + connections + " of a new connection";
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
