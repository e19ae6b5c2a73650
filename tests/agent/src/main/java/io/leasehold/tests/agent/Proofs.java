package io.leasehold.tests.agent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * {@code ./dev agent}: each program on stock and on Leasehold, one after the other, as the rows of a table. Fails if a program is not on
 * Leasehold by the server's count, or is without the agent, or if dry-run and report do not name the same classes.
 */
public final class Proofs {
    private Proofs() {}

    /** Optionally with the names of programs. */
    public static void main(String[] args) throws Exception {
        List<Proof> all = new ArrayList<>(Arrays.asList(new MavenProof(400)));
        System.out.println("| program | HttpClient | replaced | requests | connections | failures | most in CLOSE_WAIT |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        int failed = 0;
        for (Proof each : all) {
            if (args.length == 0 || Arrays.stream(args).anyMatch(each.program()::contains)) {
                failed += judged(each) ? 0 : 1;
            }
        }
        if (failed > 0) {
            System.err.println(failed + " programs are not as they must be");
            System.exit(1);
        }
    }

    private static boolean judged(Proof proof) throws Exception {
        Figures stock = proof.run(null);
        Figures ours = proof.run("report");
        System.out.println("| " + proof.program() + " | " + proof.client() + " | " + String.join(", ", ours.replaced)
                + " | " + stock.requests + ", " + ours.requests + " | " + stock.connections + ", " + ours.connections
                + " | " + stock.failures + ", " + ours.failures + " | " + stock.closeWaits + ", " + ours.closeWaits + " |");
        boolean isRight = stock.launch.agentSaid.isEmpty() && !ours.replaced.isEmpty();
        if (!isRight) {
            System.err.println(ours.launch.everything);
        }
        return isRight;
    }
}
