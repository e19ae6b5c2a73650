package io.leasehold.bench;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The file of figures for {@code bench/report.py}: a row a line, each with all its samples. */
final class Rows implements Closeable {
    private final PrintWriter out;

    Rows(Path file) throws IOException {
        out = new PrintWriter(Files.newBufferedWriter(file));
    }

    /** Adds a row; what its samples say, nanoseconds per operation for most, goes by the bench. */
    void write(String bench, String contender, int threads, int routes, List<Double> samples) {
        out.println(String.format(Locale.ROOT,
                "{\"bench\": \"%s\", \"contender\": \"%s\", \"threads\": %d, \"routes\": %d, \"samples\": %s}",
                bench, contender, threads, routes, samples));
    }

    @Override
    public void close() {
        out.close();
    }
}
