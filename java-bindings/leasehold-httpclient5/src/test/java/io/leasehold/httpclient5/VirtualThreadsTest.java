package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.Child;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.Threads;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** Ten thousand virtual threads send requests over fifty connections, and none of ours keeps a carrier while it waits. */
class VirtualThreadsTest {
    private static final int THREADS = 10_000;
    private static final int CONNECTIONS = 50;

    private static Method start() {
        try {
            return Thread.class.getMethod("startVirtualThread", Runnable.class);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    @Test
    void noneIsPinnedWithAFrameOfOurs() throws Exception {
        assumeTrue(start() != null, "this JDK has no virtual threads");
        assumeFalse(PoolStage.CORE.startsWith("5.2"), "HttpClient before 5.4 holds a monitor of its own while it waits");
        Path recording = Files.createTempFile("leasehold", ".jfr");
        Path events = Files.createTempFile("leasehold", ".txt");
        try {
            assertEquals(Collections.singletonList(THREADS + " served"), Child.run(Program.class, Arrays.asList(
                    "-XX:StartFlightRecording:filename=" + recording
                            + ",jdk.VirtualThreadPinned#enabled=true,jdk.VirtualThreadPinned#threshold=0ms",
                    "-Xlog:jfr*=off", "-Xlog:disable")));
            // Whether events are recorded is asked of one that every such program has.
            assertTrue(print(recording, events, "jdk.JVMInformation").contains("jvmName"));
            for (String pinned : print(recording, events, "jdk.VirtualThreadPinned").split("jdk.VirtualThreadPinned ")) {
                // The program itself is in every stack; and that a class is loaded or initialized happens once, and is not a wait of ours.
                String ours = pinned.replaceAll("io\\.leasehold\\.httpclient5\\.(Way|VirtualThreadsTest)\\W.*", "");
                assertFalse(ours.contains("io.leasehold.") && !ours.contains("java.lang.ClassLoader.loadClass")
                        && !ours.contains("Waited for initialization") && !ours.contains(".<clinit>"), pinned);
            }
        } finally {
            Files.delete(recording);
            Files.delete(events);
        }
    }

    private static String print(Path recording, Path to, String event) throws Exception {
        Process jfr = new ProcessBuilder(Paths.get(System.getProperty("java.home"), "bin", "jfr").toString(), "print",
                "--stack-depth", "64", "--events", event, recording.toString())
                .redirectErrorStream(true).redirectOutput(to.toFile()).start();
        assertEquals(0, jfr.waitFor());
        return new String(Files.readAllBytes(to), StandardCharsets.UTF_8);
    }

    /** Sends the requests. */
    static final class Program {
        private Program() {}

        /** Runs it. */
        public static void main(String[] arguments) throws Exception {
            AtomicInteger served = new AtomicInteger();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CountDownLatch done = new CountDownLatch(THREADS);
            try (ScriptedServer server = ScriptedServer.plain();
                    LeaseholdHttpClientConnectionManager manager = LeaseholdHttpClientConnectionManagerBuilder.create()
                            .setMaxConnTotal(CONNECTIONS).setMaxConnPerRoute(CONNECTIONS).build();
                    CloseableHttpClient client = Way.PLAIN.builder(server, manager).setDefaultRequestConfig(
                            RequestConfig.custom().setConnectionRequestTimeout(Timeout.ofMinutes(4)).build()).build()) {
                // Virtual threads that wait for the JDK to load what reads of theirs wait by are pinned by that.
                Thread first = (Thread) start().invoke(null, (Runnable) () -> {
                    try {
                        Way.PLAIN.get(client, server, "/slow");
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                });
                Eventually.await("it waits for the answer", () -> server.peers().size() == 1 && server.peer(0).requests() == 1
                        && first.getState().name().endsWith("WAITING"));
                server.proceed();
                first.join();
                // And what waits is loaded, too.
                manager.setMaxTotal(1);
                Threads.run(4, number -> () -> {
                    for (int i = 0; i < 20; i++) {
                        Way.PLAIN.get(client, server, "/ok");
                    }
                    return null;
                });
                manager.setMaxTotal(CONNECTIONS);
                for (int i = 0; i < THREADS; i++) {
                    start().invoke(null, (Runnable) () -> {
                        try {
                            Way.PLAIN.get(client, server, "/ok");
                            served.incrementAndGet();
                        } catch (Throwable e) {
                            failure.set(e);
                        } finally {
                            done.countDown();
                        }
                    });
                }
                done.await();
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
            System.out.println(served + " served");
        }
    }
}
