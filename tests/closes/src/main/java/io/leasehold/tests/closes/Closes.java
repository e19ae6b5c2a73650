package io.leasehold.tests.closes;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * {@code ./dev closes}: what it costs clients that a server closes idle connections when it pleases. POSTs without retries with pauses
 * around its keep-alive, and a thousand idle connections that it closes.
 */
public final class Closes {
    /** With routes of their own, and as many that share theirs. */
    private static final int THREADS = 100;
    private static final int POSTS_EACH = 100;
    private static final int KEEP_ALIVE_MILLIS = 100;
    private static final int SPREAD_MILLIS = 15;
    private static final int CONNECTIONS = 1_000;

    private Closes() {}

    /** Takes {@code --json FILE}, or nothing. */
    public static void main(String[] args) throws Exception {
        Path json = null;
        if (args.length == 2 && args[0].equals("--json")) {
            json = Paths.get(args[1]);
        } else if (args.length != 0) {
            System.err.println("usage: closes [--json FILE]");
            System.exit(2);
        }
        List<Column> columns = new ArrayList<>();
        try {
            for (Contender contender : Contender.values()) {
                Column column = new Column(contender);
                columns.add(column);
                System.err.println("closes: POSTs around the keep-alive, " + contender.title);
                for (Column.Sharing sharing : Column.Sharing.values()) {
                    column.post(THREADS, sharing, POSTS_EACH, KEEP_ALIVE_MILLIS, KEEP_ALIVE_MILLIS, SPREAD_MILLIS);
                }
            }
            for (Column column : columns) {
                System.err.println("closes: idle connections that the server closes, " + column.contender.title);
                column.letServerClose(CONNECTIONS);
                Thread.sleep(1_000);
                column.closeWait = column.closeWait();
            }
        } finally {
            for (Column column : columns) {
                column.close();
            }
        }
        System.out.print(table(columns));
        if (json != null) {
            Files.write(json, json(columns).getBytes(StandardCharsets.UTF_8));
        }
        List<Column> unexpected = columns.stream()
                .filter(column -> !column.lostAsExpected() || column.closeWait != column.leftExpected(CONNECTIONS))
                .collect(Collectors.toList());
        for (Column column : unexpected) {
            System.err.println("closes: " + column.contender.title + (column.contender.isOurs
                    ? " broke what it promises" : " lost less than a server costs it that closes connections as this one should have"));
        }
        System.exit(unexpected.isEmpty() ? 0 : 1);
    }

    private static String table(List<Column> columns) {
        StringBuilder text = new StringBuilder();
        row(text, "", columns, column -> column.contender.title);
        row(text, "POSTs", columns, column -> number(column.posts));
        row(text, "failed", columns, column -> number(column.failed));
        row(text, "  though closed 5 ms before the lease", columns, column -> number(column.lost));
        row(text, "CLOSE_WAIT a second after the server closed " + CONNECTIONS, columns, column -> number(column.closeWait));
        for (Column column : columns) {
            column.messages.forEach(message -> text.append(column.contender.title).append(" failed with ").append(message).append('\n'));
        }
        return text.toString();
    }

    private static void row(StringBuilder text, String label, List<Column> columns, Function<Column, String> cell) {
        text.append(String.format("%-50s", label));
        columns.forEach(column -> text.append(String.format("%22s", cell.apply(column))));
        text.append('\n');
    }

    private static String number(int n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    private static String json(List<Column> columns) {
        List<String> objects = new ArrayList<>();
        for (Column column : columns) {
            objects.add(String.format(Locale.ROOT,
                    "  \"%s\": {\"posts\": %d, \"failed\": %d, \"failed_though_closed_before\": %d, \"close_wait\": %d}",
                    column.contender.key(), column.posts, column.failed, column.lost, column.closeWait));
        }
        return "{\n" + String.join(",\n", objects) + "\n}\n";
    }
}
