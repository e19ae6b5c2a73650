package io.leasehold;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Holds a test's leases for as long as the test runs: one that nobody refers to would be taken for a leak. Then lets go of them, and
 * with them of their pools, as JUnit may keep a test's object for longer.
 */
final class Held implements AfterEachCallback {
    private final Queue<Lease<?>> leases = new ConcurrentLinkedQueue<>();

    <L extends Lease<?>> L hold(L lease) {
        if (lease != null) {
            leases.add(lease);
        }
        return lease;
    }

    @Override
    public void afterEach(ExtensionContext context) {
        leases.clear();
    }
}
