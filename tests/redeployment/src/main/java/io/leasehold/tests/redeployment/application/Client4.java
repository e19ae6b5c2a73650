package io.leasehold.tests.redeployment.application;

import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/** A web application as it was written for HttpClient 4.5: its client is in a static field. */
public class Client4 extends HttpServlet {
    private static final long serialVersionUID = 1;

    private static CloseableHttpClient client;

    @Override
    public void init() {
        PoolingHttpClientConnectionManager manager = manager();
        manager.setDefaultMaxPerRoute(20);
        client = HttpClients.custom().setConnectionManager(manager).build();
    }

    /** A manager. */
    protected PoolingHttpClientConnectionManager manager() {
        return new PoolingHttpClientConnectionManager();
    }

    /** Whether the client is closed at the end. */
    protected final boolean isClosed() {
        return Boolean.parseBoolean(getInitParameter("closed"));
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        try (CloseableHttpResponse answer = client.execute(new HttpGet(getInitParameter("url")))) {
            response.getWriter().print(EntityUtils.toString(answer.getEntity()));
        }
    }

    @Override
    public void destroy() {
        if (isClosed()) {
            try {
                client.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
