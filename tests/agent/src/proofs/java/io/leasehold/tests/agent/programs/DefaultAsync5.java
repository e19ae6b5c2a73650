package io.leasehold.tests.agent.programs;

import java.net.URI;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Method;

/** HttpClient 5's asynchronous client as it comes. */
public final class DefaultAsync5 {
    private DefaultAsync5() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        try (CloseableHttpAsyncClient client = HttpAsyncClients.createDefault()) {
            client.start();
            Load.run(() -> {
                SimpleHttpRequest post = new SimpleHttpRequest(Method.POST, URI.create(args[0] + "/post"));
                post.setBody("body", ContentType.TEXT_PLAIN);
                Load.expect("hello", client.execute(post, null).get().getBodyText());
            });
        }
    }
}
