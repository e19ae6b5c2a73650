package example;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.message.StatusLine;

/** Gets a URL three times over one connection. */
public final class Get {
    public static void main(String[] args) throws IOException {
        // The one line that changes; it was: ... = PoolingHttpClientConnectionManagerBuilder.create()
        PoolingHttpClientConnectionManager manager = LeaseholdHttpClientConnectionManagerBuilder.create()
                .setMaxConnTotal(200)
                .setMaxConnPerRoute(32)
                .build();

        try (CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).build()) {
            for (int i = 0; i < 3; i++) {
                String answer = client.execute(new HttpGet(args[0]), response -> {
                    int length = EntityUtils.toByteArray(response.getEntity()).length;
                    return new StatusLine(response) + ", " + length + " bytes";
                });
                System.out.println(answer);
            }
        }
    }
}
