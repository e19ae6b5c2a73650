package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The same scripts on a stock manager and on ours: same outcomes, exceptions, texts and log lines, but for the differences intended. */
public abstract class DifferentialSuite<S extends ScriptStage> {
    /** A side of the comparison. */
    protected interface Side<S> {
        /** A new stage with this side's managers. */
        S open() throws Exception;
    }

    private final Map<String, Script<S>> scripts;
    private final Differences differences;
    private final Side<S> stock;
    private final Side<S> ours;

    /** The suite of these scripts, by name, with these intended differences. */
    protected DifferentialSuite(Map<String, Script<S>> scripts, Differences differences, Side<S> stock, Side<S> ours) {
        this.scripts = scripts;
        this.differences = differences;
        this.stock = stock;
        this.ours = ours;
    }

    @TestFactory
    final Stream<DynamicTest> everyScriptComesOutAlikeButForItsIntendedDifferences() {
        return scripts.entrySet().stream().map(script -> DynamicTest.dynamicTest(script.getKey(), () -> assertEquals(
                String.join("\n", differences.of(script.getKey())),
                String.join("\n", TranscriptDiff.of(play(stock, script.getValue()), play(ours, script.getValue()))))));
    }

    @Test
    final void everyDifferenceBelongsToAScript() {
        Set<String> unknown = new TreeSet<>(differences.scripts());
        unknown.removeAll(scripts.keySet());
        assertEquals(Collections.emptySet(), unknown);
    }

    @Test
    final void everyReasonIsInTheDocumentation() throws IOException {
        String documentation = new String(
                Files.readAllBytes(Paths.get("..", "..", "docs", "compatibility.md")), StandardCharsets.UTF_8);
        for (String reason : differences.reasons()) {
            assertTrue(documentation.contains("`" + reason + "`"), reason);
        }
    }

    private List<String> play(Side<S> side, Script<S> script) throws Exception {
        try (S stage = side.open()) {
            script.play(stage);
            return stage.transcript();
        }
    }
}
