package io.leasehold.bench;

import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures every entrant in every cell of threads and routes. In each cell the entrants of a bench take turns, a JVM for each turn,
 * so that whatever else the machine does meanwhile hits all alike. Then it measures {@link Requests}. Every sample goes to a file.
 */
public final class Bench {
    private static final int[] THREADS = {1, 2, 8, 32};
    private static final int[] ROUTES = {1, 64};

    private Bench() {
    }

    /** Takes {@code [--quick] FILE}. */
    public static void main(String[] args) throws Exception {
        List<String> arguments = new ArrayList<>(Arrays.asList(args));
        boolean quick = arguments.remove("--quick");
        if (arguments.size() != 1) {
            System.err.println("usage: bench [--quick] FILE");
            System.exit(2);
        }
        try (Rows rows = new Rows(Paths.get(arguments.get(0)))) {
            Map<String, List<Entrant>> benches = Arrays.stream(Entrant.values())
                    .collect(Collectors.groupingBy(entrant -> entrant.bench, LinkedHashMap::new, Collectors.toList()));
            int cells = benches.size() * ROUTES.length * THREADS.length;
            int cell = 0;
            for (List<Entrant> bench : benches.values()) {
                for (int routes : ROUTES) {
                    for (int threads : THREADS) {
                        System.err.println("bench: " + ++cell + " of " + cells + ": " + bench.get(0).bench
                                + ", threads: " + threads + ", routes: " + routes);
                        measure(bench, threads, routes, quick, rows);
                    }
                }
            }
            Requests.measure(quick, rows);
        }
    }

    private static void measure(List<Entrant> bench, int threads, int routes, boolean quick, Rows rows) throws RunnerException {
        Map<Entrant, List<Double>> samples = new LinkedHashMap<>();
        for (int turn = 0; turn < (quick ? 1 : 2); turn++) {
            for (Entrant entrant : bench) {
                samples.computeIfAbsent(entrant, e -> new ArrayList<>()).addAll(samples(entrant, threads, routes, quick));
            }
        }
        samples.forEach((entrant, ns) -> rows.write(entrant.bench, entrant.contender, threads, routes, ns));
    }

    /** Nanoseconds per cycle in each iteration of one JVM. */
    private static List<Double> samples(Entrant entrant, int threads, int routes, boolean quick) throws RunnerException {
        OptionsBuilder options = new OptionsBuilder();
        options.include(Cycle.class.getName())
                .param("entrant", entrant.name())
                .param("routes", Integer.toString(routes))
                .threads(threads)
                .forks(1)
                .warmupIterations(quick ? 2 : 3)
                .warmupTime(TimeValue.milliseconds(quick ? 500 : 1_000))
                .measurementIterations(quick ? 3 : 5)
                .measurementTime(TimeValue.milliseconds(quick ? 400 : 1_000))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        if (isNativeAccessAsked()) {
            options.jvmArgsAppend("--enable-native-access=ALL-UNNAMED");
        }
        List<Double> samples = new ArrayList<>();
        for (RunResult run : new Runner(options.build()).run()) {
            for (BenchmarkResult fork : run.getBenchmarkResults()) {
                for (IterationResult iteration : fork.getIterationResults()) {
                    samples.add(1e9 / iteration.getPrimaryResult().getScore());
                }
            }
        }
        return samples;
    }

    /** JDKs from 24 on warn of native libraries unless told that they are wanted. */
    private static boolean isNativeAccessAsked() {
        String version = System.getProperty("java.specification.version");
        return !version.startsWith("1.") && Integer.parseInt(version) >= 24;
    }
}
