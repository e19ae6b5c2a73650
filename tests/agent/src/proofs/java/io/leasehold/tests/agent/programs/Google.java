package io.leasehold.tests.agent.programs;

import com.google.api.client.http.ByteArrayContent;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpRequestFactory;
import com.google.api.client.http.apache.v2.ApacheHttpTransport;

/** google-http-client on its transport for HttpClient 4.5. */
public final class Google {
    private Google() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        HttpRequestFactory requests = new ApacheHttpTransport().createRequestFactory();
        Load.run(() -> Load.expect("hello",
                requests.buildPostRequest(new GenericUrl(args[0] + "/post"), ByteArrayContent.fromString("text/plain", "body")).execute()
                        .parseAsString()));
    }
}
