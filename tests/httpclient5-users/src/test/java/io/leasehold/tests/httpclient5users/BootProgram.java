package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.springframework.boot.Banner.Mode;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.ClientHttpRequestFactoryBuilderCustomizer;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.http.client.HttpComponentsClientHttpRequestFactoryBuilder;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** A Spring Boot application that sends requests with what Boot configures. */
final class BootProgram implements Program {
    /** Has Boot's clients use a manager. */
    @Configuration(proxyBeanMethods = false)
    static class Client {
        @Bean
        ClientHttpRequestFactoryBuilderCustomizer<HttpComponentsClientHttpRequestFactoryBuilder> onLeasehold(
                LeaseholdHttpClientConnectionManager manager) {
            return builder -> builder.withHttpClientCustomizer(http -> http.setConnectionManager(manager).setConnectionManagerShared(true));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Client.class)
    static class Application {
        @Bean
        LeaseholdHttpClientConnectionManager connectionManager() {
            return new LeaseholdHttpClientConnectionManager();
        }
    }

    private final ConfigurableApplicationContext context;
    /** Two clients, which share the manager: they take turns. */
    private final List<Supplier<String>> clients;
    private final AtomicInteger posts = new AtomicInteger();

    private BootProgram(Function<ConfigurableApplicationContext, Supplier<String>> client) {
        context = start(Application.class);
        clients = List.of(client.apply(context), client.apply(context));
    }

    /** An application that serves nothing and says little. */
    static ConfigurableApplicationContext start(Class<?> application, String... properties) {
        return new SpringApplicationBuilder(application).web(WebApplicationType.NONE).bannerMode(Mode.OFF).logStartupInfo(false)
                .properties(properties).run();
    }

    static Program restClient(String url) {
        return new BootProgram(context -> {
            RestClient client = context.getBean(RestClient.Builder.class).build();
            return () -> client.post().uri(url).retrieve().body(String.class);
        });
    }

    static Program restTemplate(String url) {
        return new BootProgram(context -> {
            RestTemplate template = context.getBean(RestTemplateBuilder.class).build();
            return () -> template.postForObject(url, null, String.class);
        });
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return context.getBean(PoolingHttpClientConnectionManager.class);
    }

    @Override
    public String post() {
        return clients.get(posts.getAndIncrement() % clients.size()).get();
    }

    @Override
    public void close() {
        context.close();
    }
}
