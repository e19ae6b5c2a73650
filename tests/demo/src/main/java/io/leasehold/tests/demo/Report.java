package io.leasehold.tests.demo;

import io.leasehold.tests.servers.SocketTable.Side;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The figures of a run, as a table for people and as data. */
final class Report {
    private static final String LABEL = "%-44s";
    private static final String CELL = "%20s";

    private final List<Column> columns;

    Report(List<Column> columns) {
        this.columns = columns;
    }

    /** A column is slow with less than half of the requests per second of its client's fastest, and lossy when any request failed. */
    String verdict(Column column) {
        double fastest = columns.stream().filter(other -> other.contender.client.equals(column.contender.client))
                .mapToDouble(Column::requestsPerSecond).max().orElse(0);
        List<String> faults = new ArrayList<>();
        if (column.requestsPerSecond() < fastest / 2) {
            faults.add("slow");
        }
        if (column.all().failed() > 0) {
            faults.add("lossy");
        }
        return faults.isEmpty() ? "neither" : String.join(", ", faults);
    }

    String table() {
        StringBuilder text = new StringBuilder();
        row(text, "", column -> column.contender.title);
        line(text, "(a) GETs one after the other, one thread");
        row(text, "    requests/s (median)", column -> number(column.requestsPerSecond()));
        row(text, "    slowest to fastest slice",
                column -> number(Collections.min(column.slices)) + " to " + number(Collections.max(column.slices)));
        row(text, "    requests failed", column -> failedOf(column.gets));
        row(text, "    connections opened", column -> number(column.afterGets.opened));
        line(text, "(b) pauses around the keep-alive, then POSTs");
        row(text, "    requests failed", column -> failedOf(column.posts));
        row(text, "    connections opened", column -> number(column.afterPosts.opened));
        row(text, "    CLOSE_WAIT left, client / server", column -> sides(column.afterPosts.closeWait));
        row(text, "    TIME_WAIT left, client / server", column -> sides(column.afterPosts.timeWait));
        line(text, "(c) TIME_WAIT left, client / server, after");
        for (Closing way : Closing.values()) {
            row(text, "    " + way.title, column -> sides(column.afterClosing.get(way).timeWait));
        }
        row(text, "    CLOSE_WAIT left after all of these", column -> number(
                column.afterClosing.values().stream().flatMap(left -> left.closeWait.values().stream()).mapToInt(Integer::intValue).sum()));
        row(text, "    requests failed", column -> failedOf(column.closings));
        row(text, "    connections opened", column -> number(column.afterClosing.values().stream().mapToLong(left -> left.opened).sum()));
        line(text, "all");
        row(text, "    requests/s", column -> number(column.requestsPerSecond()));
        row(text, "    connections opened", column -> number(column.opened()));
        row(text, "    requests failed", column -> failedOf(column.all()));
        row(text, "    CLOSE_WAIT left, client / server", column -> column.closeWait(Side.CLIENT) + " / " + column.closeWait(Side.SERVER));
        row(text, "    TIME_WAIT left, client / server", column -> column.timeWait(Side.CLIENT) + " / " + column.timeWait(Side.SERVER));
        row(text, "verdict", this::verdict);
        for (Column column : columns) {
            column.all().failures.forEach((how, n) -> line(text, column.contender.title + " failed: " + n + " times " + how));
        }
        return text.toString();
    }

    /** The figures of each column by its key. Sockets are the client's, but for those that say that they are the server's. */
    String json() {
        List<String> objects = new ArrayList<>();
        for (Column column : columns) {
            objects.add(String.format(Locale.ROOT,
                    "  \"%s\": {\"requests_per_second\": %.1f, \"connections_opened\": %d, \"requests_failed\": %d, "
                    + "\"posts\": %d, \"posts_failed\": %d, "
                    + "\"close_wait\": %d, \"time_wait\": %d, \"server_close_wait\": %d, \"server_time_wait\": %d}",
                    column.contender.key, column.requestsPerSecond(), column.opened(), column.all().failed(),
                    column.posts.requests, column.posts.failed(), column.closeWait(Side.CLIENT), column.timeWait(Side.CLIENT), column.closeWait(Side.SERVER), column.timeWait(Side.SERVER)));
        }
        return "{\n" + String.join(",\n", objects) + "\n}\n";
    }

    private void row(StringBuilder text, String label, Function<Column, String> cell) {
        text.append(String.format(LABEL, label));
        for (Column column : columns) {
            text.append(String.format(CELL, cell.apply(column)));
        }
        text.append('\n');
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append('\n');
    }

    private static String failedOf(Tally tally) {
        return number(tally.failed()) + " of " + number(tally.requests);
    }

    private static String sides(Map<Side, Integer> counts) {
        return counts.get(Side.CLIENT) + " / " + counts.get(Side.SERVER);
    }

    private static String number(double n) {
        return String.format(Locale.ROOT, "%,.0f", n);
    }
}
