package io.leasehold.tests.redeployment.application;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;

/** The same web application with Leasehold's manager. */
public final class Leasehold5 extends Client5 {
    private static final long serialVersionUID = 1;

    @Override
    protected PoolingHttpClientConnectionManager manager() {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        if (isClosed()) {
            // The JVM's server of beans holds it until the client is closed.
            manager.getPool().registerMBean();
        }
        return manager;
    }
}
