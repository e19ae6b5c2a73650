package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Spring's clients on a request factory, without an application around them. */
final class SpringProgram implements Program {
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
    private final HttpComponentsClientHttpRequestFactory factory;
    private final Supplier<String> post;

    private SpringProgram(boolean byBoot, Function<HttpComponentsClientHttpRequestFactory, Supplier<String>> client) {
        factory = byBoot ? boots() : springs();
        post = client.apply(factory);
    }

    private HttpComponentsClientHttpRequestFactory springs() {
        return new HttpComponentsClientHttpRequestFactory(HttpClients.custom().setConnectionManager(manager).build());
    }

    private HttpComponentsClientHttpRequestFactory boots() {
        return ClientHttpRequestFactoryBuilder.httpComponents()
                .withHttpClientCustomizer(http -> http.setConnectionManager(manager))
                .build();
    }

    static Program restClient(String url) {
        return new SpringProgram(false, factory -> restClient(factory, url));
    }

    static Program restTemplate(String url) {
        return new SpringProgram(false, factory -> {
            RestTemplate template = new RestTemplate(factory);
            return () -> template.postForObject(url, null, String.class);
        });
    }

    static Program restClientByBootsBuilder(String url) {
        return new SpringProgram(true, factory -> restClient(factory, url));
    }

    private static Supplier<String> restClient(HttpComponentsClientHttpRequestFactory factory, String url) {
        RestClient client = RestClient.builder().requestFactory(factory).build();
        return () -> client.post().uri(url).retrieve().body(String.class);
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return manager;
    }

    @Override
    public String post() {
        return post.get();
    }

    @Override
    public void close() throws Exception {
        factory.destroy();
    }
}
