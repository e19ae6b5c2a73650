package io.leasehold.tests.demo;

import io.leasehold.tests.servers.Nginx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;

/** {@code ./dev demo}: the program in a column for each contender against nginx, whose keep-alive is one second. */
public final class Demo {
    private Demo() {
    }

    /** Takes {@code --json FILE}, or nothing. */
    public static void main(String[] args) throws Exception {
        Path json = null;
        if (args.length == 2 && args[0].equals("--json")) {
            json = Paths.get(args[1]);
        } else if (args.length != 0) {
            System.err.println("usage: demo [--json FILE]");
            System.exit(2);
        }
        try (Run run = new Run(new Run.Plan(), Arrays.asList(Contender.values()), () -> Nginx.builder().keepAlive(1_000),
                step -> System.err.println("demo: " + step))) {
            run.perform();
            Report report = new Report(run.columns);
            System.out.println();
            System.out.print(report.table());
            if (json != null) {
                Files.write(json, report.json().getBytes(StandardCharsets.UTF_8));
            }
        }
        System.exit(0);
    }
}
