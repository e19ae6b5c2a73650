package io.leasehold.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.util.Arrays;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.http.Header;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;

class ReferencesTest {
    /** Refers to others in ways in which none of their members is called here. */
    static final class Referring {
        // The method is named by a handle, and its type, by which it is called, names what it gives.
        final Function<HttpRoute, HttpHost> method = HttpRoute::getTargetHost;
        final Supplier<BasicHttpContext> constructor = BasicHttpContext::new;
        final Class<?> constant = HttpRequest.class;
        final Object[] arrays = new Header[1][1];
    }

    @Test
    void whatIsReferredToByHandleTypeAndConstantIsListed() throws Exception {
        References references = new References();
        try (InputStream in = Referring.class.getResourceAsStream("ReferencesTest$Referring.class")) {
            references.read(Payload.bytes(in));
        }
        assertEquals(Arrays.asList(
                "org/apache/http/Header",
                "org/apache/http/HttpHost",
                "org/apache/http/HttpRequest",
                "org/apache/http/conn/routing/HttpRoute getTargetHost()Lorg/apache/http/HttpHost;",
                "org/apache/http/protocol/BasicHttpContext <init>()V"), references.lines());
    }
}
