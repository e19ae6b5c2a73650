package io.leasehold.testsupport;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Ends a test run that is stuck: when no test has begun or ended for a while, it says which was running, prints what every thread does,
 * and halts the JVM. JUnit's own time limit, which is shorter, only interrupts the test; code that is deaf to that needs this.
 * Found by JUnit's launcher through META-INF/services.
 */
public final class Watchdog implements TestExecutionListener {
    private static final long PATIENCE_MINUTES = 8;

    private final Object lock = new Object();
    // Guarded by the lock; written by the launcher's thread and by tests' own.
    private boolean ended;
    private long lastSign = System.nanoTime();
    private String running = "none";

    /** For JUnit's launcher. */
    public Watchdog() {}

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        Thread thread = new Thread(this::watch, "test-watchdog");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        sign(test.getUniqueId());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        sign("after " + test.getUniqueId());
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        synchronized (lock) {
            ended = true;
            lock.notifyAll();
        }
    }

    private void sign(String what) {
        synchronized (lock) {
            lastSign = System.nanoTime();
            running = what;
        }
    }

    private void watch() {
        try {
            synchronized (lock) {
                while (!ended) {
                    long silence = System.nanoTime() - lastSign;
                    long left = TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES) - silence;
                    if (left <= 0) {
                        break;
                    }
                    TimeUnit.NANOSECONDS.timedWait(lock, left);
                }
                if (ended) {
                    return;
                }
                System.err.println("stuck for " + PATIENCE_MINUTES + " minutes: " + running);
            }
        } catch (InterruptedException e) {
            return;
        }
        for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
            System.err.println();
            System.err.println(entry.getKey() + " " + entry.getKey().getState());
            for (StackTraceElement frame : entry.getValue()) {
                System.err.println("\tat " + frame);
            }
        }
        System.err.flush();
        // Not exit: a shutdown hook may wait for what is stuck.
        Runtime.getRuntime().halt(70);
    }
}
