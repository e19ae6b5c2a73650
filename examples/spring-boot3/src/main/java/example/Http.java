package example;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import io.leasehold.micrometer.LeaseholdMetrics;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.http.client.ClientHttpRequestFactoryBuilderCustomizer;
import org.springframework.boot.http.client.HttpComponentsClientHttpRequestFactoryBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Every RestClient and RestTemplate that is built with Spring Boot's builders shares the manager's connections, which actuator shows. */
@Configuration(proxyBeanMethods = false)
class Http {
    @Bean
    LeaseholdHttpClientConnectionManager connectionManager() {
        return LeaseholdHttpClientConnectionManagerBuilder.create()
                .setName("backend")
                .setMaxConnTotal(200)
                .setMaxConnPerRoute(32)
                .build();
    }

    @Bean
    ClientHttpRequestFactoryBuilderCustomizer<HttpComponentsClientHttpRequestFactoryBuilder> onLeasehold(
            LeaseholdHttpClientConnectionManager manager) {
        // Shared: that a client is closed does not close the manager, which Spring closes at the end.
        return builder -> builder.withHttpClientCustomizer(http -> http.setConnectionManager(manager).setConnectionManagerShared(true));
    }

    @Bean
    MeterBinder connectionMetrics(LeaseholdHttpClientConnectionManager manager) {
        return new LeaseholdMetrics(manager);
    }
}
