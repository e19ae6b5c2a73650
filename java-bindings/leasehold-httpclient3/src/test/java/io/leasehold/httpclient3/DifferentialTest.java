package io.leasehold.httpclient3;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;

/** 3.1's managers and ours as they are shipped. */
class DifferentialTest extends DifferentialSuite<Stage> {
    DifferentialTest() {
        super(Scripts.all(), Differences.of(DifferentialTest.class, "differences.txt", "differences-watched.txt"),
                () -> new Stage(Subject.STOCK), () -> new Stage(Subject.LEASEHOLD));
    }
}
