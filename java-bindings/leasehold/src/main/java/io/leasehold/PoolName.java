package io.leasehold;

import java.util.concurrent.atomic.AtomicLong;

/** What a pool is called: by its user, or else by what it is the pool of and which of all pools it is. It leads to nothing of the pool. */
final class PoolName {
    /** What a pool is of that is nobody's but its user's. */
    static final String POOL = "ConnectionPool";

    private static final AtomicLong LAST = new AtomicLong();

    private final String owner;
    private final long number = LAST.incrementAndGet();
    // Written by whoever names the pool. Null until then: most pools are never asked, and some programs make one for each request.
    private volatile String given;

    PoolName(String owner, String given) {
        this.owner = owner;
        this.given = given;
    }

    /** From now on it is called this. */
    void set(String name) {
        given = checked(name);
    }

    static String checked(String name) {
        if (Arguments.given(name, "name", "leave it out for the default").isEmpty()) {
            throw new IllegalArgumentException("name must not be empty: leave it out for the default");
        }
        return name;
    }

    @Override
    public String toString() {
        String known = given;
        return known != null ? known : owner + "-" + number;
    }
}
