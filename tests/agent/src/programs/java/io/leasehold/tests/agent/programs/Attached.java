package io.leasehold.tests.agent.programs;

import java.lang.management.ManagementFactory;
import java.nio.file.Paths;
import org.apache.commons.httpclient.HttpClient;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** A program to which an agent is attached while it runs: when its client of 4.5 is made, and before that of 3.1 is. */
public final class Attached {
    private Attached() {}

    /**
     * With the server's URL, and an agent's jar and options as often as it is to be attached; with "to", it attaches one to another process,
     * whose identifier, the jar and the options follow.
     */
    public static void main(String[] args) throws Exception {
        if (args[0].equals("to")) {
            attach(args[1], args[2], args[3]);
            return;
        }
        String own = ManagementFactory.getRuntimeMXBean().getName().replaceFirst("@.*", "");
        Visits visits = new Visits(args[0]);
        CloseableHttpClient before = HttpClients.createDefault();
        visits.add(url -> EntityUtils.toString(before.execute(new HttpGet(url)).getEntity()));
        for (int i = 1; i < args.length; i += 2) {
            if (Boolean.getBoolean("jdk.attach.allowAttachSelf")) {
                attach(own, args[i], args[i + 1]);
            } else {
                attachFromAnotherProcess(own, args[i], args[i + 1]);
            }
        }
        visits.add(Trial3.client(new HttpClient()));
        visits.run();
    }

    private static void attachFromAnotherProcess(String process, String jar, String options) throws Exception {
        int exit = new ProcessBuilder(Paths.get(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Attached.class.getName(), "to", process, jar, options).inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IllegalStateException("attaching ended with " + exit);
        }
    }

    /** By reflection: JDK 8 has it in a jar of its own, which is on no class path. */
    private static void attach(String process, String jar, String options) throws Exception {
        Class<?> machines = Class.forName("com.sun.tools.attach.VirtualMachine");
        Object machine = machines.getMethod("attach", String.class).invoke(null, process);
        machines.getMethod("loadAgent", String.class, String.class).invoke(machine, jar, options);
        machines.getMethod("detach").invoke(machine);
    }
}
