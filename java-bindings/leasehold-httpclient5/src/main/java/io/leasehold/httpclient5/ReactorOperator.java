package io.leasehold.httpclient5;

import io.leasehold.managed.ManagedPool;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.client5.http.ssl.ConscryptClientTlsStrategy;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.Lookup;
import org.apache.hc.core5.http.config.RegistryBuilder;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.ReflectionUtils;

/**
 * HttpClient's own operator for reactors, whose connections are made {@link ReactorConnection}s. It is a proxy, because each version has
 * methods by which a connection is opened that the one before does not know; they have in common whom they ask for a session, an
 * {@link Opening}, and whom they tell of the connection, their last argument.
 */
final class ReactorOperator implements InvocationHandler {
    private final AsyncClientConnectionOperator operator;
    private final ManagedPool<?, ?> managed;

    private ReactorOperator(AsyncClientConnectionOperator operator, ManagedPool<?, ?> managed) {
        this.operator = operator;
        this.managed = managed;
    }

    /** For the connections of a manager, whose pool is told how long opening them takes. */
    static AsyncClientConnectionOperator of(AsyncClientConnectionOperator operator, ManagedPool<?, ?> managed) {
        return (AsyncClientConnectionOperator) Proxy.newProxyInstance(ReactorOperator.class.getClassLoader(),
                new Class<?>[] {AsyncClientConnectionOperator.class}, new ReactorOperator(operator, managed));
    }

    /** HttpClient's own, with a TLS strategy of null for the version's own. Up to 5.4 the class can be made by no other package. */
    static AsyncClientConnectionOperator stock(SchemePortResolver ports, DnsResolver names, TlsStrategy tls, boolean systemProperties) {
        Lookup<TlsStrategy> strategies = RegistryBuilder.<TlsStrategy>create()
                .register(URIScheme.HTTPS.id, tls == null ? ofVersion(systemProperties) : tls)
                .build();
        try {
            Class<?> type = Class.forName(
                    PoolingAsyncClientConnectionManager.class.getPackage().getName() + ".DefaultAsyncClientConnectionOperator", true,
                    PoolingAsyncClientConnectionManager.class.getClassLoader());
            Constructor<?> constructor = type.getDeclaredConstructor(Lookup.class, SchemePortResolver.class, DnsResolver.class);
            constructor.setAccessible(true);
            return (AsyncClientConnectionOperator) constructor.newInstance(strategies, ports, names);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this HttpClient makes its operators in a way that is not known here", e);
        }
    }

    private static TlsStrategy ofVersion(boolean systemProperties) {
        if (ReflectionUtils.determineJRELevel() <= 8 && ConscryptClientTlsStrategy.isSupported()) {
            return systemProperties ? ConscryptClientTlsStrategy.getSystemDefault() : ConscryptClientTlsStrategy.getDefault();
        }
        try {
            Method maker;
            try {
                maker = DefaultClientTlsStrategy.class.getMethod(systemProperties ? "createSystemDefault" : "createDefault");
            } catch (NoSuchMethodException e) {
                maker = DefaultClientTlsStrategy.class.getMethod(systemProperties ? "getSystemDefault" : "getDefault");
            }
            return (TlsStrategy) maker.invoke(null);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this HttpClient makes its TLS in a way that is not known here", e);
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        Object[] passedOn = method.getName().equals("connect") ? observed(arguments) : arguments;
        try {
            return method.invoke(operator, passedOn);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** With the connection made ours before anybody is told of it. */
    @SuppressWarnings("unchecked") // The callback of what opens connections is told of one.
    private Object[] observed(Object[] arguments) {
        Object[] observed = arguments.clone();
        int last = observed.length - 1;
        for (Object argument : arguments) {
            if (argument instanceof Opening) {
                observed[last] = new Opened((Opening) argument, (FutureCallback<ManagedAsyncClientConnection>) observed[last]);
            }
        }
        return observed;
    }

    /** Tells of a connection as of one of ours. */
    private final class Opened implements FutureCallback<ManagedAsyncClientConnection> {
        private final long began = managed.connecting();
        private final Opening opening;
        private final FutureCallback<ManagedAsyncClientConnection> callback;

        Opened(Opening opening, FutureCallback<ManagedAsyncClientConnection> callback) {
            this.opening = opening;
            this.callback = callback;
        }

        @Override
        public void completed(ManagedAsyncClientConnection connection) {
            ManagedAsyncClientConnection ours;
            try {
                ours = opening.opened(new ReactorConnection(connection, opening.session(), managed.connections().socket()));
            } catch (IOException | RuntimeException e) {
                connection.close(CloseMode.IMMEDIATE);
                callback.failed(e);
                return;
            }
            managed.connected(began);
            try {
                callback.completed(ours);
            } catch (Error e) {
                // As HttpClient's code does with exceptions: an error would end the reactor, whose thread this is.
                callback.failed(Request.executionException(e));
            } finally {
                opening.told(ours);
            }
        }

        @Override
        public void failed(Exception e) {
            callback.failed(e);
        }

        @Override
        public void cancelled() {
            callback.cancelled();
        }
    }
}
