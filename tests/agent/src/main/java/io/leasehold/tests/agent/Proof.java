package io.leasehold.tests.agent;

/** A program that nobody here wrote, or a few lines on a library that nobody here wrote, run beside a server that counts. */
interface Proof {
    /** The program's name and version. */
    String program();

    /** Which HttpClient it uses. */
    String client();

    /** Runs it: with the agent's options, or without the agent if they are null. */
    Figures run(String agentOptions) throws Exception;
}
