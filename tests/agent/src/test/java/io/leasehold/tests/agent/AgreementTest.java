package io.leasehold.tests.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What {@code ./dev agent} asks of each program holds for those here, each of which uses one manager of one HttpClient; and it is missed
 * where something is skipped on purpose.
 */
class AgreementTest {
    @ParameterizedTest
    @CsvSource({
        "Trial4, client4514, org.apache.http.impl.conn",
        "Trial5, client56, org.apache.hc.client5.http.impl.io",
        "TrialAsync5, client56, org.apache.hc.client5.http.impl.nio",
    })
    void dryRunAndReportNameTheSameClassesUnlessOneIsSkipped(String program, String classPath, String skipped) throws Exception {
        Figures stock = Trial.run(program, classPath, null).figures;
        Figures ours = Trial.run(program, classPath, "report").figures;
        Figures dry = Trial.run(program, classPath, "dry-run").figures;
        assertEquals(Collections.emptyMap(), Proofs.wrong(stock, ours, dry));
        assertEquals(1, dry.launch.named().size(), dry.launch.everything);

        Figures skipping = Trial.run(program, classPath, "dry-run,exclude=" + skipped).figures;
        assertEquals(Collections.singleton(Proofs.SAME_CLASSES), Proofs.wrong(stock, ours, skipping).keySet());
    }
}
