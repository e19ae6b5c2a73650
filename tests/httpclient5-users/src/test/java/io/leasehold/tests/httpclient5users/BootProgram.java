package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import java.util.function.Function;
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
import org.springframework.web.client.RestClient;

/** A Spring Boot application that sends requests with what Boot configures. */
final class BootProgram implements Program {
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        LeaseholdHttpClientConnectionManager connectionManager() {
            return new LeaseholdHttpClientConnectionManager();
        }

        @Bean
        ClientHttpRequestFactoryBuilderCustomizer<HttpComponentsClientHttpRequestFactoryBuilder> onLeasehold(
                LeaseholdHttpClientConnectionManager manager) {
            return builder -> builder.withHttpClientCustomizer(http -> http.setConnectionManager(manager).setConnectionManagerShared(true));
        }
    }

    private final ConfigurableApplicationContext context;
    private final Function<ConfigurableApplicationContext, String> post;

    private BootProgram(Function<ConfigurableApplicationContext, String> post) {
        context = start(Application.class);
        this.post = post;
    }

    /** An application that serves nothing and says little. */
    static ConfigurableApplicationContext start(Class<?> application, String... properties) {
        return new SpringApplicationBuilder(application).web(WebApplicationType.NONE).bannerMode(Mode.OFF).logStartupInfo(false)
                .properties(properties).run();
    }

    /** Each request by a client of its own, built with Boot's builder: they share the manager. */
    static Program restClient(String url) {
        return new BootProgram(context -> context.getBean(RestClient.Builder.class).build().post().uri(url).retrieve().body(String.class));
    }

    static Program restTemplate(String url) {
        return new BootProgram(context -> context.getBean(RestTemplateBuilder.class).build().postForObject(url, null, String.class));
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return context.getBean(PoolingHttpClientConnectionManager.class);
    }

    @Override
    public String post() {
        return post.apply(context);
    }

    @Override
    public void close() {
        context.close();
    }
}
