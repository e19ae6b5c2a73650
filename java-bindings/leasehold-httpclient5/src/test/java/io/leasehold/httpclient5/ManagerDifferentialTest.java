package io.leasehold.httpclient5;

import io.leasehold.testsupport.Differences;
import io.leasehold.testsupport.DifferentialSuite;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** HttpClient's classic manager, with its strict pool, and ours: with the newest version and with the oldest. */
@DisabledForJreRange(min = JRE.JAVA_18, disabledReason = "it knows no JDK, and runs on the oldest with two versions of HttpClient")
class ManagerDifferentialTest extends DifferentialSuite<ManagerStage> {
    ManagerDifferentialTest() {
        super(ManagerScripts.all(), Differences.of(ManagerDifferentialTest.class, PoolStage.isBeforeTheLast()
                        ? new String[] {"manager-differences.txt", "manager-differences-5.2.txt"}
                        : new String[] {"manager-differences.txt"}),
                () -> new ManagerStage(ManagerSubject.STOCK), () -> new ManagerStage(ManagerSubject.LEASEHOLD));
    }
}
