package io.leasehold.agent.seam;

import java.util.Map;

/** What the agent's user imposes on every manager, whatever the application says. */
public final class Imposed {
    private final Map<String, String> options;

    /**
     * As the agent's options say.
     *
     * @param options by their names, seen to be right
     */
    public Imposed(Map<String, String> options) {
        this.options = options;
    }

    /**
     * A manager's limit in total.
     *
     * @param asked what it would be
     * @return what it is
     */
    public int maxTotal(int asked) {
        return number("max-total", asked);
    }

    /**
     * A manager's limit for each route that has none of its own.
     *
     * @param asked what it would be
     * @return what it is
     */
    public int maxPerRoute(int asked) {
        return number("max-per-route", asked);
    }

    private int number(String option, int otherwise) {
        String value = options.get(option);
        return value == null ? otherwise : Integer.parseInt(value);
    }

    /**
     * How sockets are watched.
     *
     * @param otherwise the name of a {@code Watching}
     * @return the name of one
     */
    public String watching(String otherwise) {
        return options.getOrDefault("watching", otherwise);
    }
}
