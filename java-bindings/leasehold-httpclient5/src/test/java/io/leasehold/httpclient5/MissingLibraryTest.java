package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.Leasehold;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.testsupport.Child;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;

/** Where the native library cannot be loaded, whatever would need it says what to do, and who asks first goes on without. */
class MissingLibraryTest {
    @Test
    void whatWouldNeedTheLibrarySaysWhatToDo() throws Exception {
        String says = " " + LeaseholdUnavailableException.class.getName() + ", names what was tried: true, says what to do: true";
        assertEquals(Arrays.asList(
                "available false",
                "builder" + says,
                "manager" + says,
                "pool" + says,
                "goes on with PoolingHttpClientConnectionManager"),
                Child.run(WithoutLibrary.class, Arrays.asList("-Dio.leasehold.native.path=/nowhere/libleasehold.so")));
    }

    /** What an application sees where the library is missing. */
    static final class WithoutLibrary {
        private WithoutLibrary() {}

        /** Runs it. */
        public static void main(String[] arguments) throws Exception {
            System.out.println("available " + Leasehold.isAvailable());
            System.out.println("builder " + failure(() -> LeaseholdHttpClientConnectionManagerBuilder.create().setMaxConnTotal(9).build()));
            System.out.println("manager " + failure(LeaseholdHttpClientConnectionManager::new));
            System.out.println("pool " + failure(() -> new LeaseholdConnPool<String, Conn>(1, 1)));
            try (PoolingHttpClientConnectionManager manager = Leasehold.isAvailable()
                    ? LeaseholdHttpClientConnectionManagerBuilder.create().build() : new PoolingHttpClientConnectionManager()) {
                System.out.println("goes on with " + manager.getClass().getSimpleName());
            }
        }

        private static String failure(Callable<?> made) throws Exception {
            try {
                return "made " + made.call();
            } catch (LeaseholdUnavailableException e) {
                return e.getClass().getName() + ", names what was tried: " + e.getMessage().contains("/nowhere/libleasehold.so")
                        + ", says what to do: " + e.getMessage().contains("io.leasehold.native.path");
            }
        }
    }
}
