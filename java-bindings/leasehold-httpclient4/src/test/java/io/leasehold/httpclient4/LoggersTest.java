package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.ManualClock;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.commons.logging.LogFactory;
import org.apache.commons.logging.impl.SimpleLog;
import org.apache.http.HttpClientConnection;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Where one HttpClient serves several applications, each one's managers log to its own log. */
class LoggersTest {
    @RegisterExtension
    final Loopback server = new Loopback();

    /** The log of one application. */
    public static class OneLog extends SimpleLog {
        static final List<String> LINES = new ArrayList<>();

        public OneLog(String name) {
            super(name);
            setLevel(LOG_LEVEL_DEBUG);
        }

        List<String> lines() {
            return LINES;
        }

        @Override
        protected void log(int level, Object message, Throwable cause) {
            lines().add(logName.replaceAll(".*\\.", "") + ": " + message.toString().replaceAll("[ \\[].*", ""));
        }
    }

    /** The log of another one. */
    public static final class OtherLog extends OneLog {
        static final List<String> LINES = new ArrayList<>();

        public OtherLog(String name) {
            super(name);
        }

        @Override
        List<String> lines() {
            return LINES;
        }
    }

    /** What an application does that has this log: lets a connection expire. */
    private void runApplication(Class<? extends OneLog> log) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader application = new URLClassLoader(new URL[0], before)) {
            thread.setContextClassLoader(application);
            LogFactory.getFactory().setAttribute("org.apache.commons.logging.Log", log.getName());
            ManualClock clock = new ManualClock();
            try (LeaseholdHttpClientConnectionManager manager = clock.driving(() -> new LeaseholdHttpClientConnectionManager(
                    new DefaultHttpClientConnectionOperator(RegistryBuilder.<ConnectionSocketFactory>create()
                            .register("http", PlainConnectionSocketFactory.getSocketFactory()).build(), null, null),
                    null, 0, TimeUnit.SECONDS))) {
                HttpClientConnection connection = Loopback.leaseOpen(manager, server.route(), null);
                manager.releaseConnection(connection, null, 1, TimeUnit.SECONDS);
                clock.advance(2, TimeUnit.SECONDS);
                manager.closeExpiredConnections();
            }
        } finally {
            LogFactory.release(thread.getContextClassLoader());
            thread.setContextClassLoader(before);
        }
    }

    @Test
    void eachManagerLogsToTheLogOfTheApplicationThatMadeIt() throws Exception {
        // What was there if this has run before in the same JVM.
        OneLog.LINES.clear();
        OtherLog.LINES.clear();
        runApplication(OneLog.class);
        List<String> lines = new ArrayList<>(OneLog.LINES);
        String manager = "PoolingHttpClientConnectionManager: ";
        assertEquals(Arrays.asList(manager + "Connection", manager + "Connection", manager + "Connection", manager + "Connection",
                manager + "Closing", "CPool: Connection", manager + "Connection", manager + "Connection"), own(lines));
        runApplication(OtherLog.class);
        assertEquals(own(lines), own(OtherLog.LINES));
        assertEquals(own(lines), own(OneLog.LINES));
    }

    /** Without what HttpClient itself has to say, some of which it says to a log that the first application had. */
    private static List<String> own(List<String> lines) {
        List<String> own = new ArrayList<>(lines);
        own.removeIf(line -> !line.startsWith("PoolingHttpClientConnectionManager: ") && !line.startsWith("CPool: "));
        return own;
    }
}
