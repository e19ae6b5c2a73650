package io.leasehold.tests.agent.programs;

import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpClientParams;

/** HttpClient 3.1's managers, made in every way in which there is one. */
@SuppressWarnings("deprecation") // Programs call what there is.
public final class Trial3 {
    /** Overrides what it needs, and looks at what it may. */
    public static final class Sub extends SimpleHttpConnectionManager {
        int released;
        int seen;

        @Override
        public HttpConnection getConnectionWithTimeout(HostConfiguration configuration, long timeout) {
            HttpConnection connection = super.getConnectionWithTimeout(configuration, timeout);
            seen += connection == httpConnection ? 1 : 0;
            return connection;
        }

        @Override
        public void releaseConnection(HttpConnection connection) {
            released++;
            super.releaseConnection(connection);
        }
    }

    /** The same for many threads. */
    public static final class Many extends MultiThreadedHttpConnectionManager {
        int released;

        @Override
        public void releaseConnection(HttpConnection connection) {
            released++;
            super.releaseConnection(connection);
        }
    }

    private Trial3() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        Visits visits = new Visits(args[0]);
        visits.add(client(new HttpClient()));
        visits.add(client(new HttpClient(new SimpleHttpConnectionManager())));
        visits.add(client(new HttpClient(new SimpleHttpConnectionManager(false))));
        visits.add(client(new HttpClient(new MultiThreadedHttpConnectionManager())));
        HttpClientParams byName = new HttpClientParams();
        byName.setConnectionManagerClass(MultiThreadedHttpConnectionManager.class);
        visits.add(client(new HttpClient(byName)));
        HttpConnectionManager reflected = MultiThreadedHttpConnectionManager.class.getConstructor().newInstance();
        ((MultiThreadedHttpConnectionManager) reflected).getParams().setMaxTotalConnections(7);
        visits.add(client(new HttpClient(reflected)));
        Sub sub = new Sub();
        visits.add(client(new HttpClient(sub)));
        Many many = new Many();
        visits.add(client(new HttpClient(many)));
        visits.run();
        Visits.say("releasedBySub", sub.released);
        Visits.say("seenBySub", sub.seen);
        Visits.say("releasedByMany", many.released);
        Visits.say("max", ((MultiThreadedHttpConnectionManager) reflected).getMaxTotalConnections());
        Visits.say("pooled", ((MultiThreadedHttpConnectionManager) reflected).getConnectionsInPool());
        MultiThreadedHttpConnectionManager.shutdownAll();
        try {
            many.getConnectionWithTimeout(new HttpClient().getHostConfiguration(), 1);
            Visits.say("shutdown", "no");
        } catch (IllegalStateException | IllegalArgumentException e) {
            Visits.say("shutdown", e.getMessage());
        }
    }

    static Visits.Client client(HttpClient client) {
        return url -> {
            GetMethod get = new GetMethod(url);
            try {
                client.executeMethod(get);
                return get.getResponseBodyAsString();
            } finally {
                get.releaseConnection();
            }
        };
    }
}
