package io.leasehold.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {
    private static Options of(String arguments) {
        return new Options(arguments, new Properties());
    }

    @Test
    void withoutOptionsEverythingIsReplacedAndNothingIsSaid() {
        for (String none : new String[] {null, "", " , "}) {
            Options options = of(none);
            assertEquals(new LinkedHashSet<>(Arrays.asList("3", "4", "5")), options.generations);
            assertFalse(options.report);
            assertFalse(options.dryRun);
            assertFalse(options.excludes("org.apache.http.impl.conn.PoolingHttpClientConnectionManager"));
            assertEquals(Collections.emptyMap(), options.imposed);
        }
    }

    @Test
    void flagsMayStandAlone() {
        assertTrue(of("report").report);
        assertTrue(of("report=true,dry-run=true").dryRun);
        assertFalse(of("report=false").report);
    }

    @Test
    void packagesAreLeftOutWithWhatIsBelowThem() {
        Options options = of("exclude=com.example.http:com.example.Client");
        assertTrue(options.excludes("com.example.http.Manager"));
        assertTrue(options.excludes("com.example.http.deep.Manager"));
        assertTrue(options.excludes("com.example.Client"));
        assertFalse(options.excludes("com.example.https.Manager"));
        assertFalse(options.excludes("com.example.Clients"));
    }

    @Test
    void anOptionGoesBeforeItsSystemProperty() {
        Properties properties = new Properties();
        properties.setProperty("io.leasehold.agent.max-total", "5");
        properties.setProperty("io.leasehold.agent.watching", "probe");
        properties.setProperty("io.leasehold.native.tmpdir", "/tmp");
        Options options = new Options("max-total=6", properties);
        assertEquals("6", options.imposed.get("max-total"));
        assertEquals("PROBE", options.imposed.get("watching"));
    }

    @ParameterizedTest
    @CsvSource({
        "reprot, the option reprot is unknown",
        "generations=6, 'generations must be some of 3, 4 and 5'",
        "generations=, generations must be",
        "max-total=none, max-total must be a number",
        "max-total=0, max-total must be a number",
        "max-per-route=-1, max-per-route must be a number",
        "watching=yes, watching must be one of",
        "report=maybe, report must be true",
    })
    void whatIsWrongIsSaid(String wrong, String said) {
        String message = assertThrows(IllegalArgumentException.class, () -> of(wrong)).getMessage();
        assertTrue(message.startsWith(said), message);
    }

    @Test
    void anUnknownSystemPropertyIsSaid() {
        Properties properties = new Properties();
        properties.setProperty("io.leasehold.agent.max", "5");
        String message = assertThrows(IllegalArgumentException.class, () -> new Options(null, properties)).getMessage();
        assertTrue(message.startsWith("the system property io.leasehold.agent.max is unknown"), message);
    }
}
