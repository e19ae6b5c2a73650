package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.PostMapping;

/** A Spring Boot application with a client of Spring Cloud OpenFeign. */
final class FeignProgram implements Program {
    @FeignClient(name = "backend", url = "${backend}")
    interface Backend {
        @PostMapping
        String post();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableFeignClients(clients = Backend.class)
    static class Application {
        @Bean
        HttpClientConnectionManager connectionManager() {
            return LeaseholdHttpClientConnectionManagerBuilder.create()
                    .setMaxConnTotal(200)
                    .setMaxConnPerRoute(50)
                    .build();
        }
    }

    private final ConfigurableApplicationContext context;

    FeignProgram(String url) {
        context = BootProgram.start(Application.class, "backend=" + url);
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return context.getBean(PoolingHttpClientConnectionManager.class);
    }

    @Override
    public String post() {
        return context.getBean(Backend.class).post();
    }

    @Override
    public void close() {
        context.close();
    }
}
