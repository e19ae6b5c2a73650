package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.function.Consumer;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.apache.http.util.VersionInfo;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.web.client.RestTemplate;

/** What applications send requests with. Requests are never repeated: what the pool does wrong is seen. */
interface Client {
    /** The kinds of client. */
    enum Kind {
        HTTP_CLIENT {
            @Override
            Client on(CloseableHttpClient http) {
                return (method, url, headers) -> {
                    RequestBuilder request = RequestBuilder.create(method).setUri(url);
                    for (int i = 0; i < headers.length; i += 2) {
                        request.setHeader(headers[i], headers[i + 1]);
                    }
                    if (method.equals("POST")) {
                        request.setEntity(new StringEntity("order=1", ContentType.APPLICATION_FORM_URLENCODED));
                    }
                    HttpUriRequest built = request.build();
                    try (CloseableHttpResponse response = http.execute(built)) {
                        assertEquals(200, response.getStatusLine().getStatusCode());
                        return EntityUtils.toString(response.getEntity());
                    }
                };
            }
        },

        REST_TEMPLATE {
            @Override
            Client on(CloseableHttpClient http) {
                RestTemplate spring = new RestTemplate(new HttpComponentsClientHttpRequestFactory(http));
                return (method, url, headers) -> {
                    HttpHeaders sent = new HttpHeaders();
                    for (int i = 0; i < headers.length; i += 2) {
                        sent.set(headers[i], headers[i + 1]);
                    }
                    HttpEntity<String> request = new HttpEntity<>(method.equals("POST") ? "order=1" : null, sent);
                    ResponseEntity<String> response = spring.exchange(url, HttpMethod.valueOf(method), request, String.class);
                    assertEquals(200, response.getStatusCodeValue());
                    return response.getBody();
                };
            }
        };

        abstract Client on(CloseableHttpClient http);

        final Client on(HttpClientConnectionManager manager) {
            return on(manager, builder -> { });
        }

        final Client on(HttpClientConnectionManager manager, Consumer<HttpClientBuilder> settings) {
            HttpClientBuilder builder = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries();
            settings.accept(builder);
            return on(builder.build());
        }
    }

    /** Whether HttpClient is an older one than 4.5.14. */
    static boolean isBeforeTheLast() {
        return !VersionInfo.loadVersionInfo("org.apache.http.client", Client.class.getClassLoader()).getRelease().equals("4.5.14");
    }

    /** The body of the response, which has to be a 200. A POST has a body. Headers are names and values in turn. */
    String send(String method, String url, String... headers) throws IOException;
}
