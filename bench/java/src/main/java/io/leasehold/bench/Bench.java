package io.leasehold.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Measures every entrant in every cell of threads and routes, each in a JVM of its own. In a cell the JVMs of a bench's entrants run side
 * by side and take turns, an iteration of JMH's for each turn: what else the machine does lasts longer than that, so that it hits the
 * entrants of the same round alike. Then it measures {@link Requests}. Every sample goes to a file.
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
        // JMH lets only one of its runners run at a time, as it cannot know that these take turns.
        System.setProperty("jmh.ignoreLock", "true");
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

    private static void measure(List<Entrant> bench, int threads, int routes, boolean quick, Rows rows) throws Exception {
        Map<Entrant, List<Double>> samples = new LinkedHashMap<>();
        for (int i = 0; i < (quick ? 1 : 2); i++) {
            sideBySide(bench, threads, routes, quick)
                    .forEach((entrant, ns) -> samples.computeIfAbsent(entrant, e -> new ArrayList<>()).addAll(ns));
        }
        samples.forEach((entrant, ns) -> rows.write(entrant.bench, entrant.contender, threads, routes, ns));
    }

    /** Each entrant's samples from a JVM of its own; those of the same place in the lists are of the same round of turns. */
    private static Map<Entrant, List<Double>> sideBySide(List<Entrant> bench, int threads, int routes, boolean quick) throws Exception {
        // Where threads wait long for a processor they do not begin at once, which has to be little beside the whole.
        boolean isCrowded = threads > 8;
        TimeValue turn = TimeValue.milliseconds(isCrowded ? 300 : 100);
        int warmUp = (quick ? 14 : 30) / (isCrowded ? 3 : 1);
        int rounds = (quick ? 10 : 50) / (isCrowded ? 2 : 1);
        ExecutorService runners = Executors.newFixedThreadPool(bench.size());
        try (Turns turns = new Turns()) {
            Map<Entrant, Future<List<Double>>> running = new LinkedHashMap<>();
            for (Entrant entrant : bench) {
                List<String> jvmArgs = new ArrayList<>();
                jvmArgs.add("-D" + Turn.PORT + "=" + turns.port());
                if (isNativeAccessAsked()) {
                    jvmArgs.add("--enable-native-access=ALL-UNNAMED");
                }
                OptionsBuilder options = new OptionsBuilder();
                options.include(Cycle.class.getName())
                        .param("entrant", entrant.name())
                        .param("routes", Integer.toString(routes))
                        .threads(threads)
                        .forks(1)
                        .jvmArgsAppend(jvmArgs.toArray(new String[0]))
                        .warmupIterations(warmUp)
                        .warmupTime(turn)
                        .measurementIterations(rounds)
                        .measurementTime(turn)
                        .shouldFailOnError(true);
                running.put(entrant, runners.submit(() -> samples(options, turns)));
            }
            try {
                turns.grant(bench.size(), warmUp + rounds);
            } catch (IOException e) {
                turns.close();
                System.err.println("bench: " + e);
            }
            Map<Entrant, List<Double>> samples = new LinkedHashMap<>();
            for (Map.Entry<Entrant, Future<List<Double>>> run : running.entrySet()) {
                samples.put(run.getKey(), run.getValue().get());
            }
            return samples;
        } finally {
            runners.shutdown();
        }
    }

    /** Nanoseconds per cycle in each iteration of one JVM. When that fails, says why, and the others get no more turns. */
    private static List<Double> samples(OptionsBuilder options, Turns turns) throws Exception {
        Path log = Files.createTempFile("bench", ".log");
        try {
            List<Double> samples = new ArrayList<>();
            for (RunResult run : new Runner(options.output(log.toString()).build()).run()) {
                for (BenchmarkResult fork : run.getBenchmarkResults()) {
                    for (IterationResult iteration : fork.getIterationResults()) {
                        samples.add(1e9 / iteration.getPrimaryResult().getScore());
                    }
                }
            }
            return samples;
        } catch (RunnerException | RuntimeException e) {
            turns.close();
            Files.copy(log, System.err);
            throw e;
        } finally {
            Files.delete(log);
        }
    }

    /** JDKs from 24 on warn of native libraries unless told that they are wanted. */
    private static boolean isNativeAccessAsked() {
        String version = System.getProperty("java.specification.version");
        return !version.startsWith("1.") && Integer.parseInt(version) >= 24;
    }
}
