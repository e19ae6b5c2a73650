package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.testsupport.Child;
import java.util.Arrays;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.DefaultHttpParams;
import org.apache.commons.httpclient.params.HttpClientParams;
import org.junit.jupiter.api.Test;

/** The one line, where the native library is there and where it is not. */
class UseByDefaultTest {
    @Test
    void laterClientsUseLeaseholdAndEarlierOnesAndThoseWithAManagerDoNot() {
        Object before = DefaultHttpParams.getDefaultParams().getParameter(HttpClientParams.CONNECTION_MANAGER_CLASS);
        try {
            HttpClient earlier = new HttpClient();
            assertTrue(LeaseholdHttpConnectionManager.useByDefault());
            assertSame(SimpleHttpConnectionManager.class, earlier.getHttpConnectionManager().getClass());
            assertInstanceOf(LeaseholdHttpConnectionManager.class, new HttpClient().getHttpConnectionManager());
            assertInstanceOf(LeaseholdHttpConnectionManager.class, new HttpClient(new HttpClientParams()).getHttpConnectionManager());
            assertSame(MultiThreadedHttpConnectionManager.class,
                    new HttpClient(new MultiThreadedHttpConnectionManager()).getHttpConnectionManager().getClass());
        } finally {
            DefaultHttpParams.getDefaultParams().setParameter(HttpClientParams.CONNECTION_MANAGER_CLASS, before);
        }
    }

    @Test
    void withoutTheNativeLibraryHttpClientGoesOnWithItsOwnManager() throws Exception {
        assertEquals(Arrays.asList(
                "useByDefault false",
                "default SimpleHttpConnectionManager",
                "by class name SimpleHttpConnectionManager",
                "by class name SimpleHttpConnectionManager",
                "simple " + LeaseholdUnavailableException.class.getName() + " true",
                "multi " + LeaseholdUnavailableException.class.getName() + " true"),
                Child.run(WithoutLibrary.class, Arrays.asList("-Dio.leasehold.native.path=/nowhere/libleasehold.so")));
    }

    /** What an application sees where the library is missing. */
    static final class WithoutLibrary {
        private WithoutLibrary() {}

        /** Runs it. */
        public static void main(String[] arguments) {
            Logger.getLogger("org.apache.commons.httpclient").setLevel(Level.OFF);
            System.out.println("useByDefault " + LeaseholdHttpConnectionManager.useByDefault());
            System.out.println("default " + manager(new HttpClient()));
            for (Class<?> type : Arrays.<Class<?>>asList(
                    LeaseholdHttpConnectionManager.class, LeaseholdMultiThreadedHttpConnectionManager.class)) {
                HttpClientParams params = new HttpClientParams();
                params.setConnectionManagerClass(type);
                System.out.println("by class name " + manager(new HttpClient(params)));
            }
            System.out.println("simple " + failure(LeaseholdHttpConnectionManager::new));
            System.out.println("multi " + failure(LeaseholdMultiThreadedHttpConnectionManager::new));
        }

        private static String manager(HttpClient client) {
            return client.getHttpConnectionManager().getClass().getSimpleName();
        }

        private static String failure(Runnable made) {
            try {
                made.run();
                return "made";
            } catch (RuntimeException e) {
                return e.getClass().getName() + " " + e.getMessage().contains("/nowhere/libleasehold.so");
            }
        }
    }
}
