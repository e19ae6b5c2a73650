package io.leasehold;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Holds a test's leases for as long as the test runs: one that nobody refers to would be taken for a leak. */
final class Held {
    private final Queue<Lease<?>> leases = new ConcurrentLinkedQueue<>();

    <L extends Lease<?>> L hold(L lease) {
        if (lease != null) {
            leases.add(lease);
        }
        return lease;
    }
}
