package io.leasehold.tests.redeployment.application;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;

/** A web application as it was written for HttpClient 5's asynchronous client, which is in a static field. */
public class ClientAsync5 extends HttpServlet {
    private static final long serialVersionUID = 1;

    private static CloseableHttpAsyncClient client;

    @Override
    public void init() {
        PoolingAsyncClientConnectionManager manager = manager();
        manager.setDefaultMaxPerRoute(20);
        client = HttpAsyncClients.custom().setConnectionManager(manager).build();
        client.start();
    }

    /** A manager. */
    protected PoolingAsyncClientConnectionManager manager() {
        return new PoolingAsyncClientConnectionManager();
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        SimpleHttpRequest get = SimpleRequestBuilder.get(getInitParameter("url")).build();
        try {
            // Of a client that is closed meanwhile no answer need come.
            response.getWriter().print(client.execute(get, null).get(10, TimeUnit.SECONDS).getBodyText());
        } catch (ExecutionException | TimeoutException | InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void destroy() {
        // One that is not closed goes on for good, whoever's manager it has: its reactor has threads.
        try {
            client.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
