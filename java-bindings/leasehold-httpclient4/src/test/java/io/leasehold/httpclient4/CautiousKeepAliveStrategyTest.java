package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.apache.http.HttpResponse;
import org.apache.http.HttpVersion;
import org.apache.http.message.BasicHttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CautiousKeepAliveStrategyTest {
    private final CautiousKeepAliveStrategy strategy = new CautiousKeepAliveStrategy(2, 15, TimeUnit.SECONDS);

    private static HttpResponse response(String... keepAlive) {
        HttpResponse response = new BasicHttpResponse(HttpVersion.HTTP_1_1, 200, "OK");
        for (String value : keepAlive) {
            response.addHeader("Keep-Alive", value);
        }
        return response;
    }

    private long of(String... keepAlive) {
        return strategy.getKeepAliveDuration(response(keepAlive), null);
    }

    @ParameterizedTest
    @CsvSource({"timeout=5, 3000", "TIMEOUT=60, 58000", "'max=7, timeout=5', 3000", "timeout=9223372036854775, 9223372036854773000"})
    void theMarginIsTakenFromTheServersTime(String header, long expected) {
        assertEquals(expected, of(header));
        assertEquals(expected, of("max=7", header));
    }

    @ParameterizedTest
    @ValueSource(strings = {"timeout=0", "timeout=1", "timeout=2"})
    void aConnectionOfWhichTheMarginLeavesNothingIsKeptForAMomentAndNotForEver(String header) {
        assertEquals(1, of(header));
    }

    @ParameterizedTest
    @CsvSource({"'timeout=5, timeout=30', 3000", "'timeout=30, timeout=5', 3000", "'timeout=30, timeout=soon, timeout=-1', 28000",
        "'timeout=30, timeout=0', 1"})
    void ofSeveralTimesTheSmallestCounts(String header, long expected) {
        assertEquals(expected, of(header));
        assertEquals(expected, of(header.split(", ")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"timeout=9223372036854776", "timeout=9223372036854775807", "timeout=99999999999999999999"})
    void aTimeThatIsTooLargeIsTheLargest(String header) {
        assertEquals(Long.MAX_VALUE - 2000, of(header));
        assertEquals(3_000, of(header, "timeout=5"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"max=100", "timeout=soon", "timeout=", "timeout", "timeout=-5"})
    void aServerThatNamesNoTimeIsTakenToBeSilent(String header) {
        assertEquals(15_000, of(header));
        assertEquals(15_000, of());
    }

    @Test
    void withoutAMarginTheServersTimeHolds() {
        CautiousKeepAliveStrategy whole = new CautiousKeepAliveStrategy(0, 1, TimeUnit.MILLISECONDS);
        assertEquals(5_000, whole.getKeepAliveDuration(response("timeout=5"), null));
        assertEquals(1, whole.getKeepAliveDuration(response("timeout=0"), null));
        assertEquals(1, whole.getKeepAliveDuration(response(), null));
    }

    @Test
    void anotherStrategyMaySayWhatTheServerSays() {
        CautiousKeepAliveStrategy onAnother = new CautiousKeepAliveStrategy((response, context) -> 20_000, 2, 15, TimeUnit.SECONDS);
        assertEquals(18_000, onAnother.getKeepAliveDuration(response("timeout=5"), null));
    }

    @Test
    void badInputIsRefused() {
        refuses("margin", () -> new CautiousKeepAliveStrategy(-1, 15, TimeUnit.SECONDS));
        refuses("ifSilent", () -> new CautiousKeepAliveStrategy(2, 0, TimeUnit.SECONDS));
        refuses("ifSilent", () -> new CautiousKeepAliveStrategy(2, -15, TimeUnit.SECONDS));
        refuses("ifSilent", () -> new CautiousKeepAliveStrategy(2, 999, TimeUnit.MICROSECONDS));
        refuses("unit", () -> new CautiousKeepAliveStrategy(2, 15, null));
        refuses("servers", () -> new CautiousKeepAliveStrategy(null, 2, 15, TimeUnit.SECONDS));
        refuses("response", () -> strategy.getKeepAliveDuration(null, null));
    }

    private static void refuses(String what, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.startsWith(what), message);
    }
}
