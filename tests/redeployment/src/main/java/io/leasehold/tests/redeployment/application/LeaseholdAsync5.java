package io.leasehold.tests.redeployment.application;

import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;

/** The same web application with Leasehold's manager. */
public final class LeaseholdAsync5 extends ClientAsync5 {
    private static final long serialVersionUID = 1;

    @Override
    protected PoolingAsyncClientConnectionManager manager() {
        LeaseholdAsyncClientConnectionManager manager = new LeaseholdAsyncClientConnectionManager();
        // The JVM's server of beans holds it until the client is closed.
        manager.getPool().registerMBean();
        return manager;
    }
}
