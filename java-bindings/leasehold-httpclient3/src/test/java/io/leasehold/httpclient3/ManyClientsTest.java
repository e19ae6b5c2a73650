package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Child;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A new HttpClient for every request, never shut down: what that uses up stays as flat as with 3.1's own manager. */
class ManyClientsTest {
    // A small heap, collected often: what is left behind shows as soon as it is not collected with the rest.
    private static final List<String> OPTIONS = Arrays.asList("-XX:+UseSerialGC", "-Xmn8m", "-Xmx64m");
    private static final int A_FEW = 3_000;

    @Test
    void descriptorsThreadsAndMemoryStayAsFlatAsWithStock() throws Exception {
        compare(A_FEW);
    }

    /** Runs {@code COUNT} clients on each side; for more than a test run has time for. */
    public static void main(String[] arguments) throws Exception {
        compare(Integer.parseInt(arguments[0]));
    }

    private static void compare(int count) throws Exception {
        List<String> stock = Child.run(ManyClients.class, OPTIONS, "stock", String.valueOf(count));
        List<String> ours = Child.run(ManyClients.class, OPTIONS, "leasehold", String.valueOf(count));
        String both = "stock:\n" + String.join("\n", stock) + "\nleasehold:\n" + String.join("\n", ours);
        System.out.println(both);
        // Sockets live until the collector comes by, on both sides, and it comes by when a certain amount was allocated.
        assertTrue(most(ours, "descriptors") <= 2 * most(stock, "descriptors") + 100, both);
        // The housekeeper, and what the JVM may start for itself.
        assertTrue(most(ours, "threads") <= most(stock, "threads") + 3, both);
        // The library itself and the memory of pools that are not collected yet, however many there were.
        assertTrue(most(ours, "resident") <= most(stock, "resident") + 96 * 1024, both);
    }

    private static long most(List<String> lines, String what) {
        String prefix = "most " + what + " ";
        return lines.stream().filter(line -> line.startsWith(prefix)).mapToLong(line -> Long.parseLong(line.substring(prefix.length())))
                .findFirst().orElseThrow(() -> new AssertionError(String.join("\n", lines)));
    }
}
