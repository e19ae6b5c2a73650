package example;

import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManagerBuilder;
import java.util.concurrent.CountDownLatch;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.message.StatusLine;

/** Gets a URL three times at once, without a thread that waits, over one connection: the second and third request wait for it. */
public final class GetAsync {
    public static void main(String[] args) throws Exception {
        // The one line that changes; it was: ... = PoolingAsyncClientConnectionManagerBuilder.create()
        PoolingAsyncClientConnectionManager manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
                .setMaxConnTotal(200)
                .setMaxConnPerRoute(1)
                .build();

        CountDownLatch answers = new CountDownLatch(3);
        try (CloseableHttpAsyncClient client = HttpAsyncClients.custom().setConnectionManager(manager).build()) {
            client.start();
            for (int i = 0; i < 3; i++) {
                client.execute(SimpleRequestBuilder.get(args[0]).build(), new FutureCallback<SimpleHttpResponse>() {
                    @Override
                    public void completed(SimpleHttpResponse response) {
                        System.out.println(new StatusLine(response) + ", " + response.getBodyBytes().length + " bytes");
                        answers.countDown();
                    }

                    @Override
                    public void failed(Exception e) {
                        System.out.println(e);
                        answers.countDown();
                    }

                    @Override
                    public void cancelled() {
                        answers.countDown();
                    }
                });
            }
            answers.await();
        }
    }
}
