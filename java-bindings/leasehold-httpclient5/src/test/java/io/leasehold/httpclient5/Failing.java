package io.leasehold.httpclient5;

import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.ScriptedServer;
import java.net.InetAddress;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** What an application gives both managers, as it fails on demand. */
final class Failing {
    static final String PORT = "SchemePortResolver.resolve";
    static final String NAME = "DnsResolver.resolve";
    static final String CONFIG = "Resolver.resolve, of a ConnectionConfig";
    static final String TLS_CONFIG = "Resolver.resolve, of a TlsConfig";
    static final String CONFIGS_GETTERS = "ConnectionConfig";
    static final String TLS_CONFIGS_GETTERS = "TlsConfig";

    private Failing() {}

    /** One port for all. */
    static SchemePortResolver ports(Faults faults, int port) {
        return new SchemePortResolver() {
            @Override
            public int resolve(HttpHost host) {
                faults.pass(PORT);
                return port;
            }

            /**
             * Overrides what the interface has as of 5.3.
             *
             * @param scheme the scheme
             * @param endpoint the host
             * @return the port
             */
            public int resolve(String scheme, NamedEndpoint endpoint) {
                faults.pass(PORT);
                return port;
            }
        };
    }

    /** All hosts are at home. */
    static DnsResolver names(Faults faults) {
        return new DnsResolver() {
            @Override
            public InetAddress[] resolve(String host) {
                faults.pass(NAME);
                return new InetAddress[] {ScriptedServer.loopback()};
            }

            @Override
            public String resolveCanonicalHostname(String host) {
                return host;
            }
        };
    }

    /** Configurations of a class of the application's, by which idle connections are validated after this time. */
    static Resolver<HttpRoute, ConnectionConfig> configs(Faults faults, TimeValue validation) {
        ConnectionConfig config = new ConnectionConfig() {
            @Override
            public TimeValue getValidateAfterInactivity() {
                faults.pass(CONFIGS_GETTERS);
                return validation;
            }

            @Override
            public Timeout getSocketTimeout() {
                faults.pass(CONFIGS_GETTERS);
                return Timeout.ofMinutes(1);
            }

            @Override
            public Timeout getConnectTimeout() {
                faults.pass(CONFIGS_GETTERS);
                return Timeout.ofMinutes(1);
            }

            @Override
            public TimeValue getTimeToLive() {
                faults.pass(CONFIGS_GETTERS);
                return super.getTimeToLive();
            }
        };
        return route -> {
            faults.pass(CONFIG);
            return config;
        };
    }

    /** Configurations of a class of the application's. */
    static Resolver<HttpHost, TlsConfig> tlsConfigs(Faults faults) {
        TlsConfig config = new TlsConfig() {
            @Override
            public Timeout getHandshakeTimeout() {
                faults.pass(TLS_CONFIGS_GETTERS);
                return super.getHandshakeTimeout();
            }
        };
        return host -> {
            faults.pass(TLS_CONFIG);
            return config;
        };
    }
}
