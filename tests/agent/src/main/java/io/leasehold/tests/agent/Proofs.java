package io.leasehold.tests.agent;

import io.leasehold.tests.agent.CountedServer.Response;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * {@code ./dev agent}: each program on stock and on Leasehold, one after the other, as the rows of a table. Fails if a program is not on
 * Leasehold by the server's count, or says anything of the agent without it, or if dry-run and report do not name the same classes.
 */
public final class Proofs {
    static final String SAME_CLASSES = "dry-run and report name the same classes";

    private Proofs() {}

    /** Optionally with parts of programs' names; start is what the agent adds to a program's. */
    public static void main(String[] args) throws Exception {
        CountedServer.Site hello = request -> new Response(200, "hello");
        CountedServer.Site soap = request -> new Response(200, "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>"
                + "<answer xmlns=\"urn:test\">hello</answer></Body></Envelope>").with("Content-Type", "text/xml; charset=utf-8");
        List<Proof> all = Arrays.asList(
                new MavenProof(400),
                new ProgramProof("HttpClients.createDefault(), 4.5.14", "4.5", "Default4", "client4514", false, () -> hello),
                new ProgramProof("HttpClients.createDefault(), 5.6.5", "5", "Default5", "client56", false, () -> hello),
                new ProgramProof(
                        "HttpAsyncClients.createDefault(), 5.6.5", "5, asynchronous", "DefaultAsync5", "client56", false, () -> hello),
                new ProgramProof("Commons VFS 2.10.0, http3", "3.1", "Vfs", "vfs", false, () -> hello),
                new ProgramProof("Axis2 1.7.9", "3.1", "Axis2", "axis2", false, () -> soap),
                new ProgramProof("google-http-client 2.2.0, apache-v2", "4.5", "Google", "google", false, () -> hello),
                new ProgramProof("AWS SDK 2.59.1, S3, apache-client", "4.5", "Aws2", "aws2", true, S3Site::new),
                new ProgramProof("AWS SDK 2.59.1, S3, apache5-client", "5", "Aws2", "aws2on5", true, S3Site::new),
                new ProgramProof("AWS SDK 1.12.797, S3", "4.5", "Aws1", "aws1", true, S3Site::new),
                new JarProof("Spring Boot 2.7.18, executable jar", "4.5", "boot27", hello),
                new JarProof("Spring Boot 3.5.16, executable jar", "5", "boot35", hello),
                new TracedProof("HttpClients.createDefault(), 4.5.14", "4.5", "Default4", "client4514", false, hello),
                new TracedProof("HttpClients.createDefault(), 4.5.14", "4.5", "Default4", "client4514", true, hello),
                new TracedProof("HttpClients.createDefault(), 5.6.5", "5", "Default5", "client56", false, hello),
                new TracedProof("HttpClients.createDefault(), 5.6.5", "5", "Default5", "client56", true, hello));
        System.out.println("| program | HttpClient | replaced | requests | connections | failures | in CLOSE_WAIT |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        int failed = 0;
        for (Proof each : all) {
            if (args.length == 0 || Arrays.stream(args).anyMatch(each.program()::contains)) {
                failed += isAsItMust(each) ? 0 : 1;
            }
        }
        if (args.length == 0 || Arrays.asList(args).contains("start")) {
            Startup.print();
        }
        if (failed > 0) {
            System.err.println(failed + " programs are not as they must be");
            System.exit(1);
        }
    }

    private static boolean isAsItMust(Proof proof) throws Exception {
        Figures stock = proof.run(null);
        Figures ours = proof.run("report");
        Figures dry = proof.run("dry-run");
        System.out.printf(Locale.ROOT, "| %s | %s | %s | %d, %d | %d, %d | %d, %d | %.1f, %.1f |%n", proof.program(), proof.client(),
                String.join(", ", ours.replaced), stock.requests, ours.requests, stock.connections, ours.connections, stock.failures,
                ours.failures, stock.closeWaits, ours.closeWaits);
        Map<String, Figures> wrong = wrong(stock, ours, dry);
        for (Figures each : Arrays.asList(stock, ours, dry)) {
            proof.wrong(each).forEach(what -> wrong.put(what, each));
        }
        wrong.forEach((what, figures) -> System.err.println(
                "not so: " + what + "\n" + figures.launch.everything.replaceAll("(?m)^(.{300}).*$", "$1 ...")));
        return wrong.isEmpty();
    }

    /** What must be so and is not, of three runs of a program: without the agent, under it with a report, and in a dry run. */
    static Map<String, Figures> wrong(Figures stock, Figures ours, Figures dry) {
        Map<String, Figures> wrong = new LinkedHashMap<>();
        expect("without the agent nothing is said of it", stock.launch.agentSaid.isEmpty(), stock, wrong);
        expect("managers are on Leasehold", !ours.replaced.isEmpty(), ours, wrong);
        // Each request that the server has seen had a lease of ours: no other manager has sent one. HttpClient 5 opens a stale connection
        // anew within its lease.
        expect("the server's requests had leases of ours", ours.leases >= ours.requests && ours.requests > 0, ours, wrong);
        expect(SAME_CLASSES, ours.launch.named().equals(dry.launch.named()), dry, wrong);
        expect("a dry run is on stock", dry.leases == 0, dry, wrong);
        return wrong;
    }

    private static void expect(String what, boolean isSo, Figures figures, Map<String, Figures> wrong) {
        if (!isSo) {
            wrong.put(what, figures);
        }
    }
}
