package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The lines in which two transcripts differ. */
public final class TranscriptDiff {
    private TranscriptDiff() {}

    /** Fails at the first line in which the transcripts differ. For long ones, of which {@link #of} would make a table. */
    public static void assertNone(List<String> first, List<String> second) {
        for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
            assertEquals(first.get(i), second.get(i), "line " + i);
        }
        assertEquals(first.size(), second.size(), "lines");
    }

    /** What only the first has, as {@code "- line"}, and what only the second has, as {@code "+ line"}, by a longest common subsequence. */
    public static List<String> of(List<String> first, List<String> second) {
        int[][] common = new int[first.size() + 1][second.size() + 1];
        for (int i = first.size() - 1; i >= 0; i--) {
            for (int j = second.size() - 1; j >= 0; j--) {
                common[i][j] = first.get(i).equals(second.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        List<String> difference = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < first.size() || j < second.size()) {
            if (i < first.size() && j < second.size() && first.get(i).equals(second.get(j))) {
                i++;
                j++;
            } else if (j == second.size() || (i < first.size() && common[i + 1][j] >= common[i][j + 1])) {
                difference.add("- " + first.get(i++));
            } else {
                difference.add("+ " + second.get(j++));
            }
        }
        return Collections.unmodifiableList(difference);
    }
}
