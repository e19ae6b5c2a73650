package io.leasehold.tests.servers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A running Tomcat, embedded in a JVM of its own as Spring Boot applications have it. Besides what all servers answer it answers
 * {@link #CHUNKED}.
 */
public final class Tomcat extends WebServer {
    /** How a Tomcat is to be. Directives are properties of its connectors, such as {@code directive("maxKeepAliveRequests=3")}. */
    public static final class Builder extends ServerBuilder<Builder> {
        private Builder() {
        }

        @Override
        public Tomcat start() throws Exception {
            return started(new Tomcat(this));
        }

        @Override
        String name() {
            return "tomcat";
        }

        @Override
        Builder self() {
            return this;
        }
    }

    /** Answered with {@link #GREETING}, of which each byte is a chunk of its own; the connection stays open. */
    public static final String CHUNKED = "/chunked";

    private Tomcat(Builder builder) throws Exception {
        super(builder);
        List<String> properties = new ArrayList<>();
        properties.add("keepAliveTimeout=" + builder.keepAliveMillis);
        // Without end.
        properties.add("maxKeepAliveRequests=-1");
        properties.addAll(builder.directives);
        Files.write(directory.resolve(TomcatProgram.PROPERTIES), properties, StandardCharsets.UTF_8);
    }

    /** A server yet to be started. */
    public static Builder builder() {
        return new Builder();
    }

    /** Connections accepted, whether or not they carried a request. */
    @Override
    public long connections() throws IOException {
        String page = status();
        return Long.parseLong(page.substring(page.indexOf("\r\n\r\n")).trim());
    }

    @Override
    String[] command() {
        List<String> command = new ArrayList<>(Arrays.asList(
                Paths.get(System.getProperty("java.home"), "bin", "java").toString(),
                // It lives for a moment only.
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m",
                "-cp", System.getProperty("java.class.path"),
                TomcatProgram.class.getName(), directory.toString(), Integer.toString(statusPort())));
        command.addAll(IntStream.of(ports).mapToObj(Integer::toString).collect(Collectors.toList()));
        return command.toArray(new String[0]);
    }

    @Override
    String reloadSignal() {
        throw new UnsupportedOperationException("Tomcat takes no configuration anew while it runs; restart() does");
    }

    @Override
    long reloads() {
        return 0;
    }
}
