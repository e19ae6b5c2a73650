package io.leasehold.bench;

/** One pool or manager in a JVM of its own: made with limits at which nobody waits. */
interface Contender {
    /** Called once by each thread. */
    User user();

    /** What one thread does. */
    interface User {
        /** Leases a connection to the route of that number, opens it if it is new, and releases it to be kept. */
        Object cycle(int route) throws Exception;
    }
}
