package io.leasehold.testsupport;

import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Asks, where a caller's code runs, which monitors of ours its thread holds: none, ever. */
public final class Monitors {
    // Of the tests' own packages are the classes whose monitors are a caller's.
    private static final String OURS = "io.leasehold.";

    private final List<String> held = new CopyOnWriteArrayList<>();
    private volatile int asked;

    /** To be called by a caller's code. */
    public void ask() {
        asked++;
        long[] thread = {Thread.currentThread().getId()};
        for (MonitorInfo monitor : ManagementFactory.getThreadMXBean().getThreadInfo(thread, true, false)[0].getLockedMonitors()) {
            StackTraceElement where = monitor.getLockedStackFrame();
            // A monitor of any class that our code has entered, and no test's.
            if (where.getClassName().startsWith(OURS) && !where.getClassName().contains("Test")) {
                held.add(monitor.getClassName() + ", entered at " + where);
            }
        }
    }

    /** Which monitors were held. */
    public List<String> held() {
        return new ArrayList<>(held);
    }

    /** How often it was asked. */
    public int asked() {
        return asked;
    }
}
