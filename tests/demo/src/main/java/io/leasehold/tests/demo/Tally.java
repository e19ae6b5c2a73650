package io.leasehold.tests.demo;

import java.util.Map;
import java.util.TreeMap;

/** What became of a number of requests. Travels between JVMs as a line of text. */
final class Tally {
    long requests;
    /** How long they took, one after the other; 0 where that says nothing. */
    long nanos;
    /** How many failed, by what happened and when. */
    final Map<String, Long> failures = new TreeMap<>();

    void failed(String how) {
        failures.merge(how, 1L, Long::sum);
    }

    long failed() {
        return failures.values().stream().mapToLong(Long::longValue).sum();
    }

    void add(Tally other) {
        requests += other.requests;
        nanos += other.nanos;
        other.failures.forEach((how, n) -> failures.merge(how, n, Long::sum));
    }

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder().append(requests).append(';').append(nanos);
        failures.forEach((how, n) -> line.append(';').append(n).append('=').append(how));
        return line.toString();
    }

    static Tally parse(String line) {
        String[] fields = line.split(";");
        Tally tally = new Tally();
        tally.requests = Long.parseLong(fields[0]);
        tally.nanos = Long.parseLong(fields[1]);
        for (int i = 2; i < fields.length; i++) {
            String[] failure = fields[i].split("=", 2);
            tally.failures.put(failure[1], Long.parseLong(failure[0]));
        }
        return tally;
    }
}
