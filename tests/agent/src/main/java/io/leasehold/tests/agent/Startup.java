package io.leasehold.tests.agent;

import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;

/** How long programs take from their start to their end: without an agent, with one that does nothing, and under ours, in turns. */
final class Startup {
    private static final int STARTS = 21;
    private static final String POOLING_4 = "org.apache.http.impl.conn.PoolingHttpClientConnectionManager";
    private static final String POOLING_5 = "org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager";

    private Startup() {}

    /** Prints the medians as the rows of a table. */
    static void print() throws Exception {
        Path idle = Files.createTempFile("leasehold-agent-idle", ".jar");
        try {
            writeIdle(idle);
            List<List<String>> agents =
                    Arrays.asList(Launch.agent(null), Arrays.asList("-javaagent:" + idle), Launch.agent(""));
            System.out.println();
            System.out.println("| start of a program that | without an agent | an agent that does nothing | ours |");
            System.out.println("| --- | --- | --- | --- |");
            print("uses no HttpClient", "client4514", agents);
            print("loads the manager's class of 4.5, and makes none", "client4514", agents, POOLING_4);
            print("loads the manager's class of 5.6, and makes none", "client56", agents, POOLING_5);
            print("makes a manager of 4.5", "client4514", agents, "manager");
        } finally {
            Files.delete(idle);
        }
    }

    private static void print(String what, String classPath, List<List<String>> agents, String... arguments) throws Exception {
        List<List<Long>> nanos = agents.stream().map(each -> new ArrayList<Long>()).collect(Collectors.toList());
        for (int i = 0; i < STARTS; i++) {
            for (int agent = 0; agent < agents.size(); agent++) {
                nanos.get(agent).add(nanos(classPath, agents.get(agent), arguments));
            }
        }
        System.out.println("| " + what + " | " + nanos.stream().map(each -> String.format(Locale.ROOT, "%.0f ms", median(each) / 1e6))
                .collect(Collectors.joining(" | ")) + " |");
    }

    /** A jar that names an agent's class on the program's class path. */
    private static void writeIdle(Path jar) throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", "io.leasehold.tests.agent.programs.Idle");
        new JarOutputStream(new FileOutputStream(jar.toFile()), manifest).close();
    }

    private static long nanos(String classPath, List<String> jvmOptions, String... arguments) throws Exception {
        long start = System.nanoTime();
        Launch launch = Launch.program("Nothing", classPath, jvmOptions, arguments);
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
