package io.leasehold.tests.agent.programs;

import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** A program whose start is what it takes. */
public final class Nothing {
    private Nothing() {}

    /** With the name of a class, it loads that; with manager, it makes a manager. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0 && args[0].equals("manager")) {
            new PoolingHttpClientConnectionManager().close();
        } else if (args.length > 0) {
            Class.forName(args[0], false, Nothing.class.getClassLoader());
        }
    }
}
