package io.leasehold.httpclient3;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;

/** 3.1's managers and ours where nothing happens between leases, as with 3.1's. */
class UnwatchedDifferentialTest extends DifferentialSuite<Stage> {
    UnwatchedDifferentialTest() {
        super(Scripts.all(), Differences.of(DifferentialTest.class, "differences.txt"),
                () -> new Stage(Subject.STOCK), () -> new Stage(Subject.LEASEHOLD_UNWATCHED));
    }
}
