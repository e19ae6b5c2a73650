package io.leasehold.tests.redeployment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import org.junit.jupiter.api.Test;

/** Applications that keep their client in a static field, closed or not: deployed again they leave behind no more than with stock managers. */
class RedeploymentTest {
    /** {@code ./dev agent} does more of them, and more with HttpClient 5. */
    private static final int A_FEW = 3;

    @Test
    void applicationsLeaveNoMoreBehindThanWithStockManagers() throws Exception {
        assertEquals(Collections.emptyList(), Comparison.compare(A_FEW, false));
    }
}
