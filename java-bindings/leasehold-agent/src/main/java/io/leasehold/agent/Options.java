package io.leasehold.agent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/** What the agent is told: key=value pairs after -javaagent:…=, or system properties io.leasehold.agent.KEY, which those go before. */
final class Options {
    private static final String PROPERTY = "io.leasehold.agent.";
    private static final List<String> KEYS =
            Arrays.asList("generations", "exclude", "max-total", "max-per-route", "watching", "report", "dry-run");
    private static final List<String> GENERATIONS = Arrays.asList("3", "4", "5");
    private static final List<String> WATCHING = Arrays.asList("off", "watch", "probe", "both");

    final Set<String> generations;
    /** Names of classes, and beginnings of names: packages. */
    final List<String> excluded;
    final boolean report;
    final boolean dryRun;
    /** What is imposed on managers: max-total, max-per-route, watching; as it was given, seen to be right. */
    final Map<String, String> imposed = new HashMap<>();

    /** @throws IllegalArgumentException with one sentence that says what is wrong */
    Options(String arguments, Properties properties) {
        Map<String, String> given = new HashMap<>();
        for (String name : properties.stringPropertyNames()) {
            if (name.startsWith(PROPERTY)) {
                put(given, name.substring(PROPERTY.length()), properties.getProperty(name), "the system property " + name);
            }
        }
        for (String each : split(arguments, ",")) {
            int equals = each.indexOf('=');
            put(given, equals < 0 ? each : each.substring(0, equals), equals < 0 ? "" : each.substring(equals + 1), "the option " + each);
        }
        generations = new LinkedHashSet<>(given.containsKey("generations") ? split(given.get("generations"), ":") : GENERATIONS);
        require(GENERATIONS.containsAll(generations) && !generations.isEmpty(), "generations", given, "some of 3, 4 and 5, as in 3:4");
        excluded = split(given.get("exclude"), ":");
        report = flag(given, "report");
        dryRun = flag(given, "dry-run");
        for (String limit : Arrays.asList("max-total", "max-per-route")) {
            String value = given.get(limit);
            if (value != null) {
                require(value.matches("[1-9][0-9]{0,8}"), limit, given, "a number from 1 to 999999999");
                imposed.put(limit, value);
            }
        }
        String watching = given.get("watching");
        if (watching != null) {
            require(WATCHING.contains(watching), "watching", given, "one of " + String.join(", ", WATCHING));
            imposed.put("watching", watching.toUpperCase(Locale.ROOT));
        }
    }

    /** Whether a class is left out by its name. */
    boolean excludes(String className) {
        for (String each : excluded) {
            if (className.equals(each) || className.startsWith(each.endsWith(".") ? each : each + ".")) {
                return true;
            }
        }
        return false;
    }

    private static void put(Map<String, String> given, String key, String value, String what) {
        if (!KEYS.contains(key)) {
            throw new IllegalArgumentException(what + " is unknown: there are " + String.join(", ", KEYS));
        }
        given.put(key, value);
    }

    private static boolean flag(Map<String, String> given, String key) {
        String value = given.get(key);
        require(value == null || value.isEmpty() || value.equals("true") || value.equals("false"), key, given, "true, false or nothing");
        return value != null && !value.equals("false");
    }

    private static void require(boolean isRight, String key, Map<String, String> given, String what) {
        if (!isRight) {
            throw new IllegalArgumentException(key + " must be " + what + ": " + given.get(key));
        }
    }

    private static List<String> split(String list, String separator) {
        List<String> parts = new ArrayList<>();
        for (String each : list == null ? new String[0] : list.split(separator)) {
            if (!each.trim().isEmpty()) {
                parts.add(each.trim());
            }
        }
        return parts;
    }
}
