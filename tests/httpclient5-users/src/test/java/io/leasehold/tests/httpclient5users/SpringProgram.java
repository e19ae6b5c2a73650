package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import java.util.function.Function;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Spring's clients on a request factory, without an application around them. */
final class SpringProgram implements Program {
    /** What a factory is given to, and posts. */
    interface Poster {
        String post(String url);
    }

    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
    private final HttpComponentsClientHttpRequestFactory factory;
    private final Poster poster;

    private SpringProgram(boolean byBoot, Function<HttpComponentsClientHttpRequestFactory, Poster> client) {
        factory = byBoot ? boots() : springs();
        poster = client.apply(factory);
    }

    private HttpComponentsClientHttpRequestFactory springs() {
        return new HttpComponentsClientHttpRequestFactory(HttpClients.custom().setConnectionManager(manager).build());
    }

    private HttpComponentsClientHttpRequestFactory boots() {
        return ClientHttpRequestFactoryBuilder.httpComponents()
                .withHttpClientCustomizer(http -> http.setConnectionManager(manager))
                .build();
    }

    static Program restClient() {
        return new SpringProgram(false, SpringProgram::restClient);
    }

    static Program restTemplate() {
        return new SpringProgram(false, SpringProgram::restTemplate);
    }

    static Program restClientByBootsBuilder() {
        return new SpringProgram(true, SpringProgram::restClient);
    }

    private static Poster restClient(HttpComponentsClientHttpRequestFactory factory) {
        RestClient client = RestClient.builder().requestFactory(factory).build();
        return url -> client.post().uri(url).retrieve().body(String.class);
    }

    private static Poster restTemplate(HttpComponentsClientHttpRequestFactory factory) {
        RestTemplate template = new RestTemplate(factory);
        return url -> template.postForObject(url, null, String.class);
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return manager;
    }

    @Override
    public String post(String url) {
        return poster.post(url);
    }

    @Override
    public void close() throws Exception {
        factory.destroy();
    }
}
