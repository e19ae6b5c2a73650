package io.leasehold.httpclient5;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.socket.ConnectionSocketFactory;
import org.apache.hc.client5.http.socket.LayeredConnectionSocketFactory;
import org.apache.hc.client5.http.socket.PlainConnectionSocketFactory;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.Lookup;
import org.apache.hc.core5.http.config.RegistryBuilder;

/**
 * HttpClient's own operators, which open connections and layer TLS over them: before 5.4 by socket factories, from then on by TLS
 * strategies, whose type is named nowhere, so that the oldest version knows every type that is.
 */
final class Operators {
    private static final Class<?> STRATEGY = strategy();

    private Operators() {}

    private static Class<?> strategy() {
        try {
            return Class.forName("org.apache.hc.client5.http.ssl.TlsSocketStrategy", false,
                    HttpClientConnectionOperator.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    /** A TLS strategy, which must be one. */
    static Object requireStrategy(Object strategy) {
        if (STRATEGY == null) {
            throw new IllegalStateException("TLS strategies for sockets came with HttpClient 5.4, which this one is older than: say"
                    + " setSSLSocketFactory");
        }
        if (strategy != null && !STRATEGY.isInstance(strategy)) {
            throw new IllegalArgumentException("it must be a " + STRATEGY.getName() + ": " + strategy.getClass().getName());
        }
        return strategy;
    }

    /** With TLS by a socket factory. */
    static HttpClientConnectionOperator of(SchemePortResolver ports, DnsResolver names, LayeredConnectionSocketFactory tls) {
        return new DefaultHttpClientConnectionOperator(RegistryBuilder.<ConnectionSocketFactory>create()
                .register(URIScheme.HTTP.id, PlainConnectionSocketFactory.getSocketFactory())
                .register(URIScheme.HTTPS.id, tls)
                .build(), ports, names);
    }

    /** With TLS by a strategy. */
    static HttpClientConnectionOperator ofStrategy(SchemePortResolver ports, DnsResolver names, Object strategy) {
        Lookup<Object> strategies = RegistryBuilder.create().register(URIScheme.HTTPS.id, strategy).build();
        try {
            Constructor<DefaultHttpClientConnectionOperator> constructor = DefaultHttpClientConnectionOperator.class.getConstructor(
                    SchemePortResolver.class, DnsResolver.class, Lookup.class);
            return constructor.newInstance(ports, names, strategies);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this HttpClient makes its operators in a way that is not known here", e);
        }
    }

    /** With the version's own TLS. */
    static HttpClientConnectionOperator ofVersion(SchemePortResolver ports, DnsResolver names, boolean systemProperties) {
        if (STRATEGY == null) {
            return of(ports, names, systemProperties ? SSLConnectionSocketFactory.getSystemSocketFactory()
                    : SSLConnectionSocketFactory.getSocketFactory());
        }
        try {
            String maker = systemProperties ? "createSystemDefault" : "createDefault";
            return ofStrategy(ports, names, DefaultClientTlsStrategy.class.getMethod(maker).invoke(null));
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this HttpClient makes its TLS in a way that is not known here", e);
        }
    }
}
