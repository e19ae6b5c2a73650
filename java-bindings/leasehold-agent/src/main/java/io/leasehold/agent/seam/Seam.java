package io.leasehold.agent.seam;

import java.util.function.Function;

/**
 * Where a changed class of HttpClient asks for ours. It is not on the agent's class path but defined beside that class, in its loader, so
 * that every loader finds it, whatever it delegates to; it knows nothing but the JDK. What it refers to goes with the loader.
 */
public final class Seam {
    // Written once, before the first changed class of this loader is there.
    private static volatile Function<Object[], Object> maker;

    private Seam() {}

    /**
     * Has managers asked for from now on, unless somebody did so before.
     *
     * @param first whom to ask
     */
    public static synchronized void install(Function<Object[], Object> first) {
        if (maker == null) {
            maker = first;
        }
    }

    /**
     * Asks for a manager of ours. Never throws: a constructor of HttpClient's calls this.
     *
     * @param question the changed class's target, the manager that is being made, and its constructor's arguments
     * @return ours, or null for stock
     */
    public static Object ask(Object[] question) {
        try {
            return maker.apply(question);
        } catch (Throwable e) {
            // The one that is asked has said what there is to say, as far as there was memory and stack for it.
            return null;
        }
    }
}
