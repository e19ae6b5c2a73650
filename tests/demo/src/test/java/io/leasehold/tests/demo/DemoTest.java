package io.leasehold.tests.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FlightRecording;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
    /** Those whose every socket is accounted for: HttpClient 5 resets what it does not keep, which leaves nobody one. */
    private static final List<Contender> OF_31 = Arrays.asList(Contender.STOCK, Contender.STOCK_UNCHECKED, Contender.LEASEHOLD);

    private static Run.Plan shortPlan() {
        Run.Plan plan = new Run.Plan();
        plan.warmUpSlices = 3;
        plan.slices = 10;
        plan.sliceMillis = 50;
        plan.threads = 8;
        plan.pauses = Arrays.asList(10L, 20L);
        plan.rest = 0;
        plan.requestsPerClosing = 5;
        return plan;
    }

    @Test
    void losesNothingAndFillsEachConnectionAsHttpdAllows() throws Exception {
        Run.Plan plan = shortPlan();
        try (Run run = new Run(plan, OF_31,
                () -> Httpd.builder().keepAlive(180_000).directive("Timeout 30").directive("KeepAlive On").directive("MaxKeepAliveRequests 100"),
                step -> { })) {
            run.perform();
            for (Column column : run.columns) {
                String who = column.contender.title;
                Tally all = column.all();
                assertEquals(Collections.emptyMap(), all.failures, who);
                assertEquals(plan.threads * plan.postsPerRound * (plan.pauses.size() + 1), column.posts.requests, who);

                Httpd httpd = (Httpd) column.server;
                Eventually.await("httpd has logged every request", () -> requests(httpd) == all.requests);

                // The first request is not one of those that a kept connection may serve, so 101 fit. The last may have room left.
                List<Integer> gets = httpd.requestsPerConnection(0);
                List<Integer> full = gets.stream().filter(n -> n == 101).collect(Collectors.toList());
                assertTrue(full.size() >= gets.size() - 1, who + ": " + gets);
                assertTrue(Collections.max(gets) <= 101, who + ": " + gets);

                // Nothing is closed while the threads pause, so that no thread needs a second connection.
                assertTrue(httpd.requestsPerConnection(1).size() <= plan.threads, who + ": " + httpd.requestsPerConnection(1));

                for (Closing way : Closing.values()) {
                    assertEquals(Collections.nCopies(plan.requestsPerClosing, 1), httpd.requestsPerConnection(2 + way.ordinal()), who + way);
                }
                assertSocketsAreClosedByTheRightSide(column, plan);
                assertEquals(0, column.closeWait(Side.CLIENT), who);
            }
        }
    }

    @Test
    void tellsSlowFromLossyOnNginx() throws Exception {
        Run.Plan plan = shortPlan();
        // Beside the keep-alive a round of requests is short, on a busy machine too: within a round nothing is idle for so long that the
        // server would close it while a request is on its way, which no pool can help.
        plan.pauses = Arrays.asList(2_000L, 2_000L);
        plan.rest = 2_000;
        try (Run run = new Run(plan, OF_31, () -> Nginx.builder().keepAlive(1_000), step -> { })) {
            run.perform();
            Report report = new Report(run.columns);
            Column stock = run.columns.get(Contender.STOCK.ordinal());
            Column unchecked = run.columns.get(Contender.STOCK_UNCHECKED.ordinal());
            Column leasehold = run.columns.get(Contender.LEASEHOLD.ordinal());

            assertEquals(Collections.emptyMap(), stock.all().failures);
            assertEquals(Collections.emptyMap(), leasehold.all().failures);
            // All its connections are closed in each pause, and it leases at least one of them after each.
            assertTrue(unchecked.posts.failed() >= plan.pauses.size(), () -> "" + unchecked.posts.failures);
            assertTrue(report.verdict(unchecked).contains("lossy"));
            assertTrue(!report.verdict(stock).contains("lossy"));
            assertTrue(!report.verdict(leasehold).contains("lossy"));

            for (Column column : run.columns) {
                assertSocketsAreClosedByTheRightSide(column, plan);
                String key = "\"" + column.contender.key + "\": {";
                assertTrue(report.json().contains(key + "\"requests_per_second\": "), report.json());
            }
            for (String name : Arrays.asList("connections_opened", "requests_failed", "close_wait", "time_wait", "server_close_wait",
                    "server_time_wait")) {
                assertEquals(run.columns.size(), report.json().split("\"" + name + "\": \\d+").length - 1, report.json());
            }
            // Its own sockets only, whatever the server has left.
            assertTrue(report.json().contains("\"close_wait\": " + unchecked.closeWait(Side.CLIENT) + ", \"time_wait\": "
                    + unchecked.timeWait(Side.CLIENT) + ", "), report.json());
        }
    }

    @Test
    void losesNothingOnHttpClient5() throws Exception {
        Run.Plan plan = shortPlan();
        List<Contender> contenders = new ArrayList<>(Arrays.asList(Contender.values()));
        contenders.removeAll(OF_31);
        try (Run run = new Run(plan, contenders, Nginx::builder, step -> { })) {
            run.perform();
            Report report = new Report(run.columns);
            for (Column column : run.columns) {
                String who = column.contender.title;
                assertEquals(Collections.emptyMap(), column.all().failures, who);
                assertEquals(plan.threads * plan.postsPerRound * (plan.pauses.size() + 1), column.posts.requests, who);
                assertEquals(plan.requestsPerClosing * Closing.values().length, column.closings.requests, who);
                assertEquals(0, column.closeWait(Side.CLIENT), who);
                assertTrue(report.json().contains("\"" + column.contender.key + "\": {"), report.json());
            }
        }
    }

    @Test
    void isFoundInTheRecordingsOfTheFlightRecorder(@TempDir Path recordings) throws Exception {
        assumeTrue(FlightRecording.isPossible(), "this JDK has no flight recorder");
        assumeFalse(System.getProperty("java.specification.version").equals("1.8"), "JDK 8 cannot be kept from saying where it records");
        Run.Plan plan = shortPlan();
        plan.warmUpSlices = 0;
        plan.slices = 1;
        plan.requestsPerClosing = 1;
        // The server closes all that is idle, and the watch has the time to see it, on a busy machine too.
        plan.pauses = Arrays.asList(2_000L);
        plan.rest = 2_000;
        // The JVM says that it records where the program gives its answers.
        plan.jvmOptions = contender -> Arrays.asList("-Xlog:jfr+startup=off", "-XX:StartFlightRecording=filename=" + recordings.resolve(contender + ".jfr"));
        List<Contender> contenders = Arrays.asList(Contender.LEASEHOLD, Contender.LEASEHOLD5, Contender.LEASEHOLD5_ASYNC);
        Run run = new Run(plan, contenders, () -> Nginx.builder().keepAlive(1_000), step -> { });
        try (Run running = run) {
            running.perform();
        }
        for (Column column : run.columns) {
            String who = column.contender.title;
            // The part with the pauses, which has a port of its own.
            List<FlightRecording.Recorded> events = FlightRecording.read(recordings.resolve(column.contender + ".jfr")).stream()
                    .filter(event -> event.get("route").toString().contains(":" + column.server.port(1)))
                    .collect(Collectors.toList());
            List<FlightRecording.Recorded> closed = named("ConnectionClosed", events);
            assertEquals(Collections.emptyMap(), column.posts.failures, who);
            assertEquals(column.afterPosts.opened, named("ConnectionOpened", events).size(), who + events);
            assertEquals(column.afterPosts.opened, closed.size(), who + events);
            assertEquals(Collections.singleton("PEER_CLOSED"),
                    closed.stream().map(event -> event.get("cause")).collect(Collectors.toSet()), who + events);
            assertEquals(column.posts.requests, closed.stream().mapToLong(event -> ((Number) event.get("uses")).longValue()).sum(),
                    who + events);
        }
    }

    private static List<FlightRecording.Recorded> named(String name, List<FlightRecording.Recorded> events) {
        return events.stream().filter(event -> event.name().equals(name)).collect(Collectors.toList());
    }

    /** Who closes first keeps TIME_WAIT; where both have been told of the end, either may be first. */
    private static void assertSocketsAreClosedByTheRightSide(Column column, Run.Plan plan) throws Exception {
        // nginx says there, too, who came to a port and asked for nothing.
        String log = column.server.log();
        for (Closing way : Closing.values()) {
            Column.Sockets left = column.afterClosing.get(way);
            String what = column.contender.title + ", " + way.title + ", " + left + "\n" + log;
            // httpd logs a request when it has answered it, perhaps in the next part only: its connections are counted above, by port.
            if (!(column.server instanceof Httpd)) {
                assertEquals(plan.requestsPerClosing, left.opened, what);
            }
            int client = left.timeWait.get(Side.CLIENT);
            int server = left.timeWait.get(Side.SERVER);
            if (way == Closing.CLIENT_HEADER || way == Closing.SERVER_HEADER) {
                assertTrue(client + server >= plan.requestsPerClosing, what);
            } else {
                assertEquals(plan.requestsPerClosing, client, what);
                assertEquals(0, server, what);
            }
            assertEquals(0, left.closeWait.get(Side.CLIENT) + left.closeWait.get(Side.SERVER), what);
        }
    }

    private static long requests(Httpd httpd) throws Exception {
        long all = 0;
        for (int i = 0; i < 2 + Closing.values().length; i++) {
            all += httpd.requestsPerConnection(i).stream().mapToInt(Integer::intValue).sum();
        }
        return all;
    }
}
