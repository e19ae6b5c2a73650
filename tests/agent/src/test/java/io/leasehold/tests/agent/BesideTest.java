package io.leasehold.tests.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Beside JaCoCo's agent, which changes every class of a program, HttpClient's and those that ours brings among them. */
class BesideTest {
    @ParameterizedTest
    @CsvSource({
        "Trial4, client4514, 13, true, org/apache/http/impl/conn/PoolingHttpClientConnectionManager",
        "Trial4, client4514, 13, false, org/apache/http/impl/conn/PoolingHttpClientConnectionManager",
        "Trial5, client56, 11, true, org/apache/hc/client5/http/impl/io/PoolingHttpClientConnectionManager",
        "Trial5, client56, 11, false, org/apache/hc/client5/http/impl/io/PoolingHttpClientConnectionManager",
    })
    void managersAreReplacedAndCovered(String program, String classPath, int managers, boolean isOursFirst, String covered)
            throws Exception {
        Path coverage = Files.createTempFile("leasehold-jacoco", ".exec");
        try {
            List<String> options = Launch.agent("report");
            options.add(isOursFirst ? 1 : 0, "-javaagent:" + System.getProperty("leasehold.jacoco") + "=destfile=" + coverage);
            Trial outcome = Trial.runWith(program, classPath, options);
            outcome.isOnLeasehold(managers);
            assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
            assertTrue(new String(Files.readAllBytes(coverage), StandardCharsets.ISO_8859_1).contains(covered), outcome.text());
            assertEquals(Collections.emptyList(), complaints(outcome.text()), outcome.text());
        } finally {
            Files.delete(coverage);
        }
    }

    /** Lines of agents and of the JVM that are not of our report. */
    private static List<String> complaints(String text) {
        return Arrays.stream(text.split("\n")).filter(line -> line.matches("(?i).*(exception|error|warn|jacoco).*"))
                .collect(Collectors.toList());
    }
}
