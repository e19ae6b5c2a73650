package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.leasehold.managed.ManagedPool;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a reactor's connection comes to while it is opened is told to whoever asked, whatever that throws. */
class OpeningTest {
    private final List<String> told = new ArrayList<>();
    private final LeaseholdConnPool<String, Conn> pool = new LeaseholdConnPool<>(1, 1);
    private final ManagedPool<?, ?> managed = pool.managed();
    /** Whom the operator, or the reactor, is to tell. */
    private FutureCallback<Object> callback;
    private RuntimeException refusal;
    private Error failure;

    /** Takes the callback, which is what is told at last. */
    @SuppressWarnings("unchecked") // It is one.
    private <T> T taking(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            callback = (FutureCallback<Object>) arguments[arguments.length - 1];
            return null;
        }));
    }

    private <T> FutureCallback<T> telling() {
        return new FutureCallback<T>() {
            @Override
            public void completed(T result) {
                told.add("completed");
                if (failure != null) {
                    throw failure;
                }
            }

            @Override
            public void failed(Exception e) {
                told.add("failed with " + (e.getCause() == null ? e : e.getCause()).getMessage());
            }

            @Override
            public void cancelled() {
                told.add("cancelled");
            }
        };
    }

    private final Opening opening = new Opening(taking(ConnectionInitiator.class)) {
        @Override
        ManagedAsyncClientConnection opened(ReactorConnection connection) {
            if (refusal != null) {
                throw refusal;
            }
            return connection;
        }

        @Override
        void told(ManagedAsyncClientConnection connection) {
            told.add("told");
        }
    };

    @AfterEach
    void close() {
        pool.close();
    }

    @Test
    void aSessionsEndIsPassedOn() {
        opening.connect(null, null, null, null, null, telling());
        callback.failed(new IllegalStateException("a reactor"));
        callback.cancelled();
        IOSession session = (IOSession) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {IOSession.class},
                (proxy, method, arguments) -> null);
        callback.completed(session);
        assertSame(session, opening.session());
        assertEquals("[failed with a reactor, cancelled, completed]", told.toString());
    }

    private void connect() {
        ReactorOperator.of(taking(AsyncClientConnectionOperator.class), managed)
                .connect(opening, new HttpHost("localhost"), null, null, null, telling());
    }

    private ManagedAsyncClientConnection connection() {
        return (ManagedAsyncClientConnection) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {ManagedAsyncClientConnection.class}, (proxy, method, arguments) -> {
                    told.add(method.getName() + " " + arguments[0]);
                    return null;
                });
    }

    @Test
    void aConnectionsEndIsPassedOn() {
        connect();
        callback.failed(new IllegalStateException("an operator"));
        callback.cancelled();
        callback.completed(connection());
        assertEquals("[failed with an operator, cancelled, completed, told]", told.toString());
    }

    @Test
    void aConnectionThatIsRefusedIsClosed() {
        connect();
        refusal = new IllegalStateException("a refusal");
        callback.completed(connection());
        assertEquals("[close IMMEDIATE, failed with a refusal]", told.toString());
    }

    /** An error would end the reactor. */
    @Test
    void whoIsToldAndFailsIsToldOfThat() {
        connect();
        failure = new AssertionError("a callback");
        callback.completed(connection());
        assertEquals("[completed, failed with a callback, told]", told.toString());
    }
}
