package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.OwnLoader;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.function.IntFunction;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.junit.jupiter.api.Test;

/** An application that comes and goes in one JVM, with its own class loader and its own copy of the libraries. */
class UnloadingTest {
    /** Runs in the class loader that comes and goes. */
    public static final class Application implements IntFunction<String> {
        // As an application would that was written for 3.1's manager, which has no thread.
        private static HttpClient client;

        @Override
        public String apply(int port) {
            SimpleHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
            client = new HttpClient(manager);
            HostConfiguration host = new HostConfiguration();
            host.setHost("127.0.0.1", port);
            try {
                HttpConnection connection = manager.getConnectionWithTimeout(host, 0);
                connection.open();
                connection.releaseConnection();
            } catch (Exception e) {
                return e.toString();
            }
            // All that can be done when the application is undeployed.
            ((SimpleHttpConnectionManager) client.getHttpConnectionManager()).shutdown();
            return "done";
        }
    }

    private static WeakReference<ClassLoader> deployAndUndeploy(int port) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (OwnLoader loader = OwnLoader.with(LeaseholdHttpConnectionManager.class, UnloadingTest.class)) {
            // As a servlet container does.
            thread.setContextClassLoader(loader);
            Class<?> application = loader.loadClass(Application.class.getName());
            assertEquals("done", ((IntFunction<?>) application.getDeclaredConstructor().newInstance()).apply(port));
            return new WeakReference<>(loader);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    @Test
    void aStaticClientThatWasShutDownKeepsNoClassLoader() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            WeakReference<ClassLoader> loader = deployAndUndeploy(server.getLocalPort());
            Eventually.awaitAfterCollection("the class loader is collected", () -> loader.get() == null);
        }
    }
}
