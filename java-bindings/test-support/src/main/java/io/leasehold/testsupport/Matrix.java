package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every piece of a caller's code against every call that can reach it: it fails, and afterwards nothing is lost. Each cell has a stage of
 * its own, on which a call is made while one place fails in one way. Where a call never comes to a place there is no cell.
 *
 * @param <S> the stage
 */
public final class Matrix<S extends Matrix.Stage> {
    /** Something at work that callers' code is part of. */
    public interface Stage extends AutoCloseable {
        /** What makes the callers' code on this stage fail. */
        Faults faults();

        /** What callers' code does when it calls back. */
        void callBack();

        /** Shuts down what callers' code serves. */
        void shutDown();

        /** Returns once nothing that the call has left to other threads is under way. */
        void awaitQuiet() throws Exception;

        /** Ends what is held, and demands that everything can be had again and all counts are exact. */
        void settle() throws Exception;

        /** What has come up on other threads and in logs. */
        List<Throwable> surfaced();

        /** Whether a call that throws this has said by it that its thread was interrupted, with the thread's flag cleared. */
        default boolean tellsOfInterrupt(Throwable propagated) {
            return propagated instanceof InterruptedException;
        }

        @Override
        void close() throws Exception;
    }

    /** Something done on a stage. */
    public interface Act<S> {
        /** Does it. */
        void on(S stage) throws Exception;
    }

    /** No place in callers' code: the calling thread is interrupted before it calls, and nothing fails. */
    public static final String INTERRUPTED = "the calling thread, interrupted before";

    private static final class Call<S> {
        final Act<S> prepare;
        final Act<S> act;

        Call(Act<S> prepare, Act<S> act) {
            this.prepare = prepare;
            this.act = act;
        }
    }

    private final Callable<S> stages;
    private final Map<String, Call<S>> calls = new LinkedHashMap<>();
    // Places at which a failure has nowhere to come up but on the console: those of a logger.
    private final Set<String> mute;
    private int cells;

    /** A matrix without calls. At the places named what fails is a log, which cannot log that. */
    public Matrix(Callable<S> stages, String... mute) {
        this.stages = stages;
        this.mute = new TreeSet<>(Arrays.asList(mute));
    }

    /** Adds a call, by the method's type, name and parameters, and after a colon by what is special about it. */
    public Matrix<S> call(String name, Act<S> act) {
        return call(name, stage -> {}, act);
    }

    /** As above, for a call that needs the stage to be prepared before anything fails. */
    public Matrix<S> call(String name, Act<S> prepare, Act<S> act) {
        if (calls.put(name, new Call<>(prepare, act)) != null) {
            throw new IllegalArgumentException("two calls are named " + name);
        }
        return this;
    }

    /** Adds a call of every public method that a type declares, on an object of the stage and with arguments by their type. */
    public Matrix<S> callEach(Class<?> type, Function<S, Object> object, Function<Class<?>, Object> argument) {
        publicMethods(type).forEach((name, method) -> call(name, stage -> {
            method.setAccessible(true);
            try {
                method.invoke(object.apply(stage), Arrays.stream(method.getParameterTypes()).map(argument).toArray());
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof Error) {
                    throw (Error) e.getCause();
                }
                throw (Exception) e.getCause();
            }
        }));
        return this;
    }

    private static Map<String, Method> publicMethods(Class<?> type) {
        Map<String, Method> methods = new TreeMap<>();
        for (Method method : type.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()) && !method.isSynthetic()) {
                methods.put(name(method), method);
            }
        }
        return methods;
    }

    /** Demands that every public method that a type declares is called. */
    public void mustCover(Class<?> type) {
        mustCover(type, type);
    }

    /** Demands the same of a type that another one extends; methods that the other one overrides are called by its name. */
    public void mustCover(Class<?> type, Class<?> extending) {
        Set<String> missing = new TreeSet<>();
        for (Method method : publicMethods(type).values()) {
            String called = name(method);
            missing.add(publicMethods(extending).keySet().stream().filter(name -> afterType(name).equals(afterType(called)))
                    .findAny().orElse(called));
        }
        calls.keySet().forEach(name -> missing.remove(name.replaceFirst(": .*", "")));
        assertEquals(Collections.emptySet(), missing, "public methods without a call in the matrix");
    }

    private static String afterType(String name) {
        return name.substring(name.indexOf('.'));
    }

    /**
     * What callers' code is given to the public constructors and methods of types: "Interface.method" for each method of an interface
     * that is a parameter's type, and "Class" for each class that applications can extend. Of the JDK's own types only interfaces count,
     * and of these only the methods without a body.
     */
    public static Set<String> givenTo(Class<?>... types) {
        Set<String> given = new TreeSet<>();
        for (Class<?> type : types) {
            List<Executable> all = new ArrayList<>(Arrays.asList(type.getConstructors()));
            all.addAll(Arrays.asList(type.getMethods()));
            for (Executable each : all) {
                for (Class<?> parameter : each.getParameterTypes()) {
                    addWhatIsCalled(parameter, given);
                }
            }
        }
        return given;
    }

    private static void addWhatIsCalled(Class<?> parameter, Set<String> given) {
        boolean isTheJdks = parameter.getName().startsWith("java.");
        if (parameter.isInterface()) {
            for (Method method : parameter.getMethods()) {
                if (Modifier.isAbstract(method.getModifiers()) || !isTheJdks && !Modifier.isStatic(method.getModifiers())) {
                    given.add(parameter.getSimpleName() + "." + method.getName());
                }
            }
        } else if (!isTheJdks && !parameter.isPrimitive() && !Modifier.isFinal(parameter.getModifiers()) && canBeExtended(parameter)) {
            given.add(parameter.getSimpleName());
        }
    }

    private static boolean canBeExtended(Class<?> type) {
        return Arrays.stream(type.getDeclaredConstructors())
                .anyMatch(each -> (each.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0);
    }

    private static String name(Method method) {
        return method.getDeclaringClass().getSimpleName() + "." + method.getName() + Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName).collect(Collectors.joining(", ", "(", ")"));
    }

    /** Has one place fail in every way under every call, and fails with all cells in which something was lost. */
    public void run(String place) throws Exception {
        List<String> lost = new ArrayList<>();
        int before = cells;
        for (Map.Entry<String, Call<S>> call : calls.entrySet()) {
            // Where nothing fails one cell is enough.
            for (Faults.Mode mode : place.equals(INTERRUPTED) ? new Faults.Mode[] {Faults.Mode.INTERRUPT} : Faults.Mode.values()) {
                if (!isReachedWithoutLoss(place, mode, call, lost)) {
                    break;
                }
                cells++;
            }
        }
        assertTrue(cells > before, "no call comes to " + place);
        if (!lost.isEmpty()) {
            fail(lost.size() + " of " + (cells - before) + " cells of '" + place + "':\n" + String.join("\n", lost));
        }
    }

    /** How many cells were run. */
    public int cells() {
        return cells;
    }

    private boolean isReachedWithoutLoss(String place, Faults.Mode mode, Map.Entry<String, Call<S>> call, List<String> lost)
            throws Exception {
        try (S stage = stages.call()) {
            Faults faults = stage.faults();
            call.getValue().prepare.on(stage);
            faults.arm(place, mode, mode == Faults.Mode.SHUT_DOWN ? stage::shutDown : stage::callBack);
            boolean isInterruptedBefore = place.equals(INTERRUPTED);
            Throwable propagated = null;
            try {
                if (isInterruptedBefore) {
                    Thread.currentThread().interrupt();
                }
                call.getValue().act.on(stage);
            } catch (Throwable e) {
                propagated = e;
            }
            boolean isInterrupted = Thread.interrupted();
            faults.spareThisThread(true);
            String cell = call.getKey() + ", " + mode;
            try {
                stage.awaitQuiet();
                faults.disarm();
                stage.settle();
                if (isInterruptedBefore || mode == Faults.Mode.INTERRUPT && faults.isReachedHere()) {
                    assertTrue(isInterrupted || stage.tellsOfInterrupt(propagated), "an interrupt was swallowed");
                }
                if (!mute.contains(place) && !faults.thrown().isEmpty()) {
                    assertIsFound(faults.thrown(), propagated, stage);
                }
            } catch (Throwable e) {
                lost.add("  " + cell + ": " + e + at(e) + (propagated == null ? "" : " (the call threw " + propagated + ")"));
            }
            return isInterruptedBefore || faults.isReached();
        }
    }

    private static String at(Throwable e) {
        return Arrays.stream(e.getStackTrace()).filter(frame -> frame.getClassName().contains("Stage")).findFirst()
                .map(frame -> " at line " + frame.getLineNumber()).orElse("");
    }

    /** Of several failures under one call, as of a line that is tried again, the last counts. None may come up twice. */
    private static void assertIsFound(List<Throwable> thrown, Throwable propagated, Stage stage) throws Exception {
        // Another thread may be about to log what it was thrown.
        Eventually.await("what failed is found, not swallowed: " + thrown,
                () -> thrown.stream().anyMatch(one -> timesFound(one, propagated, stage.surfaced()) > 0));
        for (Throwable one : thrown) {
            int times = timesFound(one, propagated, stage.surfaced());
            assertTrue(times <= 1, () -> "its author finds it " + times + " times: " + one);
        }
    }

    private static int timesFound(Throwable thrown, Throwable propagated, List<Throwable> surfaced) {
        int times = leadsTo(propagated, thrown) ? 1 : 0;
        for (Throwable one : surfaced) {
            times += leadsTo(one, thrown) ? 1 : 0;
        }
        return times;
    }

    private static boolean leadsTo(Throwable from, Throwable to) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Throwable> open = new ArrayList<>(Collections.singletonList(from));
        while (!open.isEmpty()) {
            Throwable next = open.remove(open.size() - 1);
            if (next == to) {
                return true;
            }
            if (next != null && seen.add(next)) {
                open.add(next.getCause());
                open.addAll(Arrays.asList(next.getSuppressed()));
            }
        }
        return false;
    }
}
