package example;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.io.IOException;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/** Gets a URL three times over one connection. */
public final class Get {
    public static void main(String[] args) throws IOException {
        // The one line that changes; it was: ... = new PoolingHttpClientConnectionManager();
        PoolingHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        manager.setMaxTotal(200);
        manager.setDefaultMaxPerRoute(32);

        try (CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).build()) {
            for (int i = 0; i < 3; i++) {
                try (CloseableHttpResponse response = client.execute(new HttpGet(args[0]))) {
                    int length = EntityUtils.toByteArray(response.getEntity()).length;
                    System.out.println(response.getStatusLine() + ", " + length + " bytes");
                }
            }
        }
    }
}
