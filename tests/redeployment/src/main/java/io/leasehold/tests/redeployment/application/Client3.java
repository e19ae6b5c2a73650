package io.leasehold.tests.redeployment.application;

import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;

/** A web application as it was written for HttpClient 3.1: its client is in a static field. */
public class Client3 extends HttpServlet {
    private static final long serialVersionUID = 1;

    private static HttpClient client;

    @Override
    public void init() {
        client = new HttpClient(manager(getInitParameter("manager")));
    }

    /** The manager of that name. */
    protected HttpConnectionManager manager(String name) {
        switch (name) {
            case "simple":
                return new SimpleHttpConnectionManager();
            case "multi":
                return new MultiThreadedHttpConnectionManager();
            default:
                throw new IllegalArgumentException(name);
        }
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String body;
        if (client.getHttpConnectionManager().getClass() == SimpleHttpConnectionManager.class) {
            // It has one connection, and is for one thread.
            synchronized (Client3.class) {
                body = get();
            }
        } else {
            body = get();
        }
        response.getWriter().print(body);
    }

    private String get() throws IOException {
        GetMethod get = new GetMethod(getInitParameter("url"));
        try {
            client.executeMethod(get);
            return get.getResponseBodyAsString();
        } finally {
            get.releaseConnection();
        }
    }

    @Override
    public void destroy() {
        if (Boolean.parseBoolean(getInitParameter("closed"))) {
            HttpConnectionManager manager = client.getHttpConnectionManager();
            if (manager instanceof MultiThreadedHttpConnectionManager) {
                ((MultiThreadedHttpConnectionManager) manager).shutdown();
            } else {
                ((SimpleHttpConnectionManager) manager).shutdown();
            }
        }
    }
}
