package io.leasehold.tests.demo;

import java.io.IOException;

/** A connection manager with a client on it, of whatever HttpClient, for requests that are never sent twice. */
interface Sender {
    /**
     * Sends a GET, or a POST if there is a body, and reads the answer to its end.
     *
     * @param saysGoodbye whether the request has the header {@code Connection: close}
     * @return the status and, after a blank, the answer's body
     */
    String send(String url, String body, boolean saysGoodbye) throws IOException;

    /** Closes all connections that are idle. */
    void closeIdle();

    /** Shuts the manager down. What is sent afterwards is sent over one like it, where a manager is of no use any more. */
    void shutdown() throws IOException;
}
