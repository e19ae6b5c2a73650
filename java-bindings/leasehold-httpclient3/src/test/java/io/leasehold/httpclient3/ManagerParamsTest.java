package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Collections;
import java.util.Map;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.params.DefaultHttpParams;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.junit.jupiter.api.Test;

/** The two limits are what 3.1's parameters say, wherever they were set. */
class ManagerParamsTest {
    private static final String TOTAL = HttpConnectionManagerParams.MAX_TOTAL_CONNECTIONS;
    private static final String HOSTS = HttpConnectionManagerParams.MAX_HOST_CONNECTIONS;

    private final Map<HostConfiguration, Integer> hosts = Collections.singletonMap(HostConfiguration.ANY_HOST_CONFIGURATION, 3);

    @Test
    void whatIsSetHereHoldsUntilItIsCleared() {
        ManagerParams params = new ManagerParams();
        assertNull(ManagerParams.totalLimit(params));
        assertNull(ManagerParams.hostLimits(params));
        params.setParameter("another", 5);
        params.setParameter(TOTAL, 7);
        params.setParameter(HOSTS, hosts);
        assertEquals(7, ManagerParams.totalLimit(params));
        assertSame(hosts, ManagerParams.hostLimits(params));
        assertEquals(7, params.getMaxTotalConnections());
        assertEquals(3, params.getDefaultMaxConnectionsPerHost());
        assertEquals(5, params.getParameter("another"));
        params.clear();
        assertNull(ManagerParams.totalLimit(params));
        assertNull(ManagerParams.hostLimits(params));
        assertNull(params.getParameter("another"));
    }

    @Test
    void whatIsNotSetHereIsLookedUpAmongTheDefaults() {
        ManagerParams params = new ManagerParams();
        DefaultHttpParams defaults = new DefaultHttpParams();
        defaults.setParameter(TOTAL, 7);
        defaults.setParameter(HOSTS, hosts);
        params.setDefaults(defaults);
        assertEquals(7, ManagerParams.totalLimit(params));
        assertSame(hosts, ManagerParams.hostLimits(params));
        params.setParameter(TOTAL, 8);
        assertEquals(8, ManagerParams.totalLimit(params));
        params.setParameter(TOTAL, null);
        assertEquals(7, ManagerParams.totalLimit(params));
    }

    @Test
    void parametersOf31sOwnClassAreLookedUp() {
        HttpConnectionManagerParams params = new HttpConnectionManagerParams();
        params.setParameter(TOTAL, 7);
        params.setParameter(HOSTS, hosts);
        assertEquals(7, ManagerParams.totalLimit(params));
        assertSame(hosts, ManagerParams.hostLimits(params));
    }
}
