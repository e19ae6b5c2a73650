package io.leasehold.tests.agent.programs;

/** An agent that does nothing: what the JVM takes for any agent. */
public final class Idle {
    private Idle() {}

    public static void premain(String arguments) {}
}
