package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.Histogram;
import io.leasehold.LeaseholdManager;
import io.leasehold.ManualClock;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/** Names that take a while to be looked up, by a clock of a test's, and so make connecting last as long. Those of a failing one are unknown. */
final class SlowNames implements DnsResolver {
    private static final int TAKES = 30;

    final ManualClock clock = new ManualClock();
    volatile boolean fails;

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
        clock.advance(TAKES, TimeUnit.MILLISECONDS);
        if (fails) {
            throw new UnknownHostException(host);
        }
        return SystemDefaultDnsResolver.INSTANCE.resolve(host);
    }

    @Override
    public String resolveCanonicalHostname(String host) throws UnknownHostException {
        return SystemDefaultDnsResolver.INSTANCE.resolveCanonicalHostname(host);
    }

    /** So many openings were measured, each of which a name was looked up for. */
    static void assertOpenings(int count, LeaseholdManager manager) {
        Histogram opening = manager.getMetrics().opening();
        assertEquals(count, opening.count());
        assertEquals(count * TAKES, opening.sum(TimeUnit.MILLISECONDS));
    }
}
