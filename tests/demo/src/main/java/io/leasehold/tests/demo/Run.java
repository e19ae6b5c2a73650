package io.leasehold.tests.demo;

import io.leasehold.tests.servers.ServerBuilder;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A run of the program in all columns, each against a server of its own of the same kind.
 *
 * <p>What is timed is cut into many short slices that the columns take in turn, in an order that changes, and the median of a column's
 * slices counts: what else the machine does then meets all columns alike. A column's turn comes often enough for its connection to stay
 * open.
 */
final class Run implements Closeable {
    /** How much of everything. */
    static final class Plan {
        int warmUpSlices = 200;
        int slices = 500;
        long sliceMillis = 10;
        int threads = 16;
        int postsPerRound = 3;
        /**
         * The pauses before each round of POSTs, around a keep-alive of a second: some just below, some just above. They keep a distance
         * from it because a server may close while a request travels, which no client can know; below it that includes the time in
         * which the threads of a round send, and the first round, which is the slowest, is followed by a long pause.
         */
        List<Long> pauses = Arrays.asList(1_050L, 850L, 1_100L, 850L, 1_050L, 850L);
        /** After the last round. */
        long rest = 1_300;
        int requestsPerClosing = 10;
        /** What each program's JVM is given beside the class path. */
        Function<Contender, List<String>> jvmOptions = contender -> Collections.emptyList();
    }

    final List<Column> columns = new ArrayList<>();
    private final Plan plan;
    private final Consumer<String> progress;

    /** Starts the servers and programs. Progress is told in short sentences. */
    Run(Plan plan, List<Contender> contenders, Supplier<ServerBuilder<?>> server, Consumer<String> progress) throws Exception {
        this.plan = plan;
        this.progress = progress;
        try {
            for (Contender contender : contenders) {
                // A port for each part, so that the sockets it leaves can be told from the others'.
                columns.add(new Column(contender, server.get().ports(2 + Closing.values().length).start(),
                        plan.jvmOptions.apply(contender)));
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    void perform() throws Exception {
        List<Column> order = new ArrayList<>(columns);
        for (int i = 0; i < plan.warmUpSlices + plan.slices; i++) {
            if (i == 0 || i == plan.warmUpSlices) {
                progress.accept(i == 0 ? "(a) warming up" : "(a) GETs");
            }
            for (Column column : order) {
                column.slice(plan.sliceMillis, i >= plan.warmUpSlices);
            }
            Collections.rotate(order, 1);
        }
        for (Column column : columns) {
            column.endOfGets();
        }
        for (Column column : columns) {
            progress.accept("(b) pauses and POSTs, " + column.contender.title);
            column.posts(plan.threads, plan.postsPerRound, plan.pauses, plan.rest);
        }
        for (Column column : columns) {
            progress.accept("(c) ways to close, " + column.contender.title);
            for (Closing way : Closing.values()) {
                column.close(way, plan.requestsPerClosing);
            }
        }
    }

    /** Ends the programs, stops the servers. */
    @Override
    public void close() throws IOException {
        for (Column column : columns) {
            column.close();
        }
    }
}
