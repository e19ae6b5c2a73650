package io.leasehold.agent;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Makes managers for the classes of one loader, which alone refers to it by its {@code Seam}. Ours are defined there when the first
 * manager is made: before, the class that they extend is not loaded.
 */
final class Makers implements Function<Object[], Object> {
    private final Options options;
    private final Report report;
    private final Payload payload;
    private final ClassLoader loader;
    // What there is of each target, as the report calls it. Written by whoever makes the first manager; who races with that writes an equal
    // one. So are the next two.
    private final Map<Target, String> named = new ConcurrentHashMap<>();
    private final Map<Target, Function<Object[], Object>> makers = new ConcurrentHashMap<>();
    // Whether a target is as it must be, once that was looked for.
    private final Map<Target, Boolean> fitting = new ConcurrentHashMap<>();

    Makers(Options options, Report report, Payload payload, ClassLoader loader) {
        this.options = options;
        this.report = report;
        this.payload = payload;
        this.loader = loader;
    }

    /** Ours for a manager that is being made, or null: then it stays as stock made it. */
    @Override
    public Object apply(Object[] question) {
        Target target = Target.valueOf((String) question[0]);
        Class<?> type = question[1].getClass();
        if (isOurs(type, target) || Boolean.FALSE.equals(fitting.get(target))) {
            return null;
        }
        Object made = null;
        try {
            String which = which(target);
            String why = whyNot(type, target);
            if (why == null) {
                made = maker(target).apply(Arrays.copyOfRange(question, 1, question.length));
                why = made == null ? "it is not made in a way that is known here" : null;
            }
            if (why != null) {
                report.mention(type.getName() + which.substring(target.className.length()) + " stays on stock: " + why);
            }
        } catch (Unexpected e) {
            fitting.put(target, false);
            report.leftAlone(target.className, e);
            report.lost(named.get(target));
            return null;
        } catch (Throwable e) {
            report.sayOnce(target.className + " stays on stock: " + Report.told(e));
        }
        report.made(named.getOrDefault(target, target.className), made);
        return made;
    }

    private String which(Target target) throws Unexpected, IOException {
        String known = named.get(target);
        if (known == null) {
            known = Copies.which(target, loader);
            named.put(target, known);
        }
        return known;
    }

    /** Whether it is of ours, or of an application's class that extends ours, also of a Leasehold that the application brings itself. */
    private static boolean isOurs(Class<?> type, Target target) {
        for (Class<?> each = type; !each.getName().equals(target.className); each = each.getSuperclass()) {
            if (each.getName().equals(target.ours)) {
                return true;
            }
        }
        return false;
    }

    private String whyNot(Class<?> type, Target target) {
        for (Class<?> each = type; !each.getName().equals(target.className); each = each.getSuperclass()) {
            if (options.excludes(each.getName())) {
                return each.getName() + " is left out";
            }
            for (java.lang.reflect.Method method : target.stocksOwn == null ? new java.lang.reflect.Method[0] : each.getDeclaredMethods()) {
                if (method.getName().equals(target.stocksOwn)) {
                    return each.getName() + " overrides " + target.stocksOwn + ", which ours never calls";
                }
            }
        }
        return null;
    }

    @SuppressWarnings("unchecked") // What is in the agent's jar is such a function.
    private Function<Object[], Object> maker(Target target) throws Exception {
        Function<Object[], Object> known = makers.get(target);
        if (known == null) {
            if (!fitting.containsKey(target)) {
                new Members(loader).check(payload.text(target.part(), Members.LIST));
                fitting.put(target, true);
            }
            payload.define(Payload.LIBRARY, loader, target);
            payload.define(target.part(), loader, target);
            known = (Function<Object[], Object>) Class.forName(target.maker, true, loader).getConstructor(Map.class)
                    .newInstance(options.imposed);
            makers.put(target, known);
        }
        return known;
    }
}
