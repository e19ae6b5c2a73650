package io.leasehold.tests.agent;

import java.util.List;
import java.util.stream.Collectors;

/** What came of a program's run: by the server's count, by the program's own word, and by the agent's report. */
final class Figures {
    /** Connections and requests as the server saw them. */
    final int connections;
    final int requests;
    /** Requests that failed, those among them that the program tried again. */
    final int failures;
    /** The most sockets of the program that were in CLOSE_WAIT at once. */
    final int closeWaits;
    /** The classes that the agent has put on Leasehold, without their packages, and how many managers there were of each. */
    final List<String> replaced;
    final Launch launch;

    Figures(CountedServer server, int failures, Launch launch) {
        connections = server.connections();
        requests = server.requests();
        closeWaits = server.mostCloseWaits();
        this.failures = failures;
        this.launch = launch;
        replaced = launch.agentSaid.stream().filter(line -> line.matches("report: .*: [1-9]\\d* on Leasehold, .*"))
                .map(line -> line.replaceAll("report: \\S*?(\\w+) (\\S+ )?in .*: (\\d+) on Leasehold.*", "$1 ($3)"))
                .collect(Collectors.toList());
    }
}
