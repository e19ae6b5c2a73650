package io.leasehold.httpclient5;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledIf;

/** HttpCore's strict pool and ours. */
@DisabledIf(value = "io.leasehold.httpclient5.PoolStage#isBeforeTheLast", disabledReason = "the scripts are those of HttpCore 5.4.4")
class DifferentialTest extends DifferentialSuite<PoolStage> {
    DifferentialTest() {
        super(PoolScripts.all(), Differences.of(DifferentialTest.class, "differences.txt"),
                () -> new PoolStage(Subject.STOCK), () -> new PoolStage(Subject.LEASEHOLD));
    }
}
