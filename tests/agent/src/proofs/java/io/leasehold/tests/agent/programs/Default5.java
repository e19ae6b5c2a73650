package io.leasehold.tests.agent.programs;

import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;

/** HttpClient 5 as it comes. It sends POSTs, which it does not try again by itself. */
public final class Default5 {
    private Default5() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        CloseableHttpClient client = HttpClients.createDefault();
        Load.run(() -> {
            HttpPost post = new HttpPost(args[0] + "/post");
            post.setEntity(new StringEntity("body"));
            Load.expect("hello", client.execute(post, response -> EntityUtils.toString(response.getEntity())));
        });
    }
}
