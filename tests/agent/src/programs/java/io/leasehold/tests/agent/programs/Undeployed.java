package io.leasehold.tests.agent.programs;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** Applications that come and go, each with a copy of HttpClient 4.5 in a loader of its own, as in a servlet container. */
public final class Undeployed {
    private static final int APPLICATIONS = 5;

    private Undeployed() {}

    /** The application: with the server's URL. Every second one does not close its client. */
    public static void use(String url, boolean isClosed) throws Exception {
        CloseableHttpClient client = HttpClients.createDefault();
        for (int i = 0; i < 3; i++) {
            EntityUtils.toString(client.execute(new HttpGet(url)).getEntity());
        }
        if (isClosed) {
            client.close();
        }
    }

    /** With the server's URL. Prints how many loaders are left, once there is none or much time is over, and the threads of Leasehold's. */
    public static void main(String[] args) throws Exception {
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < APPLICATIONS; i++) {
            loaders.add(deploy(args[0] + "/hello", i % 2 == 0));
        }
        Visits.say("loaders", Visits.awaitCollection(loaders));
        Visits.say("threads", Thread.getAllStackTraces().keySet().stream().filter(each -> each.getName().contains("leasehold")).count());
    }

    private static WeakReference<ClassLoader> deploy(String url, boolean isClosed) throws Exception {
        List<URL> path = new ArrayList<>();
        for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
            path.add(new File(each).toURI().toURL());
        }
        try (URLClassLoader loader = new URLClassLoader(path.toArray(new URL[0]), ClassLoader.getSystemClassLoader().getParent())) {
            loader.loadClass(Undeployed.class.getName()).getMethod("use", String.class, boolean.class).invoke(null, url, isClosed);
            return new WeakReference<>(loader);
        }
    }
}
