package io.leasehold.tests.demo;

import java.io.IOException;
import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethodBase;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpMethodParams;

/** HttpClient 3.1 on a manager. */
final class Httpclient3 implements Sender {
    private final HttpConnectionManager manager;
    private final Runnable shutdown;
    private final HttpClient client;

    private Httpclient3(HttpConnectionManager manager, Runnable shutdown) {
        this.manager = manager;
        this.shutdown = shutdown;
        client = new HttpClient(manager);
        client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, new DefaultHttpMethodRetryHandler(0, false));
    }

    static Sender of(SimpleHttpConnectionManager manager) {
        return new Httpclient3(manager, manager::shutdown);
    }

    static Sender of(MultiThreadedHttpConnectionManager manager, int connections) {
        manager.getParams().setDefaultMaxConnectionsPerHost(connections);
        manager.getParams().setMaxTotalConnections(connections);
        return new Httpclient3(manager, manager::shutdown);
    }

    @Override
    public String send(String url, String body, boolean saysGoodbye) throws IOException {
        HttpMethodBase method = body == null ? new GetMethod(url) : post(url, body);
        if (saysGoodbye) {
            method.setRequestHeader("Connection", "close");
        }
        try {
            int status = client.executeMethod(method);
            return status + " " + method.getResponseBodyAsString();
        } finally {
            method.releaseConnection();
        }
    }

    private static PostMethod post(String url, String body) throws IOException {
        PostMethod post = new PostMethod(url);
        post.setRequestEntity(new StringRequestEntity(body, "application/x-www-form-urlencoded", "US-ASCII"));
        return post;
    }

    @Override
    public void closeIdle() {
        manager.closeIdleConnections(0);
    }

    @Override
    public void shutdown() {
        shutdown.run();
    }
}
