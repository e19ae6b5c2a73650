package io.leasehold.httpclient5;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledIf;

/** HttpClient's asynchronous manager, on HttpCore's strict pool, and ours. */
@DisabledIf(value = "io.leasehold.httpclient5.PoolStage#isBeforeTheLast", disabledReason = "the log lines are those of HttpClient 5.6.5")
class AsyncDifferentialTest extends DifferentialSuite<AsyncStage> {
    AsyncDifferentialTest() {
        super(AsyncScripts.all(), Differences.of(AsyncDifferentialTest.class, "async-differences.txt"),
                () -> new AsyncStage(AsyncSubject.STOCK), () -> new AsyncStage(AsyncSubject.LEASEHOLD));
    }
}
