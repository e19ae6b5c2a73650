package io.leasehold.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.ThreadParams;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * One lease and its release, on the routes in turn. A JVM measures one entrant only, so that the compiler sees one kind of pool.
 *
 * <p>All threads together, per unit of time: turned round, the wall time of one cycle, which falls where threads do not hinder
 * each other.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Cycle {
    /** Who is measured. */
    @Param
    public Entrant entrant;

    /** On how many routes. */
    @Param({"1", "64"})
    public int routes;

    private Contender contender;

    /** Makes the pool. */
    @Setup
    public void make() {
        contender = entrant.make(routes);
    }

    /** A thread's own. */
    @State(Scope.Thread)
    public static class Thread {
        private Contender.User user;
        private int routes;
        private int route;

        /** Waits until it is this JVM's turn. Each thread does so itself: JMH would have the others poll. */
        @Setup(Level.Iteration)
        public void awaitTurn() throws IOException {
            Turn.await();
        }

        /** Passes the turn on. */
        @TearDown(Level.Iteration)
        public void endTurn() throws IOException {
            Turn.end();
        }

        /** Threads begin at different routes. */
        @Setup
        public void begin(Cycle cycle, ThreadParams thread) {
            user = cycle.contender.user();
            routes = cycle.routes;
            route = thread.getThreadIndex() % routes;
        }

        private int nextRoute() {
            int next = route + 1;
            route = next == routes ? 0 : next;
            return route;
        }
    }

    /** One cycle. */
    @Benchmark
    public Object cycle(Thread thread) throws Exception {
        return thread.user.cycle(thread.nextRoute());
    }
}
