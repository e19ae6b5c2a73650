package io.leasehold.tests.agent.programs;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;

/** A program with managers of each generation, some of which it uses. It lets them go, has them collected, and ends at once. */
public final class Ended {
    private Ended() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        List<WeakReference<Object>> made = new ArrayList<>();
        make(made, 0, args[0]);
        make(made, 3, args[0]);
        Visits.say("left", Visits.awaitCollection(made));
    }

    private static void make(List<WeakReference<Object>> made, int requests, String url) throws Exception {
        HttpConnectionManager[] of3 = {new SimpleHttpConnectionManager(), new MultiThreadedHttpConnectionManager()};
        for (HttpConnectionManager each : of3) {
            add(made, each, Trial3.client(new HttpClient(each)), requests, url);
        }
        org.apache.http.impl.conn.PoolingHttpClientConnectionManager of4 =
                new org.apache.http.impl.conn.PoolingHttpClientConnectionManager();
        add(made, of4, Trial4.client(of4), requests, url);
        org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager of5 =
                new org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager();
        add(made, of5, Trial5.client(of5), requests, url);
    }

    private static void add(List<WeakReference<Object>> made, Object manager, Visits.Client client, int requests, String url)
            throws Exception {
        made.add(new WeakReference<>(manager));
        for (int i = 0; i < requests; i++) {
            client.get(url + "/hello");
        }
    }
}
