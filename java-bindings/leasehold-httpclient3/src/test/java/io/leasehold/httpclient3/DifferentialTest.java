package io.leasehold.httpclient3;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;

/** 3.1's managers and ours. */
class DifferentialTest extends DifferentialSuite<Stage> {
    DifferentialTest() {
        super(Scripts.all(), Differences.of(DifferentialTest.class, "differences.txt"),
                () -> new Stage(Subject.STOCK), () -> new Stage(Subject.LEASEHOLD));
    }
}
