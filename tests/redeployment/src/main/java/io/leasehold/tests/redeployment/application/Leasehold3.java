package io.leasehold.tests.redeployment.application;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.HttpConnectionManager;

/** The same web application with Leasehold's managers. */
public final class Leasehold3 extends Client3 {
    private static final long serialVersionUID = 1;

    @Override
    protected HttpConnectionManager manager(String name) {
        switch (name) {
            case "simple":
                return new LeaseholdHttpConnectionManager();
            case "multi":
                return new LeaseholdMultiThreadedHttpConnectionManager();
            default:
                throw new IllegalArgumentException(name);
        }
    }
}
