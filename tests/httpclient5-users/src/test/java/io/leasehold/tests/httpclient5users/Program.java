package io.leasehold.tests.httpclient5users;

import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.pool.ConnPoolControl;

/** A running program that sends requests to one URL through a framework, on a manager that it has given to it. */
interface Program extends AutoCloseable {
    /** The manager that it has made. */
    ConnPoolControl<HttpRoute> manager();

    /** The body of the response to a POST without a body: a request that nothing sends again if its connection fails. */
    String post() throws Exception;

    /** Ends as such a program ends, which closes the manager. */
    @Override
    void close() throws Exception;
}
