package io.leasehold.tests.servers;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A running Apache httpd (event MPM). */
public final class Httpd extends WebServer {
    /** How an httpd is to be. Directives go into its main configuration, after ours. */
    public static final class Builder extends ServerBuilder<Builder> {
        private Builder() {
        }

        @Override
        public Httpd start() throws Exception {
            return started(new Httpd(this));
        }

        @Override
        String name() {
            return "httpd";
        }

        @Override
        Builder self() {
            return this;
        }
    }

    private static final String MODULES = "/usr/lib/apache2/modules";

    private Httpd(Builder builder) throws Exception {
        super(builder);
        Files.write(directory.resolve("httpd.conf"), configuration(builder).getBytes(StandardCharsets.UTF_8));
    }

    /** A server yet to be started. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Connections that have had at least one request answered; not those of HTTP/2, whose streams httpd logs as connections. httpd logs a
     * request after it was answered, so the last one may be missing for a moment.
     */
    @Override
    public long connections() throws IOException {
        long all = 0;
        for (int i = 0; i < ports.length; i++) {
            all += requestsPerConnection(i).size();
        }
        return all;
    }

    /** How many requests each connection to a port carried, in the order in which httpd logged them; late as {@link #connections()}. */
    public List<Integer> requestsPerConnection(int index) throws IOException {
        List<Integer> requests = new ArrayList<>();
        Map<String, Integer> byClientPort = new HashMap<>();
        for (String line : lines(accessLog())) {
            // server port, client port, number of requests before this one on its connection
            String[] fields = line.split(" ");
            if (Integer.parseInt(fields[0]) != ports[index]) {
                continue;
            }
            if (fields[2].equals("0")) {
                byClientPort.put(fields[1], requests.size());
                requests.add(1);
            } else {
                requests.set(byClientPort.get(fields[1]), Integer.parseInt(fields[2]) + 1);
            }
        }
        return requests;
    }

    @Override
    String[] command() {
        // A new run counts from zero.
        accessLog().toFile().delete();
        return new String[] {program("apache2"), "-D", "FOREGROUND", "-d", directory.toString(), "-f", "httpd.conf"};
    }

    @Override
    String reloadSignal() {
        return "USR1";
    }

    @Override
    long reloads() throws IOException {
        return lines(directory.resolve("error.log")).stream().filter(line -> line.contains("resuming normal operations")).count();
    }

    private Path accessLog() {
        return directory.resolve("access.log");
    }

    private String configuration(Builder builder) {
        List<String> text = new ArrayList<>();
        text.add("ServerName 127.0.0.1");
        text.add("PidFile pid");
        text.add("ErrorLog error.log");
        text.add("LogLevel notice");
        text.add("DefaultRuntimeDir " + directory);
        text.add("Mutex file:" + directory + " default");
        List<String> modules = new ArrayList<>(Arrays.asList("mpm_event", "authz_core", "setenvif"));
        if (builder.tls) {
            modules.add("ssl");
        }
        if (builder.http2) {
            modules.add("http2");
        }
        for (String module : modules) {
            // Some builds have them compiled in.
            if (new File(MODULES, "mod_" + module + ".so").exists()) {
                text.add("LoadModule " + module + "_module " + MODULES + "/mod_" + module + ".so");
            }
        }
        if (ROOT) {
            // It refuses to have its workers run as root.
            text.add("User www-data");
            text.add("Group www-data");
        }
        // One process serves; the others of the limit are for the one that takes over at a reload.
        text.add("StartServers 1");
        text.add("ServerLimit 4");
        text.add("ThreadsPerChild 64");
        text.add("MaxRequestWorkers 64");
        text.add("MinSpareThreads 1");
        text.add("MaxSpareThreads 64");
        for (int port : ports) {
            text.add("Listen 127.0.0.1:" + port);
        }
        text.add("Listen 127.0.0.1:" + statusPort());
        text.add("DocumentRoot " + documents());
        text.add("<Directory " + documents() + ">");
        text.add("Require all granted");
        text.add("</Directory>");
        text.add("LogFormat \"%{local}p %{remote}p %k\" connections");
        text.add("CustomLog access.log connections");
        text.add("KeepAliveTimeout " + builder.keepAliveMillis + "ms");
        text.add("SetEnvIf Request_URI ^" + GOODBYE + "$ nokeepalive");
        if (builder.tls) {
            text.add("SSLCertificateFile " + certificate());
            text.add("SSLCertificateKeyFile " + certificateKey());
            for (int port : ports) {
                text.add("<VirtualHost 127.0.0.1:" + port + ">");
                text.add("SSLEngine on");
                text.add("</VirtualHost>");
            }
        }
        if (builder.http2) {
            text.add("Protocols h2 http/1.1");
        }
        text.addAll(builder.directives);
        text.add("");
        return String.join("\n", text);
    }
}
