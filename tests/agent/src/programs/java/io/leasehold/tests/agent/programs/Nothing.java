package io.leasehold.tests.agent.programs;

import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** A program whose start is what it takes. */
public final class Nothing {
    private Nothing() {}

    /** With anything, it makes a manager. */
    public static void main(String[] args) {
        if (args.length > 0) {
            new PoolingHttpClientConnectionManager().close();
        }
    }
}
