package io.leasehold.testsupport;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** Runs work on several threads at once, and waits for that of others. */
public final class Threads {
    private Threads() {}

    /** Runs the work of each index below n on a thread of its own and returns the results in order; fails as the first failed one. */
    public static <T> List<T> run(int n, IntFunction<Callable<T>> work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(n);
        try {
            List<Future<T>> running = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                running.add(threads.submit(work.apply(i)));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : running) {
                results.add(one.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** Returns once every thread of this name has nothing to do: it waits, for a limited time, for more. */
    public static void awaitIdle(String name) throws Exception {
        Eventually.await(name + " is idle", () -> Thread.getAllStackTraces().keySet().stream()
                .allMatch(thread -> !thread.getName().equals(name) || thread.getState() == Thread.State.TIMED_WAITING));
    }

    /** Where the threads are whose names begin so, each in lines of its own. */
    static String stacks(String prefix) {
        StringBuilder stacks = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            if (thread.getName().startsWith(prefix)) {
                stacks.append("\n\"").append(thread.getName()).append("\", ").append(thread.getState());
                for (StackTraceElement frame : stack) {
                    stacks.append("\n    at ").append(frame);
                }
            }
        });
        return stacks.toString();
    }
}
