package io.leasehold.tests.closes;

import java.io.Closeable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A network of its own for a server's process, at the other end of a virtual cable, that can lose all packets. Needs root. */
final class Network implements Closeable {
    /** This machine's address on the cable. From the range that is for tests of networks, so that no real host has it. */
    private static final String HERE = "198.18.77.1";

    /** Its own. */
    static final String THERE = "198.18.77.2";

    // Of this JVM's only.
    private final String name = "leasehold" + ManagementFactory.getRuntimeMXBean().getName().split("@")[0];

    /**
     * Makes one.
     *
     * @throws IOException if this process may not, or {@code ip} is missing; it says which
     * @throws IllegalStateException if it may and yet failed
     */
    Network() throws IOException {
        ip("netns", "add", name);
        try {
            ip("link", "add", cable(), "type", "veth", "peer", "name", "there", "netns", name);
            ip("address", "add", HERE + "/30", "dev", cable());
            ip("link", "set", cable(), "up");
            ip("-n", name, "address", "add", THERE + "/30", "dev", "there");
            ip("-n", name, "link", "set", "there", "up");
        } catch (IOException e) {
            ip("netns", "delete", name);
            throw new IllegalStateException("no network for a test", e);
        }
    }

    /** What a process is to be started with to run in it. */
    List<String> prefix() {
        return Arrays.asList("ip", "netns", "exec", name);
    }

    /** From now on whatever is sent from there is lost, without a word to anybody. */
    void losePackets() throws IOException {
        ip("-n", name, "route", "add", "blackhole", HERE + "/32");
    }

    private String cable() {
        // Names of devices are short.
        return "lh" + name.substring("leasehold".length());
    }

    /** Removes it, once nothing runs there any more. */
    @Override
    public void close() throws IOException {
        try {
            // By itself it would go too, but later.
            ip("link", "delete", cable());
        } finally {
            ip("netns", "delete", name);
        }
    }

    private static void ip(String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = "ip";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Path output = Files.createTempFile("leasehold-ip", "");
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + String.join(" ", Files.readAllLines(output)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a network was set up", e);
        } finally {
            Files.delete(output);
        }
    }
}
