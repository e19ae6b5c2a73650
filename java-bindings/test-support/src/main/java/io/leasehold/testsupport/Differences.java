package io.leasehold.testsupport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A suite's list of intended differences, as it is read from a file: paragraphs, each a script's name and then a line for every line in
 * which the transcripts differ, a reason's name before it. Lines that begin with # are comments.
 */
public final class Differences {
    private final Map<String, List<String>> byScript = new LinkedHashMap<>();
    private final Set<String> reasons = new TreeSet<>();

    private Differences() {}

    /** Reads the list from a resource beside this class. A script in more than one file has the differences of the last. */
    public static Differences of(Class<?> beside, String... resources) {
        Differences differences = new Differences();
        for (String resource : resources) {
            try (InputStream in = beside.getResourceAsStream(resource)) {
                differences.read(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
            } catch (IOException e) {
                throw new IllegalStateException("cannot read " + resource, e);
            }
        }
        return differences;
    }

    private void read(BufferedReader lines) throws IOException {
        List<String> current = null;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith("#") || line.isEmpty()) {
                current = null;
            } else if (current == null) {
                current = new ArrayList<>();
                byScript.put(line, current);
            } else {
                String reason = line.substring(0, line.indexOf(' '));
                reasons.add(reason);
                current.add(line.substring(reason.length()).trim());
            }
        }
    }

    /** The lines in which the transcripts of this script are to differ, as {@link TranscriptDiff} writes them. */
    public List<String> of(String script) {
        return byScript.getOrDefault(script, Collections.emptyList());
    }

    /** The scripts that have a paragraph. */
    public Set<String> scripts() {
        return Collections.unmodifiableSet(byScript.keySet());
    }

    /** The reasons' names. */
    public Set<String> reasons() {
        return Collections.unmodifiableSet(reasons);
    }
}
