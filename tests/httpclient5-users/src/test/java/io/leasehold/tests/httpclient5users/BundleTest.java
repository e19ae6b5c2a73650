package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;

/** What a Spring Boot application says of connections in {@code spring.http.client} it says to the manager, and TLS is as before. */
class BundleTest {
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(BootProgram.Client.class)
    static class Application {
        @Bean
        LeaseholdHttpClientConnectionManager connectionManager(SslBundles bundles) {
            return LeaseholdHttpClientConnectionManagerBuilder.create()
                    .setTlsSocketStrategy(new DefaultClientTlsStrategy(bundles.getBundle("backend").createSslContext()))
                    .setDefaultConnectionConfig(ConnectionConfig.custom()
                            .setConnectTimeout(2, TimeUnit.SECONDS)
                            .setSocketTimeout(5, TimeUnit.SECONDS)
                            .build())
                    .build();
        }
    }

    @Test
    void aBundleOfBootsIsGivenToTheManager(@TempDir Path directory) throws Exception {
        Path certificate = directory.resolve("certificate.pem");
        TestTls.write(certificate, directory.resolve("key.pem"));
        try (Nginx server = Nginx.builder().tls().start();
                ConfigurableApplicationContext context = BootProgram.start(Application.class,
                        "spring.ssl.bundle.pem.backend.truststore.certificate=" + certificate.toUri())) {
            RestClient client = context.getBean(RestClient.Builder.class).build();
            for (int i = 0; i < 3; i++) {
                assertEquals(WebServer.GREETING, client.post().uri(server.url(WebServer.HELLO)).retrieve().body(String.class));
            }
            assertEquals(3, server.requests());
            assertEquals(1, server.connections());
            LeaseholdHttpClientConnectionManager manager = context.getBean(LeaseholdHttpClientConnectionManager.class);
            assertEquals(1, manager.getTotalStats().getAvailable());
            server.reload();
            Eventually.await("what the server has closed is closed here", () -> manager.getCounters().closedByPeer() == 1);
        }
    }

    @Test
    void withoutTheBundleTheServerIsNotTrusted() throws Exception {
        try (Nginx server = Nginx.builder().tls().start(); Program program = BootProgram.restClient(server.url(WebServer.HELLO))) {
            assertThrows(ResourceAccessException.class, program::post);
            assertEquals(0, program.manager().getTotalStats().getLeased());
        }
    }
}
