package io.leasehold.tests.agent;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A program in a JVM of its own, with the agent or without, and what it has said. */
final class Launch {
    /** The agent's jar, as users get it. */
    static final String AGENT = System.getProperty("leasehold.agent");

    final int exit;
    /** The lines of the program's standard output, and the agent's own of its standard error, without their beginning. */
    final List<String> said;
    final List<String> agentSaid;
    /** All of both. */
    final String everything;

    private Launch(int exit, String out, String err) {
        this.exit = exit;
        said = Arrays.asList(out.split("\n"));
        String mark = "leasehold-agent: ";
        agentSaid = Arrays.stream(err.split("\n")).filter(line -> line.startsWith(mark)).map(line -> line.substring(mark.length()))
                .collect(Collectors.toList());
        everything = out + err;
    }

    /** The classes that the agent's report names at the end, or its dry run: each with version and loader, without what it was used for. */
    List<String> named() {
        return agentSaid.stream().filter(line -> line.matches("report: .* in .*")).map(line -> line.replaceAll(": \\d+ on Leasehold.*", ""))
                .collect(Collectors.toList());
    }

    /** The JVM option that starts the agent with options; of null, none. */
    static List<String> agent(String options) {
        return options == null ? new ArrayList<>()
                : new ArrayList<>(Arrays.asList("-javaagent:" + AGENT + (options.isEmpty() ? "" : "=" + options)));
    }

    /** Runs a program of this project, on a class path that the build has named. */
    static Launch program(String name, String classPath, List<String> jvmOptions, String... arguments) throws Exception {
        List<String> command = java();
        command.addAll(jvmOptions);
        command.addAll(Arrays.asList("-cp", System.getProperty("leasehold.programs") + File.pathSeparator + classPath(classPath),
                "io.leasehold.tests.agent.programs." + name));
        command.addAll(Arrays.asList(arguments));
        return run(command, new TreeMap<>());
    }

    static String classPath(String name) {
        String path = System.getProperty("leasehold.classpath." + name);
        if (path == null) {
            throw new IllegalArgumentException("the build names no class path " + name);
        }
        return path;
    }

    static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        // As the tests' JVM has it: else JDK 24 and later warn.
        if (Integer.parseInt(System.getProperty("java.specification.version").replaceFirst("^1\\.", "")) >= 24) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        return command;
    }

    static Launch run(List<String> command, Map<String, String> environment) throws Exception {
        // Into files: to read from a program that hangs would hang, too.
        Path out = Files.createTempFile("leasehold-agent", ".out");
        Path err = Files.createTempFile("leasehold-agent", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            process.getOutputStream().close();
            boolean hasEnded = process.waitFor(8, TimeUnit.MINUTES);
            process.destroyForcibly();
            Launch launch = new Launch(hasEnded ? process.exitValue() : -1, text(out), text(err));
            if (!hasEnded) {
                throw new IllegalStateException("it hangs: " + launch.everything);
            }
            return launch;
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
