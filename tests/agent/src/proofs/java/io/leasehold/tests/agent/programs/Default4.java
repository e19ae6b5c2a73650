package io.leasehold.tests.agent.programs;

import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** HttpClient 4.5 as it comes. It sends POSTs, which it does not try again by itself. */
public final class Default4 {
    private Default4() {}

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
