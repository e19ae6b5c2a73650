package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** What a configuration says of a connection, as HttpClient has it. */
class ConnectionConfigsTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 80));

    private final ConnectionConfigs configs = new ConnectionConfigs();

    private ConnectionConfig set(ConnectionConfig.Builder builder) {
        ConnectionConfig config = builder.build();
        configs.set(route -> config);
        return config;
    }

    private void setValidation(TimeValue validation) {
        set(ConnectionConfig.custom().setValidateAfterInactivity(validation));
    }

    private void setTimeToLive(TimeValue timeToLive) {
        set(ConnectionConfig.custom().setTimeToLive(timeToLive));
    }

    private static PoolEntry<HttpRoute, Conn> entry() {
        PoolEntry<HttpRoute, Conn> entry = new PoolEntry<>(ROUTE);
        entry.assignConnection(new Conn("c"));
        return entry;
    }

    private static void awaitMillis(PoolEntry<?, ?> entry, long millis) throws Exception {
        Eventually.await("time to pass", () -> System.currentTimeMillis() > entry.getUpdated() + millis);
    }

    @Test
    void whatIsNotSetIsHttpClients() {
        assertEquals(ConnectionConfig.DEFAULT, ((ValidatedAtEveryLease) configs.shown(ROUTE)).config());
        configs.set(route -> null);
        assertEquals(ConnectionConfig.DEFAULT, ((ValidatedAtEveryLease) configs.shown(ROUTE)).config());
        assertFalse(configs.isValidationOff(ROUTE));
        assertEquals(2000, configs.millisUntilValidation(ROUTE));
        assertFalse(configs.isExpired(entry(), Long.MAX_VALUE));
        assertFalse(configs.isOverAtLease(entry()));
        assertFalse(configs.isPingDue(entry()));
    }

    @Test
    void httpClientsCodeIsShownWhatIsValidatedAtEveryLeaseUnlessThatIsOff() {
        ConnectionConfig config = set(ConnectionConfig.custom().setConnectTimeout(Timeout.ofSeconds(7))
                .setSocketTimeout(Timeout.ofSeconds(8)).setTimeToLive(TimeValue.ofSeconds(9)));
        ConnectionConfig shown = configs.shown(ROUTE);
        assertTrue(shown.getValidateAfterInactivity().toMilliseconds() == 0);
        assertEquals(Timeout.ofSeconds(7), shown.getConnectTimeout());
        assertEquals(Timeout.ofSeconds(8), shown.getSocketTimeout());
        assertEquals(TimeValue.ofSeconds(9), shown.getTimeToLive());
        assertEquals(config.toString(), shown.toString());
        // Made once.
        assertSame(shown, configs.shown(ROUTE));
        ConnectionConfig off = set(ConnectionConfig.custom().setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND));
        assertSame(off, configs.shown(ROUTE));
        configs.set(route -> config);
        assertSame(shown, configs.shown(ROUTE));
        set(ConnectionConfig.custom());
        assertNotSame(shown, configs.shown(ROUTE));
    }

    @Test
    void validationIsOffWhereItsTimeIsNegative() {
        setValidation(TimeValue.NEG_ONE_MILLISECOND);
        assertTrue(configs.isValidationOff(ROUTE));
        assertFalse(configs.isPingDue(entry()));
        setValidation(TimeValue.ZERO_MILLISECONDS);
        assertFalse(configs.isValidationOff(ROUTE));
        assertEquals(0, configs.millisUntilValidation(ROUTE));
        setValidation(TimeValue.ofSeconds(3));
        assertFalse(configs.isValidationOff(ROUTE));
        assertEquals(3000, configs.millisUntilValidation(ROUTE));
    }

    @Test
    void aPingIsDueAfterTheTimeThatIsSetAndLeftToHttpClientsCodeWhereThatIsZero() throws Exception {
        PoolEntry<HttpRoute, Conn> entry = entry();
        setValidation(TimeValue.ofHours(1));
        assertFalse(configs.isPingDue(entry));
        awaitMillis(entry, 1);
        setValidation(TimeValue.ofMilliseconds(1));
        assertTrue(configs.isPingDue(entry));
        setValidation(TimeValue.ZERO_MILLISECONDS);
        assertFalse(configs.isPingDue(entry));
    }

    @Test
    void aConnectionIsExpiredAfterItsTimeToLive() throws Exception {
        PoolEntry<HttpRoute, Conn> entry = entry();
        setTimeToLive(TimeValue.ofMinutes(1));
        assertFalse(configs.isExpired(entry, entry.getCreated() + 60_000));
        assertTrue(configs.isExpired(entry, entry.getCreated() + 60_001));
        assertFalse(configs.isTooOld(entry));
        assertFalse(configs.isOverAtLease(entry));
        awaitMillis(entry, 1);
        setTimeToLive(TimeValue.ofMilliseconds(1));
        assertTrue(configs.isTooOld(entry));
        assertTrue(configs.isOverAtLease(entry));
    }

    /** Even within the millisecond in which it was opened. */
    @Test
    void aTimeToLiveOfZeroIsOverAtOnce() {
        setTimeToLive(TimeValue.ZERO_MILLISECONDS);
        assertTrue(configs.isTooOld(entry()));
        assertTrue(configs.isOverAtLease(entry()));
    }

    /** Where the version has that. */
    @Test
    void aConnectionIsOverThatWasIdleForTooLong() throws Exception {
        ConnectionConfig.Builder builder = ConnectionConfig.custom();
        try {
            ConnectionConfig.Builder.class.getMethod("setIdleTimeout", Timeout.class).invoke(builder, Timeout.ofMilliseconds(1));
        } catch (NoSuchMethodException e) {
            return;
        }
        ConnectionConfig config = set(builder);
        PoolEntry<HttpRoute, Conn> entry = entry();
        awaitMillis(entry, 1);
        assertTrue(configs.isOverAtLease(entry));
        assertFalse(configs.isTooOld(entry));
        assertEquals(Timeout.ofMilliseconds(1), ((ValidatedAtEveryLease) configs.shown(ROUTE)).getIdleTimeout());
        assertEquals(Timeout.ofMilliseconds(1), ValidatedAtEveryLease.idleTimeoutOf(config));
    }

    @Test
    void openingTakesNoLongerThanIsSet() {
        set(ConnectionConfig.custom().setConnectTimeout(Timeout.DISABLED));
        assertEquals(Timeout.DISABLED, configs.connectTimeout(ROUTE));
        set(ConnectionConfig.custom().setConnectTimeout(Timeout.ofSeconds(7)));
        assertEquals(Timeout.ofSeconds(7), configs.connectTimeout(ROUTE));
    }
}
