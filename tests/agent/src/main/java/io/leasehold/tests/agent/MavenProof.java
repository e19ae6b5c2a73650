package io.leasehold.tests.agent;

import io.leasehold.tests.agent.CountedServer.Response;
import io.leasehold.testsupport.TestTls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Apache Maven as it is published: it fills an empty local repository from a TLS server, many artifacts at a time. The project has a build
 * extension that depends on all of them, so that no plug-in is needed. The server closes a connection that was silent for moments.
 */
final class MavenProof implements Proof {
    private static final int KEEP_ALIVE_MILLIS = 15;
    private static final String TRUST_PASSWORD = "leasehold";

    private final int artifacts;

    MavenProof(int artifacts) {
        this.artifacts = artifacts;
    }

    @Override
    public String program() {
        return "Apache Maven " + System.getProperty("leasehold.maven").replaceFirst(".*apache-maven-", "");
    }

    @Override
    public String client() {
        return "4.5";
    }

    @Override
    public Figures run(String agentOptions) throws Exception {
        Map<String, byte[]> files = files();
        Path work = Files.createTempDirectory("leasehold-maven");
        try (CountedServer server = new CountedServer(true, KEEP_ALIVE_MILLIS, request -> {
            byte[] content = files.get(request.path());
            return content == null ? new Response(404, "") : new Response(200, content);
        })) {
            write(work.resolve("pom.xml"), project("the", "project", "pom", "<build><extensions><extension><groupId>test</groupId>"
                    + "<artifactId>all</artifactId><version>1</version></extension></extensions></build>"));
            write(work.resolve("settings.xml"), "<settings><mirrors><mirror><id>local</id><mirrorOf>*</mirrorOf><url>" + server.url()
                    + "</url></mirror></mirrors></settings>");
            TestTls.writeTrust(work.resolve("trust.p12"), TRUST_PASSWORD);
            List<String> command = new ArrayList<>();
            command.add(Paths.get(System.getProperty("leasehold.maven"), "bin", "mvn").toString());
            command.add("--batch-mode");
            command.add("-Dmaven.repo.local=" + work.resolve("repository"));
            command.add("-s");
            command.add(work.resolve("settings.xml").toString());
            command.add("-f");
            command.add(work.resolve("pom.xml").toString());
            command.add("-Dmaven.artifact.threads=12");
            command.add("validate");
            Map<String, String> environment = new TreeMap<>();
            environment.put("JAVA_HOME", System.getProperty("java.home"));
            List<String> options = Launch.java();
            options.remove(0);
            options.addAll(Launch.agent(agentOptions));
            options.add("-Djavax.net.ssl.trustStore=" + work.resolve("trust.p12"));
            options.add("-Djavax.net.ssl.trustStorePassword=" + TRUST_PASSWORD);
            environment.put("MAVEN_OPTS", String.join(" ", options));
            Launch launch = Launch.run(command, environment);
            // Whatever is missing afterwards failed; and what HttpClient has tried again by itself.
            long filled;
            try (Stream<Path> found = Files.walk(work.resolve("repository"))) {
                filled = found.filter(file -> file.toString().endsWith(".jar")).count();
            }
            long retried = launch.said.stream().filter(line -> line.contains("Retrying request")).count();
            return new Figures(server, (int) (artifacts + 1 - filled + retried), launch);
        } finally {
            try (Stream<Path> all = Files.walk(work)) {
                all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        }
    }

    /** By their paths: each artifact's POM and jar, with their checksums. */
    private Map<String, byte[]> files() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        StringBuilder dependencies = new StringBuilder("<dependencies>");
        for (int i = 0; i < artifacts; i++) {
            String name = "part" + i;
            add(files, name, project("test", name, "jar", ""));
            dependencies.append("<dependency><groupId>test</groupId><artifactId>").append(name)
                    .append("</artifactId><version>1</version></dependency>");
        }
        add(files, "all", project("test", "all", "jar", dependencies + "</dependencies>"));
        return files;
    }

    private static void add(Map<String, byte[]> files, String name, String pom) throws IOException {
        ByteArrayOutputStream jar = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(jar)) {
            zip.putNextEntry(new ZipEntry(name + ".txt"));
            zip.write(name.getBytes(StandardCharsets.US_ASCII));
        }
        String base = "/test/" + name + "/1/" + name + "-1.";
        put(files, base + "pom", pom.getBytes(StandardCharsets.UTF_8));
        put(files, base + "jar", jar.toByteArray());
    }

    private static void put(Map<String, byte[]> files, String path, byte[] content) {
        files.put(path, content);
        try {
            StringBuilder digits = new StringBuilder();
            for (byte each : MessageDigest.getInstance("SHA-1").digest(content)) {
                digits.append(String.format("%02x", each));
            }
            files.put(path + ".sha1", digits.toString().getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String project(String group, String name, String packaging, String more) {
        return "<project><modelVersion>4.0.0</modelVersion><groupId>" + group + "</groupId><artifactId>" + name + "</artifactId>"
                + "<version>1</version><packaging>" + packaging + "</packaging>" + more + "</project>";
    }

    private static void write(Path file, String text) {
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
