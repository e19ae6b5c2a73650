package io.leasehold.httpclient4;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledIf;

/** 4.5.14's manager and ours as it is shipped. */
@DisabledIf(value = "io.leasehold.httpclient4.Stage#isBeforeTheLast", disabledReason = "the scripts are those of HttpClient 4.5.14")
class DifferentialTest extends DifferentialSuite<Stage> {
    DifferentialTest() {
        super(Scripts.all(), Differences.of(DifferentialTest.class, "differences.txt", "differences-watched.txt"),
                () -> new Stage(Subject.STOCK), () -> new Stage(Subject.LEASEHOLD));
    }
}
