package io.leasehold.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Proxy;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;

class StarterTest {
    @Test
    void whatIsLoadedWhileTheAgentStartsIsNotSaidToHaveBeenLoadedBefore() throws Exception {
        Class<?> loading = PoolingHttpClientConnectionManager.class;
        // As the JVM is, when another thread loads the class as soon as the agent is asked about classes.
        Instrumentation instrumentation = (Instrumentation) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {Instrumentation.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("addTransformer")) {
                        ((ClassFileTransformer) arguments[0])
                                .transform(loading.getClassLoader(), loading.getName().replace('.', '/'), null, null, new byte[0]);
                    }
                    return method.getName().equals("getAllLoadedClasses") ? new Class<?>[] {loading} : null;
                });
        PrintStream standardError = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true));
        try {
            // It has nothing to change, so that it takes no jar.
            new Starter(null).accept("generations=3", instrumentation);
        } finally {
            System.setErr(standardError);
        }
        assertEquals("", said.toString());
    }
}
