package io.leasehold.tests.closes;

import io.leasehold.tests.closes.Contender.Client;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.hc.client5.http.EndpointInfo;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.impl.ConnectionHolder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.concurrent.CallbackContribution;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncPushConsumer;
import org.apache.hc.core5.http.nio.HandlerFactory;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** Asynchronous clients of HttpClient 5. */
final class AsyncClients {
    private static final String CONNECTION = "leasehold.tests.connection";

    private AsyncClients() {}

    @SuppressWarnings("unchecked") // It was put there.
    private static void tell(HttpContext context, Object connection) {
        ((Consumer<Object>) context.getAttribute(CONNECTION)).accept(connection);
    }

    private static HttpContext context(Consumer<Object> connection) {
        HttpContext context = HttpCoreContext.create();
        context.setAttribute(CONNECTION, connection);
        return context;
    }

    /** Each thread waits for its answer. */
    static Client client(PoolingAsyncClientConnectionManager manager, int connections) {
        manager.setDefaultMaxPerRoute(connections);
        manager.setMaxTotal(connections);
        CloseableHttpAsyncClient client = HttpAsyncClients.custom().setConnectionManager(new Telling(manager)).disableAutomaticRetries()
                .build();
        client.start();
        return (method, url, name, connection) -> {
            SimpleRequestBuilder request = SimpleRequestBuilder.create(method).setUri(url).addHeader(ClosingServer.NAME, name);
            if (method.equals("POST")) {
                request.setBody("body", ContentType.TEXT_PLAIN);
            }
            SimpleHttpRequest built = request.build();
            try {
                SimpleHttpResponse response = client.execute(built, context(connection), null).get();
                Contender.checkOk(response.getCode());
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException ? (IOException) e.getCause() : new IOException(e.getCause());
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        };
    }

    /** Tells of the connection before a request is handed to it. */
    private static final class Telling implements AsyncClientConnectionManager {
        private final PoolingAsyncClientConnectionManager manager;

        Telling(PoolingAsyncClientConnectionManager manager) {
            this.manager = manager;
        }

        private static AsyncConnectionEndpoint own(AsyncConnectionEndpoint endpoint) {
            return ((TellingEndpoint) endpoint).endpoint;
        }

        private static FutureCallback<AsyncConnectionEndpoint> telling(FutureCallback<AsyncConnectionEndpoint> callback) {
            return new CallbackContribution<AsyncConnectionEndpoint>(callback) {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    callback.completed(new TellingEndpoint(endpoint));
                }
            };
        }

        @Override
        public Future<AsyncConnectionEndpoint> lease(String id, HttpRoute route, Object state, Timeout timeout,
                FutureCallback<AsyncConnectionEndpoint> callback) {
            return manager.lease(id, route, state, timeout, telling(callback));
        }

        @Override
        public void release(AsyncConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
            manager.release(own(endpoint), state, keepAlive);
        }

        @Override
        public Future<AsyncConnectionEndpoint> connect(AsyncConnectionEndpoint endpoint, ConnectionInitiator initiator, Timeout timeout,
                Object attachment, HttpContext context, FutureCallback<AsyncConnectionEndpoint> callback) {
            return manager.connect(own(endpoint), initiator, timeout, attachment, context, telling(callback));
        }

        @Override
        public void upgrade(AsyncConnectionEndpoint endpoint, Object attachment, HttpContext context) {
            manager.upgrade(own(endpoint), attachment, context);
        }

        @Override
        public void close() {
            manager.close();
        }

        @Override
        public void close(CloseMode mode) {
            manager.close(mode);
        }
    }

    private static final class TellingEndpoint extends AsyncConnectionEndpoint {
        private final AsyncConnectionEndpoint endpoint;

        TellingEndpoint(AsyncConnectionEndpoint endpoint) {
            this.endpoint = endpoint;
        }

        @Override
        public void execute(String id, AsyncClientExchangeHandler handler, HandlerFactory<AsyncPushConsumer> push, HttpContext context) {
            tell(context, ConnPoolSupport.getId(((ConnectionHolder) endpoint).get()));
            endpoint.execute(id, handler, push, context);
        }

        @Override
        public boolean isConnected() {
            return endpoint.isConnected();
        }

        @Override
        public void setSocketTimeout(Timeout timeout) {
            endpoint.setSocketTimeout(timeout);
        }

        @Override
        public EndpointInfo getInfo() {
            return endpoint.getInfo();
        }

        @Override
        public void close(CloseMode mode) {
            endpoint.close(mode);
        }
    }
}
