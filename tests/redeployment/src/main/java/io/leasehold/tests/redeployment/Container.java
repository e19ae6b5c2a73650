package io.leasehold.tests.redeployment;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;

/**
 * A Tomcat, embedded in a JVM of its own, that deploys an application, has many threads ask it, undeploys it while they do, and so on.
 * Arguments: Tomcat's directory, the application's, its servlet, its manager, whether it closes that, what it asks, how often it is
 * deployed, how many seconds to wait for everything to be gone. Prints what is left then: class loaders of applications that were
 * undeployed, and of threads and descriptors how many more there are than before.
 */
final class Container {
    private static final int THREADS = 4;
    private static final int REQUESTS = 25;

    private final Tomcat tomcat = new Tomcat();
    private final String[] arguments;
    private final AtomicInteger answered = new AtomicInteger();
    // Written by the main thread.
    private volatile boolean isOver;

    private Container(String[] arguments) {
        this.arguments = arguments;
    }

    public static void main(String[] arguments) throws Exception {
        new Container(arguments).run();
    }

    private void run() throws Exception {
        tomcat.setBaseDir(arguments[0]);
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // As many threads before as after.
        tomcat.getConnector().setProperty("minSpareThreads", String.valueOf(2 * THREADS));
        tomcat.getConnector().setProperty("maxThreads", String.valueOf(2 * THREADS));
        tomcat.addContext("", arguments[0]);
        tomcat.start();
        ask("/");
        Set<Thread> threadsBefore = Thread.getAllStackTraces().keySet();
        int descriptorsBefore = descriptors();

        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(arguments[6]); i++) {
            loaders.add(deployAndUndeploy());
        }
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.parseInt(arguments[7]));
        String left;
        do {
            Thread.sleep(100);
            System.gc();
            int loadersLeft = (int) loaders.stream().filter(loader -> loader.get() != null).count();
            Set<String> threads = new TreeSet<>();
            int threadsLeft = 0;
            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                if (!threadsBefore.contains(thread)) {
                    threadsLeft++;
                    threads.add(thread.getName());
                }
            }
            left = "loaders " + loadersLeft + "\nthreads " + threadsLeft + "\ndescriptors " + Math.max(0, descriptors() - descriptorsBefore)
                    + "\n" + threads;
        } while (!left.startsWith("loaders 0\nthreads 0\ndescriptors 0\n") && System.nanoTime() < until);
        System.out.println(left);
        System.out.println("answered " + answered);
        System.exit(0);
    }

    private WeakReference<ClassLoader> deployAndUndeploy() throws Exception {
        Context context = tomcat.addContext("/application", arguments[1]);
        Wrapper servlet = Tomcat.addServlet(context, "client", arguments[2]);
        servlet.addInitParameter("manager", arguments[3]);
        servlet.addInitParameter("closed", arguments[4]);
        servlet.addInitParameter("url", arguments[5]);
        servlet.addMapping("/");
        ClassLoader loader = context.getLoader().getClassLoader();
        isOver = false;
        List<Thread> threads = new ArrayList<>();
        AtomicInteger good = new AtomicInteger();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                while (!isOver) {
                    String answer = ask("/application/");
                    if (answer.startsWith("HTTP/1.1 200") && answer.endsWith("hello\n")) {
                        good.incrementAndGet();
                    }
                }
            }, "load");
            threads.add(thread);
            thread.start();
        }
        long start = System.nanoTime();
        while (good.get() < REQUESTS * THREADS) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(60)) {
                throw new IllegalStateException("the application does not answer: " + ask("/application/"));
            }
            Thread.sleep(5);
        }
        // In the middle of requests.
        context.stop();
        context.destroy();
        tomcat.getHost().removeChild(context);
        isOver = true;
        for (Thread thread : threads) {
            thread.join();
        }
        answered.addAndGet(good.get());
        return new WeakReference<>(loader);
    }

    private String ask(String path) {
        StringBuilder answer = new StringBuilder();
        try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), tomcat.getConnector().getLocalPort())) {
            socket.getOutputStream().write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            byte[] bytes = new byte[1024];
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                answer.append(new String(bytes, 0, n, StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            answer.append(e);
        }
        // Of a body in chunks, what is not the body.
        return answer.toString().replace("\r\n0\r\n\r\n", "").replace("\r\n\r\n6\r\n", "\r\n\r\n");
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }
}
