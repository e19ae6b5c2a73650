package io.leasehold.tests.servers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A running nginx. */
public final class Nginx extends WebServer {
    /** How an nginx is to be. Directives go into its {@code http} block. */
    public static final class Builder extends ServerBuilder<Builder> {
        private final List<String> locations = new ArrayList<>();
        private boolean keepAliveAnnounced;

        private Builder() {
        }

        /** A path with directives of its own, such as {@code location("= /slow", "limit_rate 10;")}. */
        public Builder location(String match, String directives) {
            locations.add("location " + match + " { " + directives + " }");
            return this;
        }

        /** Says in its responses for how many seconds it keeps an idle connection, as httpd and Tomcat do unasked. */
        public Builder announceKeepAlive() {
            keepAliveAnnounced = true;
            return this;
        }

        @Override
        public Nginx start() throws Exception {
            return started(new Nginx(this));
        }

        @Override
        String name() {
            return "nginx";
        }

        @Override
        Builder self() {
            return this;
        }
    }

    private static final Pattern COUNTS = Pattern.compile("server accepts handled requests\\s+(\\d+) \\d+ (\\d+)");

    /** Connections to the status port, each of one request, which nginx counts with the others. */
    private final AtomicLong own = new AtomicLong();

    private Nginx(Builder builder) throws Exception {
        super(builder);
        Files.write(directory.resolve("nginx.conf"), configuration(builder).getBytes(StandardCharsets.UTF_8));
    }

    /** A server yet to be started. */
    public static Builder builder() {
        return new Builder();
    }

    /** Connections accepted, whether or not they carried a request. */
    @Override
    public long connections() throws IOException {
        return count(1);
    }

    /** Requests begun. */
    public long requests() throws IOException {
        return count(2);
    }

    private long count(int group) throws IOException {
        Matcher matcher = COUNTS.matcher(status());
        if (!matcher.find()) {
            throw new IOException("no counts in nginx's status page");
        }
        return Long.parseLong(matcher.group(group)) - own.get();
    }

    @Override
    void statusAsked() {
        own.incrementAndGet();
    }

    @Override
    String[] command() {
        // A new run counts from zero.
        own.set(0);
        return new String[] {program("nginx"), "-p", directory + "/", "-c", "nginx.conf", "-e", "error.log"};
    }

    @Override
    String reloadSignal() {
        return "HUP";
    }

    @Override
    long reloads() throws IOException {
        return lines(directory.resolve("error.log")).stream().filter(line -> line.matches(".* start worker process \\d+")).count();
    }

    private String configuration(Builder builder) {
        StringBuilder text = new StringBuilder();
        text.append("daemon off;\nworker_processes 1;\npid pid;\nerror_log error.log info;\n");
        if (ROOT) {
            text.append("user root;\n");
        }
        text.append("events { worker_connections 2048; }\nhttp {\n");
        for (String kind : new String[] {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            text.append("    ").append(kind).append("_temp_path temp_").append(kind).append(";\n");
        }
        text.append("    access_log off;\n    default_type text/plain;\n")
                .append("    keepalive_timeout ").append(builder.keepAliveMillis).append("ms")
                .append(builder.keepAliveAnnounced ? " " + builder.keepAliveMillis / 1_000 : "").append(";\n")
                .append("    keepalive_requests 1000000000;\n");
        builder.directives.forEach(line -> text.append("    ").append(line).append('\n'));
        text.append("    server {\n        root ").append(documents()).append(";\n");
        for (int port : ports) {
            text.append("        listen 127.0.0.1:").append(port).append(builder.tls ? " ssl" : "").append(builder.http2 ? " http2" : "").append(";\n");
        }
        if (builder.tls) {
            text.append("        ssl_certificate ").append(certificate()).append(";\n")
                    .append("        ssl_certificate_key ").append(certificateKey()).append(";\n");
        }
        // Not the file of this name: nginx answers a POST of a file with 405.
        text.append("        location = ").append(HELLO).append(" { return 200 \"").append(GREETING.trim()).append("\\n\"; }\n")
                .append("        location = ").append(GOODBYE).append(" { keepalive_timeout 0; return 200 \"").append(GREETING.trim()).append("\\n\"; }\n");
        builder.locations.forEach(location -> text.append("        ").append(location).append('\n'));
        text.append("    }\n    server {\n        listen 127.0.0.1:").append(statusPort())
                .append(";\n        keepalive_timeout 0;\n        location / { stub_status; }\n    }\n}\n");
        return text.toString();
    }
}
