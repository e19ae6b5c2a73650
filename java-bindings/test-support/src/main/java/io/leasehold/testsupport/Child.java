package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs a program in a JVM of its own, the same as this one. */
public final class Child {
    private Child() {}

    /** The lines that the program printed. Fails if it ended with anything but zero. */
    public static List<String> run(Class<?> program, List<String> options, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            // Where the native library is and that it may be loaded; not what belongs to a test run, such as the JVM's log.
            if (option.startsWith("-Dio.leasehold") || option.startsWith("--enable-native-access")) {
                command.add(option);
            }
        }
        command.addAll(options);
        command.addAll(Arrays.asList("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                lines.add(line);
            }
        }
        assertEquals(0, process.waitFor(), () -> String.join("\n", lines));
        return lines;
    }
}
