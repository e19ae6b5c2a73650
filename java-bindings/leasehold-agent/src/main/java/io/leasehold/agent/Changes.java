package io.leasehold.agent;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Changes a handful of classes of HttpClient's as they are defined, {@link ManagerClass} says how, and nothing else. Whatever fails leaves
 * stock in place, with a line that says why. It starts no thread and keeps nothing of an application's: what it knows of a loader is
 * referred to by that loader alone.
 */
final class Changes implements ClassFileTransformer {
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

    private final Options options;
    private final Report report;
    private final Payload payload;
    // Which classes were being loaded while the agent started, by name and loader: they are changed, and may be listed as loaded already.
    // Written when it has started: then null.
    private volatile Set<String> meanwhile = Collections.newSetFromMap(new ConcurrentHashMap<>());

    Changes(Options options, Report report, Payload payload) {
        this.options = options;
        this.report = report;
        this.payload = payload;
    }

    /** Looks at each class from now on, and says which of those that it would have changed are loaded already. */
    void begin(Instrumentation instrumentation) {
        // Loaded before this is asked about classes: then it would be about this one, too, for which it needs this one.
        Map<String, Target> targets = Target.BY_CLASS_NAME;
        instrumentation.addTransformer(this);
        for (Class<?> each : instrumentation.getAllLoadedClasses()) {
            if (targets.containsKey(each.getName()) && !meanwhile.contains(inLoader(each.getName(), each.getClassLoader()))) {
                report.sayOnce(each.getName() + " is left alone: it was loaded before the agent");
            }
        }
        meanwhile = null;
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
        // Else when the first manager is made: to look for files takes long where there are many jars.
        String which = report.isAwaited() ? Copies.which(target, loader) : null;
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
        } else {
            payload.define(Payload.SEAM, loader, target);
            Class.forName("io.leasehold.agent.seam.Seam", true, loader).getMethod("install", Function.class)
                    .invoke(null, new Makers(options, report, payload, loader));
        }
        if (which != null) {
            report.found(which);
        }
        return options.dryRun ? null : changed;
    }
}
