package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.managed.ManagedConnections;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.concurrent.ComplexCancellable;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.Command;
import org.junit.jupiter.api.Test;

/** An endpoint's part of a connection: what it closes is its own exchange. */
class SharedConnectionTest {
    private final List<Command> submitted = new ArrayList<>();
    private final AsyncClientExchangeHandler handler = (AsyncClientExchangeHandler) Proxy.newProxyInstance(
            getClass().getClassLoader(), new Class<?>[] {AsyncClientExchangeHandler.class}, (proxy, method, arguments) -> null);

    private SharedConnection share() throws Exception {
        ManagedAsyncClientConnection connection = (ManagedAsyncClientConnection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ManagedAsyncClientConnection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("submitCommand")) {
                        submitted.add((Command) arguments[0]);
                        assertSame(Command.Priority.IMMEDIATE, arguments[1]);
                    }
                    return method.getName().equals("isOpen") ? true : null;
                });
        return new SharedConnection(new ReactorConnection(connection, null, new ManagedConnections<>().socket()), (closed, mode) -> {});
    }

    private RequestExecutionCommand submit(SharedConnection share, CancellableDependency own) {
        RequestExecutionCommand command = new RequestExecutionCommand(handler, null, own, HttpCoreContext.create());
        share.submitCommand(command, Command.Priority.IMMEDIATE);
        RequestExecutionCommand passedOn = (RequestExecutionCommand) submitted.remove(0);
        if (own != null) {
            assertSame(command, passedOn);
        }
        return passedOn;
    }

    @Test
    void theExchangeIsHeardOfSoThatItCanBeEnded() throws Exception {
        SharedConnection share = share();
        // There is none yet.
        share.cancelExchange();
        RequestExecutionCommand command = submit(share, null);
        assertSame(handler, command.getExchangeHandler());
        ComplexCancellable exchange = (ComplexCancellable) command.getCancellableDependency();
        assertFalse(exchange.isCancelled());
        SharedConnection another = share();
        ComplexCancellable anothers = (ComplexCancellable) submit(another, null).getCancellableDependency();
        assertNotSame(exchange, anothers);
        share.cancelExchange();
        assertTrue(exchange.isCancelled());
        assertFalse(anothers.isCancelled());
    }

    @Test
    void whatHasSomebodyElseToEndItIsPassedOnAsItIs() throws Exception {
        SharedConnection share = share();
        ComplexCancellable own = new ComplexCancellable();
        submit(share, own);
        share.cancelExchange();
        assertFalse(own.isCancelled());
    }

    @Test
    void whatIsSubmittedAfterItsCloseIsEndedAtOnce() throws Exception {
        SharedConnection share = share();
        assertTrue(share.isOpen());
        share.close(CloseMode.GRACEFUL);
        assertFalse(share.isOpen());
        assertTrue(((ComplexCancellable) submit(share, null).getCancellableDependency()).isCancelled());
        assertEquals("[]", submitted.toString());
    }
}
