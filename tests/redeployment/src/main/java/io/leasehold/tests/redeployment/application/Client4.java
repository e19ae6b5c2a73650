package io.leasehold.tests.redeployment.application;

import io.leasehold.LeaseholdManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
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
public final class Client4 extends HttpServlet {
    private static final long serialVersionUID = 1;

    private static CloseableHttpClient client;

    @Override
    public void init() {
        PoolingHttpClientConnectionManager manager = getInitParameter("manager").equals("stock pooling")
                ? new PoolingHttpClientConnectionManager()
                : new LeaseholdHttpClientConnectionManager();
        manager.setDefaultMaxPerRoute(20);
        if (manager instanceof LeaseholdManager && isClosed()) {
            // The JVM's server of beans holds it until the client is closed.
            ((LeaseholdManager) manager).getPool().registerMBean();
        }
        client = HttpClients.custom().setConnectionManager(manager).build();
    }

    private boolean isClosed() {
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
