package io.leasehold.tests.agent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/** A program beside OpenTelemetry's agent, which changes HttpClient, too, and writes a line for each request. */
final class TracedProof extends ProgramProof {
    private final boolean isOursFirst;

    TracedProof(String program, String client, String name, String classPath, boolean isOursFirst, CountedServer.Site site) {
        super(program + ", OpenTelemetry's agent 2.33.1 " + (isOursFirst ? "after ours" : "before ours"), client, name, classPath, false,
                () -> site);
        this.isOursFirst = isOursFirst;
    }

    @Override
    List<String> jvmOptions(String agentOptions) {
        List<String> options = Launch.agent(agentOptions);
        options.addAll(isOursFirst ? options.size() : 0, Arrays.asList("-javaagent:" + System.getProperty("leasehold.opentelemetry"),
                "-Dotel.traces.exporter=console", "-Dotel.metrics.exporter=none", "-Dotel.logs.exporter=none"));
        return options;
    }

    @Override
    public List<String> wrong(Figures figures) {
        List<String> wrong = new ArrayList<>();
        // A request that failed has one, too.
        if (lines(figures, line -> line.contains(" CLIENT [tracer: io.opentelemetry.apache-httpclient-")) < figures.requests) {
            wrong.add("each request has a span");
        }
        if (lines(figures, line -> line.contains("[otel.javaagent ") && !line.contains("] INFO ")) > 0) {
            wrong.add("OpenTelemetry's agent has nothing to complain of");
        }
        return wrong;
    }

    private static long lines(Figures figures, Predicate<String> which) {
        return Arrays.stream(figures.launch.everything.split("\n")).filter(which).count();
    }
}
