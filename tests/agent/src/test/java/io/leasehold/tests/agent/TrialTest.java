package io.leasehold.tests.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.DataInputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Managers that are made in every way there is, of each generation, under the agent and without it. What the server has seen tells whose
 * they were: it closes all connections while they are idle, and stock leaves each in CLOSE_WAIT.
 */
class TrialTest {
    @Test
    void everyManagerOf31IsReplaced() throws Exception {
        Trial.run("Trial3", "client31", null).isOnStock();
        Trial outcome = Trial.run("Trial3", "client31", "report");
        // One more is made to be asked for its host.
        outcome.isOnLeasehold(9);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("4", outcome.said.get("seenBySub"), outcome.text());
        assertEquals("4", outcome.said.get("releasedByMany"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("pooled"), outcome.text());
    }

    @Test
    void everyManagerOfTheFirst45IsReplaced() throws Exception {
        everyManagerOf45("client45");
    }

    @Test
    void everyManagerOfTheLast45IsReplaced() throws Exception {
        Trial.run("Trial4", "client4514", null).isOnStock();
        everyManagerOf45("client4514");
    }

    private static void everyManagerOf45(String classPath) throws Exception {
        Trial outcome = Trial.run("Trial4", classPath, "report");
        outcome.isOnLeasehold(13);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("2", outcome.said.get("shutDownBySub"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("available"), outcome.text());
    }

    @Test
    void everyClassicManagerOf52IsReplaced() throws Exception {
        everyClassicManagerOf5("client52");
    }

    @Test
    void everyClassicManagerOf56IsReplaced() throws Exception {
        Trial.run("Trial5", "client56", null).isOnStock();
        everyClassicManagerOf5("client56");
    }

    private static void everyClassicManagerOf5(String classPath) throws Exception {
        Trial outcome = Trial.run("Trial5", classPath, "report");
        outcome.isOnLeasehold(11);
        assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
        assertEquals("7", outcome.said.get("max"), outcome.text());
        assertEquals("1", outcome.said.get("available"), outcome.text());
        assertEquals("1", outcome.said.get("closedBySub"), outcome.text());
    }

    @Test
    void asynchronousManagersAreReplacedAsOf54() throws Exception {
        for (String classPath : Arrays.asList("client54", "client56")) {
            Trial outcome = Trial.run("TrialAsync5", classPath, "report");
            assertEquals(16, outcome.figures.requests, outcome.text());
            assertEquals("0", outcome.said.get("lost"), outcome.text());
            assertEquals(4, outcome.made(), outcome.text());
            assertEquals("4", outcome.said.get("releasedBySub"), outcome.text());
            assertEquals("7", outcome.said.get("max"), outcome.text());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"report", ""})
    void anAsynchronousManagerOfAnEarlierVersionIsLeftAloneWithTheReason(String options) throws Exception {
        Trial outcome = Trial.run("TrialAsync5", "client52", options);
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.equals("org.apache.hc.client5.http.impl.nio."
                + "PoolingAsyncClientConnectionManager is left alone: it is of version 5.2, and 5.4 is the first that can be put on"
                + " Leasehold")).count(), outcome.text());
        assertEquals("0", outcome.said.get("lost"), outcome.text());
    }

    @Test
    void twoGenerationsInOneProgramAreReportedWithTheirOwnVersions() throws Exception {
        Trial outcome = Trial.run("Attached", "client31and4514", "report");
        outcome.isOnLeasehold(2);
        String loader = " in " + ClassLoader.getSystemClassLoader().getClass().getName();
        assertEquals(Arrays.asList("report: org.apache.commons.httpclient.SimpleHttpConnectionManager" + loader,
                "report: org.apache.http.impl.conn.PoolingHttpClientConnectionManager 4.5.14" + loader), outcome.launch.named(),
                outcome.text());
    }

    @Test
    void aPoolWithoutATotalLimitStaysOnStock() throws Exception {
        Trial outcome = Trial.run("Trial5", "client56", "report", "with LAX");
        assertEquals("1", outcome.said.get("closeWait"), outcome.text());
        assertTrue(outcome.text().contains("11 on Leasehold, 1 on stock"), outcome.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"java.io.tmpdir", "io.leasehold.native.tmpdir"})
    void withoutTheNativeLibraryStockStaysAndItIsSaidOnce(String where) throws Exception {
        Trial outcome = Trial.runWith("Trial4", "client4514", with(Launch.agent("report"), "-D" + where + "=/proc/nowhere"));
        outcome.isOnStock();
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("stays on stock")).count(), outcome.text());
        assertTrue(outcome.text().contains("/proc/nowhere"), outcome.text());
        assertTrue(outcome.text().contains("0 on Leasehold, 13 on stock"), outcome.text());
    }

    @Test
    void whereAMemberIsMissingThatOursReferToStockStaysAndItIsSaidOnce() throws Exception {
        Path lacking = Files.createTempFile("leasehold-httpclient", ".jar");
        try {
            List<String> path = new ArrayList<>();
            for (String each : Launch.classPath("client4514").split(File.pathSeparator)) {
                boolean isClient = each.contains("httpclient");
                path.add(isClient ? lacking.toString() : each);
                if (isClient) {
                    // Stock calls it when a request has waited for too long, which none of the program's does.
                    copy(each, lacking, "org/apache/http/conn/ConnectionPoolTimeoutException.class", "(Ljava/lang/String;)V",
                            "(Ljava/lang/Other_;)V");
                }
            }
            System.setProperty("leasehold.classpath.lacking", String.join(File.pathSeparator, path));
            for (String options : Arrays.asList("report", "dry-run", "")) {
                Trial outcome = Trial.run("Trial4", "lacking", options);
                outcome.isOnStock();
                assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.equals("org.apache.http.impl.conn."
                        + "PoolingHttpClientConnectionManager is left alone: there is no org.apache.http.conn."
                        + "ConnectionPoolTimeoutException.<init>(Ljava/lang/String;)V")).count(), outcome.text());
                assertEquals(Collections.emptyList(), outcome.launch.named(), outcome.text());
            }
        } finally {
            Files.delete(lacking);
        }
    }

    /** Copies a jar, and puts another constant into one of its classes. */
    private static void copy(String from, Path to, String name, String constant, String other) throws Exception {
        try (ZipFile jar = new ZipFile(from); ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
            for (ZipEntry each : Collections.list(jar.entries())) {
                byte[] content = new byte[(int) each.getSize()];
                try (DataInputStream in = new DataInputStream(jar.getInputStream(each))) {
                    in.readFully(content);
                }
                if (each.getName().equals(name)) {
                    String text = new String(content, StandardCharsets.ISO_8859_1);
                    content = text.replace(constant, other).getBytes(StandardCharsets.ISO_8859_1);
                }
                out.putNextEntry(new ZipEntry(each.getName()));
                out.write(content);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"report", ""})
    void anApplicationWithALeaseholdOfItsOwnKeepsIt(String options) throws Exception {
        Trial outcome = Trial.run("Trial4", "own4514", options);
        outcome.isOnStock();
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.equals("org.apache.http.impl.conn."
                + "PoolingHttpClientConnectionManager is left alone: the application has a Leasehold of its own")).count(), outcome.text());
    }

    @Test
    void applicationsThatWereUndeployedLeaveNoLoaderAndNoThread() throws Exception {
        Trial outcome = Trial.run("Undeployed", "client4514", "report");
        assertEquals("0", outcome.said.get("loaders"), outcome.text());
        assertEquals("0", outcome.said.get("threads"), outcome.text());
        // What they did is known though they are gone.
        assertEquals(15, outcome.figures.requests, outcome.text());
        assertTrue(outcome.text().contains("java.net.URLClassLoader: 5 on Leasehold, 0 on stock; 15 leases, 5 of a new connection\n"),
                outcome.text());
    }

    @Test
    void whatManagersDidIsReportedThatWereCollectedJustBeforeTheEnd() throws Exception {
        Trial outcome = Trial.run("Ended", "every", "report");
        assertEquals("0", outcome.said.get("left"), outcome.text());
        assertEquals(8, outcome.made(), outcome.text());
        assertEquals(12, outcome.figures.requests, outcome.text());
        assertEquals(12, outcome.sum(".* on stock; (\\d+) leases.*"), outcome.text());
        // Those that were never used are not waited for.
        assertEquals(0, outcome.sum(".* those of (\\d+) that were collected too late.*"), outcome.text());
    }

    @Test
    void aWrongOptionLeavesTheProgramAsItIs() throws Exception {
        Trial outcome = Trial.run("Trial4", "client4514", "reprot");
        outcome.isOnStock();
        assertEquals(Arrays.asList("the option reprot is unknown: there are generations, exclude, max-total, max-per-route, watching,"
                + " report, dry-run; the program runs without the agent"), outcome.launch.agentSaid, outcome.text());
    }

    @Test
    void limitsAreImposedWhateverTheProgramSays() throws Exception {
        Trial outcome = Trial.run("Trial4", "client4514", "max-total=3,max-per-route=1,watching=probe");
        assertEquals("3", outcome.said.get("max"), outcome.text());
        // Not watched, so that they stay until they are leased, and then are seen to be dead.
        assertEquals(outcome.said.get("clients"), outcome.said.get("closeWait"), outcome.text());
        assertEquals("0", outcome.said.get("lost"), outcome.text());
    }

    @Test
    void aSecondCopyOfTheAgentDoesNothing() throws Exception {
        Trial outcome = Trial.runWith("Trial4", "client4514", with(Launch.agent("report"), Launch.agent("report").get(0)));
        outcome.isOnLeasehold(13);
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("second copy")).count(), outcome.text());
    }

    @Test
    void whatAnAgentFindsLoadedWhenItIsAttachedIsLeftAlone() throws Exception {
        // Attached again it does nothing.
        Trial outcome = attached("report", "report");
        // The one on stock.
        assertEquals("1", outcome.said.get("closeWait"), outcome.text());
        assertEquals("org.apache.http.impl.conn.PoolingHttpClientConnectionManager is left alone: it was loaded before the agent",
                outcome.launch.agentSaid.get(0), outcome.text());
        assertEquals(1, outcome.made(), outcome.text());
        assertEquals(4, outcome.sum(".* on stock; (\\d+) leases.*"), outcome.text());
        assertEquals(1, outcome.launch.agentSaid.stream().filter(line -> line.contains("second copy")).count(), outcome.text());
    }

    @Test
    void anAgentThatIsAttachedWithAWrongOptionLeavesTheProgramAsItIs() throws Exception {
        Trial outcome = attached("max-total=none");
        outcome.isOnStock();
        assertEquals(1, outcome.launch.agentSaid.size(), outcome.text());
        assertTrue(outcome.launch.agentSaid.get(0).endsWith("; the program runs without the agent"), outcome.text());
    }

    @Test
    void anAgentThatCouldNotStartMayBeAttachedOnceMore() throws Exception {
        Trial outcome = attached("max-total=none", "report");
        assertTrue(outcome.launch.agentSaid.get(0).endsWith("; the program runs without the agent"), outcome.text());
        assertEquals(1, outcome.made(), outcome.text());
    }

    @Test
    void anAgentIsAttachedFromAnotherProcess() throws Exception {
        Trial outcome = attachedTo(Arrays.asList("-Djdk.attach.allowAttachSelf=false"), "report");
        assertEquals(1, outcome.made(), outcome.text());
        assertEquals(4, outcome.sum(".* on stock; (\\d+) leases.*"), outcome.text());
    }

    @Test
    void anAgentThatIsAttachedWhereNoLibraryCanBeUnpackedLeavesStockAndSaysSoOnce() throws Exception {
        Trial outcome = attachedTo(Arrays.asList("-Djdk.attach.allowAttachSelf=true", "-Dio.leasehold.native.tmpdir=/proc/nowhere"), "");
        outcome.isOnStock();
        List<String> said = new ArrayList<>(outcome.launch.agentSaid);
        assertTrue(said.remove("org.apache.http.impl.conn.PoolingHttpClientConnectionManager is left alone: it was loaded before the agent"),
                outcome.text());
        assertEquals(1, said.size(), outcome.text());
        assertTrue(said.get(0).contains("stays on stock: ") && said.get(0).contains("/proc/nowhere"), outcome.text());
    }

    private static Trial attached(String... options) throws Exception {
        return attachedTo(Arrays.asList("-Djdk.attach.allowAttachSelf=true"), options);
    }

    private static Trial attachedTo(List<String> jvmOptions, String... options) throws Exception {
        assumeFalse(System.getProperty("java.specification.version").equals("1.8"), "JDK 8 cannot attach without its tools.jar");
        List<String> more = new ArrayList<>();
        for (String each : options) {
            more.add(Launch.AGENT);
            more.add(each);
        }
        return Trial.runWith("Attached", "client31and4514", jvmOptions, more.toArray(new String[0]));
    }

    private static List<String> with(List<String> options, String more) {
        options.add(more);
        return options;
    }
}
