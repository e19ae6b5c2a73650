package io.leasehold.tests.agent;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What came of a program's run: by the server's count, by the program's own word, and by the agent's report. */
final class Figures {
    private static final Pattern REPORT = Pattern.compile(
            "report: \\S*?(\\w+) (?:\\S+ )?in \\S+: ([1-9]\\d*) on Leasehold, \\d+ on stock; (\\d+) leases, .*");

    /** Connections and requests as the server saw them. */
    final int connections;
    final int requests;
    /** Requests that failed, those among them that the program tried again. */
    final int failures;
    /** How many sockets of the program were in CLOSE_WAIT, on average. */
    final double closeWaits;
    /** The classes that the agent has put on Leasehold, without their packages, and how many managers there were of each. */
    final List<String> replaced;
    /** How many leases managers of ours have given, by their own count. */
    final int leases;
    final Launch launch;

    /** Of a program that says how many of its requests failed. */
    Figures(CountedServer server, Launch launch) {
        this(server, server.retried() + launch.said.stream().filter(line -> line.startsWith("failed="))
                .mapToInt(line -> Integer.parseInt(line.substring("failed=".length()))).findAny()
                .orElseThrow(() -> new IllegalStateException("it says nothing: " + launch.everything)), launch);
    }

    Figures(CountedServer server, int failures, Launch launch) {
        connections = server.connections();
        requests = server.requests();
        closeWaits = server.averageCloseWaits();
        this.failures = failures;
        this.launch = launch;
        List<Matcher> lines = launch.agentSaid.stream().map(REPORT::matcher).filter(Matcher::matches).collect(Collectors.toList());
        replaced = lines.stream().map(line -> line.group(1) + " (" + line.group(2) + ")").collect(Collectors.toList());
        leases = lines.stream().mapToInt(line -> Integer.parseInt(line.group(3))).sum();
    }
}
