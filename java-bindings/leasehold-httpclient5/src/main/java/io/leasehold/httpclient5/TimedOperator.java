package io.leasehold.httpclient5;

import io.leasehold.managed.ManagedPool;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;

/**
 * An operator for sockets, of which a manager's pool is told how long opening connections takes. HttpClient's code asks it where an
 * endpoint has no connection that is open, and the manager itself does not hear of that. It is a proxy, because each version has methods by
 * which a connection is opened that the one before does not know.
 */
final class TimedOperator implements InvocationHandler {
    private final HttpClientConnectionOperator operator;
    private final ManagedPool<?, ?> managed;

    private TimedOperator(HttpClientConnectionOperator operator, ManagedPool<?, ?> managed) {
        this.operator = operator;
        this.managed = managed;
    }

    static HttpClientConnectionOperator of(HttpClientConnectionOperator operator, ManagedPool<?, ?> managed) {
        return (HttpClientConnectionOperator) Proxy.newProxyInstance(TimedOperator.class.getClassLoader(),
                new Class<?>[] {HttpClientConnectionOperator.class}, new TimedOperator(operator, managed));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        boolean connects = method.getName().equals("connect");
        long began = connects ? managed.connecting() : 0;
        Object answer;
        try {
            answer = method.invoke(operator, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
        if (connects) {
            managed.connected(began);
        }
        return answer;
    }
}
