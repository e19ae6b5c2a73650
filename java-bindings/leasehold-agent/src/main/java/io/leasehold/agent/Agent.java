package io.leasehold.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/**
 * {@code java -javaagent:leasehold-agent.jar}: puts the connection managers of Apache's HttpClients on Leasehold, in a program that is not
 * changed. This is what the JVM calls; all else is {@link Packed}.
 */
public final class Agent {
    // Inside this class's monitor.
    private static BiConsumer<String, Instrumentation> starter;

    private Agent() {}

    /**
     * Started with the program.
     *
     * @param arguments options, as key=value pairs with commas between; may be null
     * @param instrumentation the JVM's
     */
    public static void premain(String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation);
    }

    /**
     * Attached to a program that runs. What is loaded already is left alone.
     *
     * @param arguments options, as key=value pairs with commas between; may be null
     * @param instrumentation the JVM's
     */
    public static void agentmain(String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation);
    }

    @SuppressWarnings("unchecked") // What is in the agent's jar is such a consumer.
    private static synchronized void start(String arguments, Instrumentation instrumentation) {
        try {
            if (starter == null) {
                File jar = new File(Agent.class.getProtectionDomain().getCodeSource().getLocation().toURI());
                starter = (BiConsumer<String, Instrumentation>) Class.forName("io.leasehold.agent.Starter", true, Packed.of(jar))
                        .getConstructor(File.class).newInstance(jar);
            }
            starter.accept(arguments, instrumentation);
        } catch (Throwable e) {
            System.err.println("leasehold-agent: it cannot start, and the program runs without it: " + e);
        }
    }
}
