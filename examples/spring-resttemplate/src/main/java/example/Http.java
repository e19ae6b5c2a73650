package example;

import io.leasehold.httpclient4.CautiousKeepAliveStrategy;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.util.concurrent.TimeUnit;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.springframework.boot.autoconfigure.web.client.RestTemplateBuilderConfigurer;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;

/**
 * Spring Boot takes this RestTemplateBuilder in place of its own, configured as its own, and every RestTemplate made with it shares the
 * manager's connections. The manager is a bean, so that metrics can be bound to it.
 */
@Configuration(proxyBeanMethods = false)
class Http {
    @Bean
    LeaseholdHttpClientConnectionManager connectionManager() {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        manager.setMaxTotal(200);
        manager.setDefaultMaxPerRoute(32);
        return manager;
    }

    @Bean
    CloseableHttpClient httpClient(LeaseholdHttpClientConnectionManager manager) {
        return HttpClients.custom()
                .setConnectionManager(manager)
                // Optional: gives a connection up a second before the server does, and after 15 seconds if the server names no time.
                .setKeepAliveStrategy(new CautiousKeepAliveStrategy(1, 15, TimeUnit.SECONDS))
                .build();
    }

    @Bean
    RestTemplateBuilder restTemplateBuilder(RestTemplateBuilderConfigurer configurer, CloseableHttpClient httpClient) {
        return configurer.configure(new RestTemplateBuilder())
                .requestFactory(() -> new HttpComponentsClientHttpRequestFactory(httpClient));
    }
}
