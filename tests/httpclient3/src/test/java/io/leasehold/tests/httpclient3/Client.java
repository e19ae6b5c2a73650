package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethodBase;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpMethodParams;

/** HttpClient 3.1 on a manager, without automatic retry: what the pool does wrong is seen. */
final class Client {
    final HttpClient http;

    Client(HttpConnectionManager manager) {
        http = new HttpClient(manager);
        http.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, new DefaultHttpMethodRetryHandler(0, false));
    }

    /** The body of a response that has to be a 200. */
    String get(String url) throws IOException {
        return send(new GetMethod(url));
    }

    /** As {@link #get}, of a POST, which HttpClient would not repeat by itself. */
    String post(String url) throws IOException {
        PostMethod post = new PostMethod(url);
        post.setRequestEntity(new StringRequestEntity("order=1", "application/x-www-form-urlencoded", "US-ASCII"));
        return send(post);
    }

    String send(HttpMethodBase method) throws IOException {
        try {
            assertEquals(200, http.executeMethod(method));
            return method.getResponseBodyAsString();
        } finally {
            method.releaseConnection();
        }
    }
}
