package io.leasehold.tests.redeployment;

import io.leasehold.Leasehold;
import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.redeployment.application.Client3;
import io.leasehold.tests.redeployment.application.Client4;
import io.leasehold.tests.redeployment.application.Client5;
import io.leasehold.tests.redeployment.application.ClientAsync5;
import io.leasehold.tests.redeployment.application.Leasehold3;
import io.leasehold.tests.redeployment.application.Leasehold4;
import io.leasehold.tests.redeployment.application.Leasehold5;
import io.leasehold.tests.redeployment.application.LeaseholdAsync5;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.servlet.Servlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.commons.codec.binary.Base64;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.logging.LogFactory;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.http.HttpHost;
import org.apache.http.impl.client.HttpClients;
import org.slf4j.Logger;

/**
 * What is left of web applications that were undeployed, with stock managers, with Leasehold's, and with stock managers that the agent puts
 * on Leasehold. The application asks a real nginx that keeps connections for an hour; {@code io.leasehold.unusedMillis} is a second.
 */
final class Comparison {
    /** The applications' managers: its name, the application that uses it, and the same application with Leasehold's. */
    private static final Object[][] MANAGERS = {
        {"simple", Client3.class, Leasehold3.class},
        {"multi", Client3.class, Leasehold3.class},
        {"pooling", Client4.class, Leasehold4.class},
        {"pooling5", Client5.class, Leasehold5.class},
        {"asynchronous5", ClientAsync5.class, LeaseholdAsync5.class},
    };
    /** An application that has no Leasehold in it, and one that has. */
    private static final String UNCHANGED = "unchanged";
    private static final String CHANGED = "changed";

    /** What is printed where nothing is left. */
    private static final String NOTHING = "loaders 0\nthreads 0\ndescriptors 0\n";

    private static final String AGENT = System.getProperty("leasehold.agent");

    private final Path directory;
    private final String url;
    private final int count;

    private Comparison(Path directory, String url, int count) {
        this.directory = directory;
        this.url = url;
        this.count = count;
    }

    public static void main(String[] arguments) throws Exception {
        List<String> failures = compare(Integer.parseInt(arguments[0]), true);
        failures.forEach(System.out::println);
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    /**
     * Deploys with each manager, closed and not closed, so often, and under the agent as well; the differences that speak against Leasehold's.
     * If not all, of HttpClient 5 nothing that is closed but the asynchronous client, which has to be, and under the agent neither that nor
     * anything that is closed.
     */
    static List<String> compare(int count, boolean all) throws Exception {
        List<String> failures = new ArrayList<>();
        Path directory = Files.createTempDirectory("leasehold");
        try (Nginx nginx = Nginx.builder().keepAlive(TimeUnit.HOURS.toMillis(1)).start()) {
            Comparison comparison = new Comparison(directory, nginx.url(WebServer.HELLO), count);
            comparison.makeApplication(UNCHANGED);
            comparison.makeApplication(CHANGED, Leasehold.class, LeaseholdHttpConnectionManager.class,
                    LeaseholdHttpClientConnectionManager.class, io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager.class);
            for (Object[] row : MANAGERS) {
                String manager = (String) row[0];
                Class<?> client = (Class<?>) row[1];
                boolean is5 = client == Client5.class || client == ClientAsync5.class;
                for (boolean isClosed : closings(client, all)) {
                    String ours = comparison.run("Leasehold", Collections.emptyList(), CHANGED, manager, (Class<?>) row[2], isClosed, 60);
                    // Stock's are gone with the first collection or not at all. Where ours leave nothing theirs are only for the table.
                    String stock = all || !ours.contains(NOTHING)
                            ? comparison.run("stock", Collections.emptyList(), UNCHANGED, manager, client, isClosed, 3)
                            : NOTHING;
                    judge(manager, stock, ours, failures);
                    if (!all && (isClosed || is5)) {
                        continue;
                    }
                    long before = nginx.connections();
                    long requestsBefore = nginx.requests();
                    String agents = comparison.run("the agent", Collections.singletonList("-javaagent:" + AGENT + "=report"), UNCHANGED,
                            manager, client, isClosed, 60);
                    judge(manager, NOTHING, agents, failures);
                    // Nobody else asks the server, and each application has to open a connection to it.
                    long requests = nginx.requests() - requestsBefore;
                    if (!agents.contains(": " + count + " on Leasehold, 0 on stock") || nginx.connections() - before < count
                            || leases(agents) < requests) {
                        failures.add("not on Leasehold under the agent were all " + requests + " that the server was asked for\n" + agents);
                    }
                }
            }
        } finally {
            delete(directory);
        }
        return failures;
    }

    /** Whether its client is closed or not, or both. An asynchronous one has to be: it has threads. */
    private static boolean[] closings(Class<?> client, boolean all) {
        return client == ClientAsync5.class ? new boolean[] {true}
                : client == Client5.class && !all ? new boolean[] {false} : new boolean[] {true, false};
    }

    /** How many leases managers gave by the agent's report, though all of them are gone. */
    private static long leases(String output) {
        Matcher matcher = Pattern.compile("on stock; (\\d+) leases").matcher(output);
        long leases = 0;
        while (matcher.find()) {
            leases += Long.parseLong(matcher.group(1));
        }
        return leases;
    }

    private static void judge(String manager, String stock, String left, List<String> failures) {
        for (String what : new String[] {"loaders", "threads", "descriptors"}) {
            if (number(left, what) > number(stock, what)) {
                failures.add(what + ": Leasehold for " + manager + " leaves\n" + left + "and is to leave no more than\n" + stock);
            }
        }
        if (left.contains("Illegal access")) {
            failures.add("classes were asked for after the application's end:\n" + left);
        }
    }

    private static int number(String output, String what) {
        String start = "\n" + what + " ";
        int at = ("\n" + output).indexOf(start);
        return Integer.parseInt(output.substring(at + start.length() - 1).split("\n")[0]);
    }

    private String run(
            String whose, List<String> options, String application, String manager, Class<?> servlet, boolean isClosed, int seconds)
            throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(Arrays.asList("-Dio.leasehold.unusedMillis=1000", "-Xmx256m",
                // Tomcat itself looks for what applications leave behind.
                "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.io=ALL-UNNAMED",
                "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
                "--add-opens=java.rmi/sun.rmi.transport=ALL-UNNAMED",
                "-cp", String.join(File.pathSeparator, roots(Container.class, Tomcat.class, Servlet.class,
                        // Of the platform up to JDK 8, of Tomcat's own later.
                        Class.forName("javax.annotation.PostConstruct"))),
                Container.class.getName(), directory.toString(), directory.resolve(application).toString(), servlet.getName(), manager,
                String.valueOf(isClosed), url, String.valueOf(count), String.valueOf(seconds)));
        Path written = directory.resolve("output");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(written.toFile()).start();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IllegalStateException("it hangs: " + text(written));
        }
        String output = text(written);
        if (process.exitValue() != 0) {
            throw new IllegalStateException(output);
        }
        System.out.println(manager + ", " + whose + (isClosed ? ", closed: " : ", not closed: ")
                + output.substring(output.indexOf("loaders ")).trim().replace('\n', ' '));
        return output;
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    /** Has all that an application needs in its own directories, as a war would, and where these classes come from. */
    private void makeApplication(String name, Class<?>... more) throws Exception {
        Path classes = directory.resolve(name + "/WEB-INF/classes");
        Path libraries = Files.createDirectories(directory.resolve(name + "/WEB-INF/lib"));
        Path own = Paths.get(Client3.class.getPackage().getName().replace('.', '/'));
        for (String root : roots(Client3.class)) {
            copy(Paths.get(root).resolve(own), classes.resolve(own));
        }
        Set<String> needed = new LinkedHashSet<>(roots(HttpClient.class, HttpClients.class, HttpHost.class, LogFactory.class, Base64.class,
                org.apache.hc.client5.http.impl.classic.HttpClients.class, org.apache.hc.core5.http.HttpHost.class, HttpVersionPolicy.class,
                Logger.class));
        if (more.length > 0) {
            needed.addAll(roots(more));
            needed.add(nativeRoot());
        }
        for (String root : needed) {
            Path path = Paths.get(root);
            if (Files.isDirectory(path)) {
                copy(path, classes);
            } else {
                Files.copy(path, libraries.resolve(path.getFileName()));
            }
        }
    }

    /** The jars and directories that classes come from. */
    private static List<String> roots(Class<?>... classes) throws Exception {
        Set<String> roots = new LinkedHashSet<>();
        for (Class<?> each : classes) {
            roots.add(Paths.get(each.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
        }
        return new ArrayList<>(roots);
    }

    /** Where the native library comes from: beside the classes, or from a place of its own while the build has not packed it. */
    private static String nativeRoot() throws Exception {
        String name = "META-INF/native";
        URL found = Leasehold.class.getClassLoader().getResource(name);
        URLConnection connection = found.openConnection();
        if (connection instanceof JarURLConnection) {
            return Paths.get(((JarURLConnection) connection).getJarFileURL().toURI()).toString();
        }
        String path = Paths.get(found.toURI()).toString();
        return path.substring(0, path.length() - name.length() - 1);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes) throws IOException {
                Files.createDirectories(to.resolve(from.relativize(each).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path each, BasicFileAttributes attributes) throws IOException {
                Files.copy(each, to.resolve(from.relativize(each).toString()));
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void delete(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path each, BasicFileAttributes attributes) throws IOException {
                Files.delete(each);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path each, IOException e) throws IOException {
                Files.delete(each);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
