package io.leasehold.agent;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * {@code java -javaagent:leasehold-agent.jar}: puts the connection managers of Apache's HttpClients on Leasehold, in a program that is not
 * changed. It changes a handful of classes as they are defined, {@link ManagerClass} says how, and nothing else.
 *
 * <p>Whatever fails leaves stock in place, with a line that says why. It starts no thread and keeps nothing of an application's: what it
 * knows of a loader is referred to by that loader alone.
 */
public final class Agent implements ClassFileTransformer {
    /** What the agent does not cover, by the names that class files have for classes: said when one is first seen. */
    private static final Map<String, String> NOT_COVERED = new HashMap<>();

    static {
        NOT_COVERED.put("org/apache/http/impl/conn/BasicHttpClientConnectionManager", "has no pool");
        NOT_COVERED.put("org/apache/hc/client5/http/impl/io/BasicHttpClientConnectionManager", "has no pool");
        NOT_COVERED.put("org/apache/http/impl/conn/tsccm/ThreadSafeClientConnManager", "is HttpClient 4's from before 4.3");
        NOT_COVERED.put("org/apache/http/impl/conn/PoolingClientConnectionManager", "is HttpClient 4's from before 4.3");
        NOT_COVERED.put("org/apache/http/impl/nio/conn/PoolingNHttpClientConnectionManager", "is HttpAsyncClient 4.1's");
        NOT_COVERED.put("okhttp3/OkHttpClient", "is OkHttp's");
        NOT_COVERED.put("sun/net/www/protocol/http/HttpURLConnection", "is the JDK's");
    }

    // Written by the first agent of this JVM that starts.
    private static boolean isStarted;

    private final Options options;
    private final Report report;
    private final Payload payload;
    // Which classes were being loaded while this agent started, by name and loader: they are changed, and may be listed as loaded already.
    // Written when it has started: then null.
    private volatile Set<String> meanwhile = Collections.newSetFromMap(new ConcurrentHashMap<>());

    private Agent(Options options, Payload payload) {
        this.options = options;
        this.payload = payload;
        report = new Report(options);
    }

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

    private static synchronized void start(String arguments, Instrumentation instrumentation) {
        try {
            if (isStarted) {
                Report.say("this is a second copy of the agent, which does nothing: the first goes on alone");
                return;
            }
            Options options = new Options(arguments, System.getProperties());
            File jar = new File(Agent.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            Agent agent = new Agent(options, new Payload(jar, instrumentation));
            instrumentation.addTransformer(agent);
            // From here on it is the one that goes on; who could not start may be tried again, with other options.
            isStarted = true;
            for (Class<?> each : instrumentation.getAllLoadedClasses()) {
                if (Target.BY_CLASS_NAME.containsKey(each.getName())
                        && !agent.meanwhile.contains(inLoader(each.getName(), each.getClassLoader()))) {
                    agent.report.sayOnce(each.getName() + " is left alone: it was loaded before the agent");
                }
            }
            agent.meanwhile = null;
            if (agent.report.isAwaited()) {
                Runtime.getRuntime().addShutdownHook(new Thread(agent.report, "leasehold-agent report"));
            }
        } catch (IllegalArgumentException e) {
            Report.say(e.getMessage() + "; the program runs without the agent");
        } catch (Throwable e) {
            Report.say("it cannot start, and the program runs without it: " + Report.told(e));
        }
    }

    private static String inLoader(String className, ClassLoader loader) {
        return className + " in " + System.identityHashCode(loader);
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] content) {
        try {
            Target target = Target.BY_INTERNAL_NAME.get(name);
            if (target != null) {
                Set<String> starting = meanwhile;
                if (starting != null) {
                    starting.add(inLoader(target.className, loader));
                }
                return changed(target, loader, redefined, content);
            }
            String why = NOT_COVERED.get(name);
            if (why != null) {
                report.mention(name.replace('/', '.') + " is not covered: it " + why);
            }
        } catch (Unexpected e) {
            report.leftAlone(name.replace('/', '.'), e);
        } catch (Throwable e) {
            // The line may fail for what made this fail.
            report.sayOnce(String.valueOf(name).replace('/', '.') + " is left alone: " + Report.told(e));
        }
        return null;
    }

    private byte[] changed(Target target, ClassLoader loader, Class<?> redefined, byte[] content) throws Exception {
        if (redefined != null) {
            // By another agent, of what it was given as the class's file. It may not lose a field.
            return ManagerClass.isChanged(redefined) ? new ManagerClass(target, content).changed() : null;
        }
        if (!options.generations.contains(target.generation) || options.excludes(target.className)) {
            report.mention(target.className + " is left out");
            return null;
        }
        if (loader == null) {
            throw new Unexpected("it is the boot loader's");
        }
        if (loader.getResource("io/leasehold/Leasehold.class") != null) {
            throw new Unexpected("the application has a Leasehold of its own");
        }
        String version = version(target, loader);
        ManagerClass manager = new ManagerClass(target, content);
        if (target.overridesAll) {
            Shape ours = new Shape(payload.file(target.part(), target.ours.replace('.', '/') + ".class"));
            for (String each : manager.passing()) {
                if (!ours.has(each)) {
                    throw new Unexpected("it has a method that is not known here, " + each);
                }
            }
        }
        byte[] changed = manager.changed();
        if (options.dryRun) {
            // As the first manager would be.
            new Members(loader, target.internalName(), content).check(payload.text(target.part(), Members.LIST));
        }
        String where = (version == null ? "" : version + " ") + "in " + loader.getClass().getName();
        if (!options.dryRun) {
            payload.define(Payload.SEAM, loader, target);
            Class.forName("io.leasehold.agent.seam.Seam", true, loader).getMethod("install", Function.class)
                    .invoke(null, new Makers(options, report, payload, loader, where));
        }
        report.found(target.className + " " + where);
        return options.dryRun ? null : changed;
    }

    /** HttpClient's version; null where it does not say any. */
    private static String version(Target target, ClassLoader loader) throws Unexpected, IOException {
        if (target.versionResource == null) {
            return null;
        }
        Properties properties = new Properties();
        try (InputStream in = loader.getResourceAsStream(target.versionResource)) {
            if (in == null) {
                throw new Unexpected("it does not say its version");
            }
            properties.load(in);
        }
        String version = properties.getProperty("info.release", "").trim();
        String[] numbers = version.split("[^0-9]");
        if (numbers.length < 2 || !numbers[0].equals(target.generation) || Integer.parseInt(numbers[1]) < target.leastMinor) {
            throw new Unexpected("it is of version " + version + ", and " + target.generation + "." + target.leastMinor
                    + " is the first that can be put on Leasehold");
        }
        return version;
    }
}
