package io.leasehold.tests.redeployment.application;

import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.io.entity.EntityUtils;

/** A web application as it was written for HttpClient 5: its client is in a static field. */
public class Client5 extends HttpServlet {
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
        String body = client.execute(new HttpGet(getInitParameter("url")), answer -> EntityUtils.toString(answer.getEntity()));
        response.getWriter().print(body);
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
