package io.leasehold.tests.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.agent.CountedServer.Response;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What became of a program that has made managers in every way there is, by its own word, the server's count and the agent's. */
final class Trial {
    final Launch launch;
    final Map<String, String> said = new HashMap<>();
    final Figures figures;

    private Trial(CountedServer server, Launch launch) {
        this.launch = launch;
        figures = new Figures(server, 0, launch);
        for (String line : launch.said) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                said.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
    }

    static Trial run(String program, String classPath, String agentOptions, String... more) throws Exception {
        return runWith(program, classPath, Launch.agent(agentOptions), more);
    }

    static Trial runWith(String program, String classPath, List<String> jvmOptions, String... more) throws Exception {
        try (CountedServer server = new CountedServer(false, 0, request -> new Response(200, "hello"))) {
            List<String> arguments = new ArrayList<>();
            arguments.add(server.url());
            arguments.addAll(Arrays.asList(more));
            Launch launch = Launch.program(program, classPath, jvmOptions, arguments.toArray(new String[0]));
            assertEquals(0, launch.exit, launch.everything);
            return new Trial(server, launch);
        }
    }

    int number(String what) {
        return Integer.parseInt(said.get(what));
    }

    String text() {
        return launch.everything;
    }

    void isOnLeasehold(int managers) {
        int clients = number("clients");
        assertEquals("0", said.get("closeWait"), text());
        assertEquals("0", said.get("lost"), text());
        // Three requests on one connection, and then one on another.
        assertEquals(4 * clients, figures.requests, text());
        assertEquals(2 * clients, figures.connections, text());
        assertEquals(managers, made(), text());
        // By ours' own count, too.
        assertEquals(4 * clients, sum(".* on stock; (\\d+) leases.*"), text());
        assertEquals(2 * clients, sum(".* leases, (\\d+) of a new connection"), text());
    }

    void isOnStock() {
        assertEquals(said.get("clients"), said.get("closeWait"), text());
    }

    /** How many managers were made on Leasehold, and none on stock. */
    int made() {
        return sum("report: .*: (\\d+) on Leasehold, 0 on stock.*");
    }

    /** The sum of a number that the report's lines have. */
    int sum(String line) {
        return launch.agentSaid.stream().filter(each -> each.matches(line)).mapToInt(each -> Integer.parseInt(each.replaceAll(line, "$1")))
                .sum();
    }
}
