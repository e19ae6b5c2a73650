package io.leasehold.tests.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.leasehold.tests.agent.CountedServer.Response;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Managers that are made in every way there is, of each generation, under the agent and without it. What the server has seen tells whose
 * they were: it closes all connections while they are idle, and stock leaves each in CLOSE_WAIT.
 */
class TrialTest {
    /** What became of a run. */
    private static final class Outcome {
        final Launch launch;
        final Map<String, String> said = new HashMap<>();
        int connections;
        int requests;

        Outcome(Launch launch) {
            this.launch = launch;
            for (String line : launch.said) {
                int equals = line.indexOf('=');
                if (equals > 0) {
                    said.put(line.substring(0, equals), line.substring(equals + 1));
                }
            }
        }

        int number(String what) {
            return Integer.parseInt(said.get(what));
        }

        String text() {
            return launch.everything;
        }
    }

    private static Outcome run(String program, String classPath, String agentOptions, String... more) throws Exception {
        return run(program, classPath, agentOptions, new ArrayList<>(), more);
    }

    private static Outcome run(String program, String classPath, String agentOptions, List<String> jvmOptions, String... more)
            throws Exception {
        try (CountedServer server = new CountedServer(false, 0, request -> new Response(200, "hello"))) {
            List<String> options = Launch.agent(agentOptions);
            options.addAll(jvmOptions);
            List<String> arguments = new ArrayList<>();
            arguments.add(server.url());
            arguments.addAll(Arrays.asList(more));
            Launch launch = Launch.program(program, classPath, options, arguments.toArray(new String[0]));
            assertEquals(0, launch.exit, launch.everything);
            Outcome outcome = new Outcome(launch);
            outcome.connections = server.connections();
            outcome.requests = server.requests();
            return outcome;
        }
    }

    /** The classes that a report names, in its order, without how many managers there were. */
    private static List<String> reported(Outcome outcome) {
        return outcome.launch.agentSaid.stream().filter(line -> line.startsWith("report: ") && line.contains(" in "))
                .map(line -> line.replaceAll(": \\d+ on Leasehold.*", "")).collect(Collectors.toList());
    }

    private static void isOnLeasehold(Outcome outcome, int managers) {
        int clients = outcome.number("clients");
        assertEquals("0", outcome.said.get("closeWait"), outcome.text());
        assertEquals("0", outcome.said.get("lost"), outcome.text());
        // Three requests on one connection, and then one on another.
        assertEquals(4 * clients, outcome.requests, outcome.text());
        assertEquals(2 * clients, outcome.connections, outcome.text());
        assertEquals(managers, made(outcome), outcome.text());
        // By ours' own count, too.
        assertEquals(4 * clients, sum(outcome, ".* on stock; (\\d+) leases.*"), outcome.text());
        assertEquals(2 * clients, sum(outcome, ".* leases, (\\d+) of a new connection"), outcome.text());
    }

    /** How many managers were made on Leasehold, and none on stock. */
    private static int made(Outcome outcome) {
        return sum(outcome, "report: .*: (\\d+) on Leasehold, 0 on stock.*");
    }

    /** The sum of a number that the report's lines have. */
    private static int sum(Outcome outcome, String line) {
        return outcome.launch.agentSaid.stream().filter(each -> each.matches(line))
                .mapToInt(each -> Integer.parseInt(each.replaceAll(line, "$1"))).sum();
    }

    private static void isOnStock(Outcome outcome) {
        assertEquals(outcome.said.get("clients"), outcome.said.get("closeWait"), outcome.text());
    }

    @Test
    void everyManagerOf31IsReplaced() throws Exception {
        isOnStock(run("Trial3", "client31", null));
        Outcome outcome = run("Trial3", "client31", "report");
        // One more is made to be asked for its host.
        isOnLeasehold(outcome, 9);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("4", outcome.said.get("seenBySub"), outcome.text());
        assertEquals("4", outcome.said.get("releasedByMany"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("pooled"), outcome.text());
    }

    @Test
    void everyManagerOfTheFirst45IsReplaced() throws Exception {
        everyManagerOf45("client45");
    }

    @Test
    void everyManagerOfTheLast45IsReplaced() throws Exception {
        Outcome stock = run("Trial4", "client4514", null);
        isOnStock(stock);
        assertTrue(stock.number("lost") > 0, stock.text());
        everyManagerOf45("client4514");
    }

    private static void everyManagerOf45(String classPath) throws Exception {
        Outcome outcome = run("Trial4", classPath, "report");
        isOnLeasehold(outcome, 13);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("2", outcome.said.get("shutDownBySub"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("available"), outcome.text());
    }

    @Test
    void everyClassicManagerOf52IsReplaced() throws Exception {
        everyClassicManagerOf5("client52");
    }

    @Test
    void everyClassicManagerOf56IsReplaced() throws Exception {
        isOnStock(run("Trial5", "client56", null));
        everyClassicManagerOf5("client56");
    }

    private static void everyClassicManagerOf5(String classPath) throws Exception {
        Outcome outcome = run("Trial5", classPath, "report");
        isOnLeasehold(outcome, 11);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("available"), outcome.text());
        assertEquals("1", outcome.said.get("closedBySub"), outcome.text());
    }

    @Test
    void asynchronousManagersAreReplacedAsOf54() throws Exception {
        for (String classPath : Arrays.asList("client54", "client56")) {
            Outcome outcome = run("TrialAsync5", classPath, "report");
            assertEquals(16, outcome.requests, outcome.text());
            assertEquals("0", outcome.said.get("lost"), outcome.text());
            assertEquals(4, made(outcome), outcome.text());
            assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
            assertEquals("7", outcome.said.get("max"), outcome.text());
        }
    }

    @Test
    void anAsynchronousManagerOfAnEarlierVersionIsLeftAloneWithTheReason() throws Exception {
        Outcome outcome = run("TrialAsync5", "client52", "report");
        assertTrue(outcome.launch.agentSaid.contains("org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager is left alone:"
                + " it is of version 5.2, and 5.4 is the first that can be put on Leasehold"), outcome.text());
    }

    @Test
    void aPoolWithoutATotalLimitStaysOnStock() throws Exception {
        Outcome outcome = run("Trial5", "client56", "report", "with LAX");
        assertEquals("1", outcome.said.get("closeWait"), outcome.text());
        assertTrue(outcome.text().contains("11 on Leasehold, 1 on stock"), outcome.text());
    }

    @Test
    void dryRunAndReportNameTheSameClasses() throws Exception {
        Outcome dry = run("Trial4", "client4514", "dry-run");
        isOnStock(dry);
        List<String> named = reported(run("Trial4", "client4514", "report"));
        assertEquals(1, named.size(), named.toString());
        assertEquals(named, reported(dry));
        // The comparison is one: a class that is skipped in one of them is missed.
        assertEquals(new ArrayList<>(), reported(run("Trial4", "client4514", "dry-run,exclude=org.apache.http.impl.conn")));
    }

    @Test
    void withoutTheNativeLibraryStockStaysAndItIsSaidOnce() throws Exception {
        Outcome outcome = run("Trial4", "client4514", "report", Arrays.asList("-Dio.leasehold.native.tmpdir=/proc/nowhere"));
        isOnStock(outcome);
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("stays on stock")).count(), outcome.text());
        assertTrue(outcome.text().contains("/proc/nowhere"), outcome.text());
        assertTrue(outcome.text().contains("0 on Leasehold, 13 on stock"), outcome.text());
    }

    @Test
    void anApplicationWithALeaseholdOfItsOwnKeepsIt() throws Exception {
        Outcome outcome = run("Trial4", "own4514", "report");
        isOnStock(outcome);
        assertTrue(outcome.launch.agentSaid.contains("org.apache.http.impl.conn.PoolingHttpClientConnectionManager is left alone: the"
                + " application has a Leasehold of its own"), outcome.text());
    }

    @Test
    void applicationsThatWereUndeployedLeaveNoLoaderAndNoThread() throws Exception {
        Outcome outcome = run("Undeployed", "client4514", "report");
        assertEquals("0", outcome.said.get("loaders"), outcome.text());
        assertEquals("0", outcome.said.get("threads"), outcome.text());
        assertTrue(outcome.text().contains("java.net.URLClassLoader: 5 on Leasehold, 0 on stock"), outcome.text());
    }

    @Test
    void aWrongOptionLeavesTheProgramAsItIs() throws Exception {
        Outcome outcome = run("Trial4", "client4514", "reprot");
        isOnStock(outcome);
        assertEquals(Arrays.asList("the option reprot is unknown: there are generations, exclude, max-total, max-per-route, watching,"
                + " report, dry-run; the program runs without the agent"), outcome.launch.agentSaid, outcome.text());
    }

    @Test
    void limitsAreImposedWhateverTheProgramSays() throws Exception {
        Outcome outcome = run("Trial4", "client4514", "max-total=3,max-per-route=1,watching=probe");
        assertEquals("3", outcome.said.get("max"), outcome.text());
        // Not watched, so that they stay until they are leased, and then are seen to be dead.
        assertEquals(outcome.said.get("clients"), outcome.said.get("closeWait"), outcome.text());
        assertEquals("0", outcome.said.get("lost"), outcome.text());
    }

    @Test
    void aSecondCopyOfTheAgentDoesNothing() throws Exception {
        List<String> second = Launch.agent("report");
        Outcome outcome = run("Trial4", "client4514", "report", second);
        isOnLeasehold(outcome, 13);
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("second copy")).count(), outcome.text());
    }

    @Test
    void whatAnAgentFindsLoadedWhenItIsAttachedIsLeftAlone() throws Exception {
        // Attached again it does nothing.
        Outcome outcome = attached("report", "report");
        // The one on stock.
        assertEquals("1", outcome.said.get("closeWait"), outcome.text());
        assertEquals("org.apache.http.impl.conn.PoolingHttpClientConnectionManager is left alone: it was loaded before the agent",
                outcome.launch.agentSaid.get(0), outcome.text());
        assertEquals(1, made(outcome), outcome.text());
        assertEquals(4, sum(outcome, ".* on stock; (\\d+) leases.*"), outcome.text());
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("second copy")).count(), outcome.text());
    }

    @Test
    void anAgentThatIsAttachedWithAWrongOptionLeavesTheProgramAsItIs() throws Exception {
        Outcome outcome = attached("max-total=none");
        isOnStock(outcome);
        assertEquals(1, outcome.launch.agentSaid.size(), outcome.text());
        assertTrue(outcome.launch.agentSaid.get(0).endsWith("; the program runs without the agent"), outcome.text());
    }

    private static Outcome attached(String... options) throws Exception {
        assumeFalse(System.getProperty("java.specification.version").equals("1.8"), "JDK 8 cannot attach without its tools.jar");
        List<String> more = new ArrayList<>();
        for (String each : options) {
            more.add(Launch.AGENT);
            more.add(each);
        }
        return run("Attached", "client31and4514", null, Arrays.asList("-Djdk.attach.allowAttachSelf=true"), more.toArray(new String[0]));
    }
}
