package io.leasehold.agent;

import java.util.HashMap;
import java.util.Map;

/** The classes of HttpClient that the agent changes, and what stands in for each. */
enum Target {
    SIMPLE_3("3", "org.apache.commons.httpclient.SimpleHttpConnectionManager", "io.leasehold.httpclient3.LeaseholdHttpConnectionManager",
            "io.leasehold.httpclient3.StandIns3", null, 0, true),
    MULTI_THREADED_3("3", "org.apache.commons.httpclient.MultiThreadedHttpConnectionManager",
            "io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager", "io.leasehold.httpclient3.StandIns3", null, 0, true),
    POOLING_4("4", "org.apache.http.impl.conn.PoolingHttpClientConnectionManager",
            "io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager", "io.leasehold.httpclient4.StandIns4",
            "org/apache/http/client/version.properties", 5, true, "leaseConnection"),
    CLASSIC_5("5", "org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager",
            "io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager", "io.leasehold.httpclient5.StandIns5",
            "org/apache/hc/client5/version.properties", 2, false),
    ASYNC_5("5", "org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager",
            "io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager", "io.leasehold.httpclient5.StandInsAsync5",
            "org/apache/hc/client5/version.properties", 4, false);

    /** By the name that class files have for the class. */
    static final Map<String, Target> BY_INTERNAL_NAME = new HashMap<>();

    /** By its own name. */
    static final Map<String, Target> BY_CLASS_NAME = new HashMap<>();

    static {
        for (Target each : values()) {
            BY_CLASS_NAME.put(each.className, each);
            BY_INTERNAL_NAME.put(each.internalName(), each);
        }
    }

    /** HttpClient's first number. */
    final String generation;
    final String className;
    /** The name of the class that stands in. */
    final String ours;
    /** The name of the class that makes it. */
    final String maker;
    /** Where HttpClient says its version; null if it says none. */
    final String versionResource;
    /** The least second number of the version. */
    final int leastMinor;
    /** Whether ours has every method of its own: one that it inherits would work on stock's pool. */
    final boolean overridesAll;
    /** A method that only stock's own code calls, and ours never does: a subclass that overrides it needs stock. Null if there is none. */
    final String stocksOwn;

    Target(String generation, String className, String ours, String maker, String versionResource, int leastMinor, boolean overridesAll) {
        this(generation, className, ours, maker, versionResource, leastMinor, overridesAll, null);
    }

    Target(String generation, String className, String ours, String maker, String versionResource, int leastMinor, boolean overridesAll,
            String stocksOwn) {
        this.generation = generation;
        this.className = className;
        this.ours = ours;
        this.maker = maker;
        this.versionResource = versionResource;
        this.leastMinor = leastMinor;
        this.overridesAll = overridesAll;
        this.stocksOwn = stocksOwn;
    }

    String internalName() {
        return className.replace('.', '/');
    }

    /** The part of the payload that has what stands in. */
    String part() {
        return "leasehold-httpclient" + generation;
    }
}
