package io.leasehold.httpclient4;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledIf;

/** 4.5.14's manager and ours with sockets that are not watched. */
@DisabledIf(value = "io.leasehold.httpclient4.Stage#isBeforeTheLast", disabledReason = "the scripts are those of HttpClient 4.5.14")
class UnwatchedDifferentialTest extends DifferentialSuite<Stage> {
    UnwatchedDifferentialTest() {
        super(Scripts.all(), Differences.of(UnwatchedDifferentialTest.class, "differences.txt"),
                () -> new Stage(Subject.STOCK), () -> new Stage(Subject.LEASEHOLD_UNWATCHED));
    }
}
