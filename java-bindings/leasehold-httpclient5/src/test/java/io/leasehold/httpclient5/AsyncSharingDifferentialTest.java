package io.leasehold.httpclient5;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledIf;

/** As {@link AsyncDifferentialTest}, where connections may be shared: nothing else differs. */
@DisabledIf(value = "io.leasehold.httpclient5.PoolStage#isBeforeTheLast", disabledReason = "the log lines are those of HttpClient 5.6.5")
class AsyncSharingDifferentialTest extends DifferentialSuite<AsyncStage> {
    AsyncSharingDifferentialTest() {
        super(AsyncScripts.all(), Differences.of(AsyncDifferentialTest.class, "async-differences.txt"),
                () -> new AsyncStage(AsyncSubject.STOCK), () -> new AsyncStage(AsyncSubject.SHARING));
    }
}
