package io.leasehold.tests.agent;

import java.util.Collections;
import java.util.List;

/** A program that nobody here wrote, or a few lines on a library that nobody here wrote, run beside a server that counts. */
interface Proof {
    /** The program's name and version. */
    String program();

    /** Which HttpClient it uses. */
    String client();

    /** What else must be so of a run, and is not. */
    default List<String> wrong(Figures figures) {
        return Collections.emptyList();
    }

    /** Runs it: with the agent's options, or without the agent if they are null. */
    Figures run(String agentOptions) throws Exception;
}
