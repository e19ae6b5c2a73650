package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The same scripts on 3.1's managers and on ours: same outcomes, exceptions, texts and log lines, but for the differences intended. */
class DifferentialTest {
    private static final Map<String, List<String>> DIFFERENCES = new LinkedHashMap<>();
    private static final Set<String> REASONS = new TreeSet<>();

    static {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                DifferentialTest.class.getResourceAsStream("differences.txt"), StandardCharsets.UTF_8))) {
            String script = null;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("#") || line.isEmpty()) {
                    script = null;
                } else if (script == null) {
                    script = line;
                    DIFFERENCES.put(script, new ArrayList<>());
                } else {
                    String reason = line.substring(0, line.indexOf(' '));
                    REASONS.add(reason);
                    DIFFERENCES.get(script).add(line.substring(reason.length()).trim());
                }
            }
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyScriptComesOutAlikeButForItsIntendedDifferences() {
        return Scripts.all().entrySet().stream().map(script -> DynamicTest.dynamicTest(script.getKey(), () -> {
            List<String> stock = play(Subject.STOCK, script.getValue());
            List<String> ours = play(Subject.LEASEHOLD, script.getValue());
            assertEquals(
                    String.join("\n", DIFFERENCES.getOrDefault(script.getKey(), Collections.emptyList())),
                    String.join("\n", TranscriptDiff.of(stock, ours)));
        }));
    }

    @Test
    void everyDifferenceBelongsToAScript() {
        Set<String> unknown = new TreeSet<>(DIFFERENCES.keySet());
        unknown.removeAll(Scripts.all().keySet());
        assertEquals(Collections.emptySet(), unknown);
    }

    @Test
    void everyReasonIsInTheDocumentation() throws IOException {
        String documentation = new String(
                Files.readAllBytes(Paths.get("..", "..", "docs", "compatibility.md")), StandardCharsets.UTF_8);
        for (String reason : REASONS) {
            assertTrue(documentation.contains("`" + reason + "`"), reason);
        }
    }

    private static List<String> play(Subject subject, Scripts.Script script) throws Exception {
        try (Stage stage = new Stage(subject)) {
            script.play(stage);
            return stage.transcript();
        }
    }
}
