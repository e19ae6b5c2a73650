package example;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import java.io.IOException;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.methods.GetMethod;

/** Gets a URL three times over one connection. */
public final class Get {
    public static void main(String[] args) throws IOException {
        // The one line that changes; it was: new HttpClient()
        HttpClient client = new HttpClient(new LeaseholdHttpConnectionManager());

        for (int i = 0; i < 3; i++) {
            GetMethod get = new GetMethod(args[0]);
            try {
                client.executeMethod(get);
                System.out.println(get.getStatusLine() + ", " + get.getResponseBody().length + " bytes");
            } finally {
                get.releaseConnection();
            }
        }
    }
}
