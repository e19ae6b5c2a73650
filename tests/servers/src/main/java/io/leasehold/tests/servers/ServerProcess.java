package io.leasehold.tests.servers;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One run of a server, tied to the life of this JVM.
 *
 * <p>A shell starts the server in a session of its own and reads from a pipe that this JVM holds open. A line means: stop. End of file
 * means that the JVM is gone, however it went; the server is then stopped and its directory removed. (A parent-death signal would not do:
 * the kernel sends it when the thread that started the child ends, and test threads end.)
 */
final class ServerProcess {
    private static final String SCRIPT = String.join("\n",
            "directory=$1; shift",
            "exec 3<&0",
            "setsid \"$@\" </dev/null 3<&- &",
            "server=$!",
            "(",
            "    read -r _ <&3 || : >\"$directory/orphaned\"",
            "    kill -TERM $server",
            // A frozen server takes no signal but this one.
            "    kill -CONT -$server",
            "    tries=0",
            "    while kill -0 $server && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done",
            "    kill -KILL -$server",
            ") >/dev/null 2>&1 &",
            "watch=$!",
            "wait $server",
            "status=$?",
            // Workers that a master left behind; nobody else is in the server's session.
            "kill -KILL -$server 2>/dev/null",
            "kill $watch 2>/dev/null",
            "wait $watch 2>/dev/null",
            "[ ! -e \"$directory/orphaned\" ] || rm -rf \"$directory\"",
            "exit $status");

    private final Process shell;

    private ServerProcess(Process shell) {
        this.shell = shell;
    }

    /** Starts a command whose working files are all in the directory; what it prints is in {@code output} there. */
    static ServerProcess start(File directory, String... command) throws IOException {
        List<String> line = new ArrayList<>(Arrays.asList("/bin/sh", "-c", SCRIPT, "server", directory.getPath()));
        line.addAll(Arrays.asList(command));
        File output = new File(directory, "output");
        return new ServerProcess(new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output))
                .start());
    }

    boolean isRunning() {
        return shell.isAlive();
    }

    /** Stops the server, by force if it does not go by itself within five seconds, and waits until it is gone. */
    void stop() throws IOException {
        try (OutputStream stdin = shell.getOutputStream()) {
            stdin.write("stop\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException ended) {
            // It is gone already.
        }
        try {
            if (!shell.waitFor(20, TimeUnit.SECONDS)) {
                throw new IOException("the server's shell did not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a server was stopped", e);
        }
    }

    /** Sends a signal to a process, or with a negative id to a process group. */
    static void signal(String name, long id) throws IOException {
        Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + id).inheritIO().start();
        try {
            if (kill.waitFor() != 0) {
                throw new IOException("could not send SIG" + name + " to " + id);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a signal was sent", e);
        }
    }

    /** The processes that a process has started and that have not ended. */
    static Set<String> children(long id) throws IOException {
        String text = new String(Files.readAllBytes(Paths.get("/proc/" + id + "/task/" + id + "/children")), StandardCharsets.US_ASCII);
        return new HashSet<>(Arrays.asList(text.trim().split(" ")));
    }

    /** Whether every thread of every process in a group has stopped. A signal to stop takes a moment to reach those that run. */
    static boolean isStopped(long group) throws IOException {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Paths.get("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (!isStopped(group, process.resolve("task"))) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isStopped(long group, Path tasks) {
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
            for (Path thread : threads) {
                String stat = new String(Files.readAllBytes(thread.resolve("stat")), StandardCharsets.UTF_8);
                // number (name) state parent group; names may have anything in them
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                if (Long.parseLong(fields[2]) == group && !fields[0].equals("T") && !fields[0].equals("Z")) {
                    return false;
                }
            }
        } catch (IOException | DirectoryIteratorException gone) {
            // It has ended since it was listed.
        }
        return true;
    }
}
