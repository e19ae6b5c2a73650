package io.leasehold.tests.agent;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** How long programs take from their start to their end, without the agent and under it, in turns. */
final class Startup {
    private static final int STARTS = 21;

    private Startup() {}

    /** Prints the medians for a program. */
    static void print(String what, String name, String classPath, String... arguments) throws Exception {
        List<Long> without = new ArrayList<>();
        List<Long> with = new ArrayList<>();
        for (int i = 0; i < STARTS; i++) {
            without.add(nanos(null, name, classPath, arguments));
            with.add(nanos("", name, classPath, arguments));
        }
        System.out.printf(Locale.ROOT, "%s takes %.0f ms, under the agent %.0f ms (median of %d)%n", what, median(without) / 1e6,
                median(with) / 1e6, STARTS);
    }

    private static long nanos(String agentOptions, String name, String classPath, String... arguments) throws Exception {
        long start = System.nanoTime();
        Launch launch = Launch.program(name, classPath, Launch.agent(agentOptions), arguments);
        long nanos = System.nanoTime() - start;
        if (launch.exit != 0 || !launch.agentSaid.isEmpty()) {
            throw new IllegalStateException(launch.everything);
        }
        return nanos;
    }

    private static long median(List<Long> of) {
        Collections.sort(of);
        return of.get(of.size() / 2);
    }
}
