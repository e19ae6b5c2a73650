package io.leasehold.httpclient5;

import io.leasehold.testsupport.ScriptStage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.impl.ConnectionHolder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.FutureContribution;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.Message;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.impl.bootstrap.AsyncRequesterBootstrap;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncRequester;
import org.apache.hc.core5.http.nio.entity.StringAsyncEntityConsumer;
import org.apache.hc.core5.http.nio.support.BasicClientExchangeHandler;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.nio.support.BasicResponseConsumer;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** One side's asynchronous manager, with connections to the stage's server. What has a number has it in the order in which it comes up. */
final class AsyncStage extends ScriptStage {
    private static final Pattern NUMBERED = Pattern.compile("\\b(ep|c)-\\d+");
    private static final String[] HOSTS = {"localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3"};

    private final AsyncSubject subject;
    private final List<PoolingAsyncClientConnectionManager> managers = new ArrayList<>();
    private final Map<String, String> numbers = new HashMap<>();
    private final HttpAsyncRequester reactor = AsyncRequesterBootstrap.bootstrap()
            .setIOReactorConfig(IOReactorConfig.custom().setIoThreadCount(1).build()).create();

    AsyncStage(AsyncSubject subject) throws IOException {
        super(PoolingAsyncClientConnectionManager.class.getName());
        this.subject = subject;
        reactor.start();
    }

    PoolingAsyncClientConnectionManager manager(int perRoute, int total) {
        PoolingAsyncClientConnectionManager manager = subject.manager(perRoute, total);
        managers.add(manager);
        return manager;
    }

    /** One of four routes, which all lead to the server. */
    HttpRoute route(int index) {
        return new HttpRoute(new HttpHost("http", HOSTS[index], server().port()));
    }

    /** A request, which may be served already; without an end. */
    Future<AsyncConnectionEndpoint> request(PoolingAsyncClientConnectionManager manager, int route, Object state) {
        return play("request", () -> manager.lease("EX", route(route), state, Timeout.DISABLED, null));
    }

    /** A lease that does not wait: the endpoint, or null, and the request is given up. */
    AsyncConnectionEndpoint lease(PoolingAsyncClientConnectionManager manager, int route, Object state) {
        return play("lease", () -> {
            Future<AsyncConnectionEndpoint> request = manager.lease("EX", route(route), state, Timeout.DISABLED, null);
            if (request.isDone()) {
                return request.get();
            }
            request.cancel(true);
            return null;
        });
    }

    /** A lease that does not wait, and a connection where the endpoint has none. */
    AsyncConnectionEndpoint open(PoolingAsyncClientConnectionManager manager, int route, Object state) {
        AsyncConnectionEndpoint endpoint = lease(manager, route, state);
        if (endpoint != null && !endpoint.isConnected()) {
            connect(manager, endpoint);
        }
        return endpoint;
    }

    void connect(PoolingAsyncClientConnectionManager manager, AsyncConnectionEndpoint endpoint) {
        play("connect", () -> outcome(
                manager.connect(endpoint, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null)));
    }

    /** A GET of a path on an endpoint's connection. */
    void get(AsyncConnectionEndpoint endpoint, String path) {
        play("get " + path, () -> {
            BasicFuture<Message<HttpResponse, String>> answer = new BasicFuture<>(null);
            endpoint.execute("EX", new BasicClientExchangeHandler<>(
                    new BasicRequestProducer(Method.GET, new HttpHost("http", "localhost", server().port()), path),
                    new BasicResponseConsumer<>(new StringAsyncEntityConsumer()),
                    new FutureContribution<Message<HttpResponse, String>>(answer) {
                        @Override
                        public void completed(Message<HttpResponse, String> result) {
                            answer.completed(result);
                        }
                    }), HttpClientContext.create());
            Message<HttpResponse, String> message = outcome(answer);
            return message.getHead().getCode() + " " + message.getBody();
        });
    }

    /** What a future comes to. */
    <T> T outcome(Future<T> future) throws Exception {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    void release(PoolingAsyncClientConnectionManager manager, AsyncConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
        act("release", () -> manager.release(endpoint, state, keepAlive));
    }

    void release(PoolingAsyncClientConnectionManager manager, AsyncConnectionEndpoint endpoint) {
        release(manager, endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
    }

    void counts(PoolingAsyncClientConnectionManager manager, int... routes) {
        play("counts", () -> {
            StringBuilder counts = new StringBuilder(manager.getTotalStats().toString());
            for (int route : routes) {
                counts.append(' ').append(route).append(manager.getStats(route(route)));
            }
            return counts;
        });
    }

    void routes(PoolingAsyncClientConnectionManager manager) {
        play("routes", () -> {
            TreeSet<String> routes = new TreeSet<>();
            manager.getRoutes().forEach(route -> routes.add(route.toString()));
            return routes;
        });
    }

    @Override
    protected String describe(Object value) {
        if (value instanceof AsyncConnectionEndpoint) {
            Object connection = ((ConnectionHolder) value).get();
            return ConnPoolSupport.getId(value) + (connection == null ? "" : " with " + ConnPoolSupport.getId(connection))
                    + (((AsyncConnectionEndpoint) value).isConnected() ? " connected" : "");
        }
        if (value instanceof Future) {
            return ((Future<?>) value).isDone() ? "done" : "waits";
        }
        return value == null ? "done" : value.toString();
    }

    @Override
    protected boolean waits(StackTraceElement[] stack) {
        return false;
    }

    @Override
    protected String line(LogRecord record) {
        return record.getMessage();
    }

    @Override
    protected synchronized String plain(String text) {
        Matcher matcher = NUMBERED.matcher(text);
        StringBuffer plain = new StringBuffer();
        while (matcher.find()) {
            String kind = matcher.group(1);
            String number = numbers.computeIfAbsent(matcher.group(),
                    id -> kind + "#" + (1 + numbers.keySet().stream().filter(other -> other.startsWith(kind + "-")).count()));
            matcher.appendReplacement(plain, number);
        }
        return matcher.appendTail(plain).toString().replace(":" + server().port(), ":PORT");
    }

    @Override
    public void close() throws Exception {
        managers.forEach(manager -> manager.close(CloseMode.IMMEDIATE));
        reactor.close(CloseMode.IMMEDIATE);
        super.close();
    }
}
