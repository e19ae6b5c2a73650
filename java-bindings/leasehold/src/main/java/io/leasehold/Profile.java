package io.leasehold;

/** The constants in which the generations of Apache HttpClient differ. */
public enum Profile {
    /** No limits unless set; one order of arrival for all routes; ending a lease twice is an error. */
    DEFAULT(Integer.MAX_VALUE, Integer.MAX_VALUE),
    /**
     * As HttpClient 3.1's {@code MultiThreadedHttpConnectionManager}: 2 connections a route and 20 in total unless set;
     * a released connection serves the waiters of its own route first; ending a lease twice does nothing.
     */
    HTTPCLIENT_3(2, 20),
    /**
     * As HttpClient 4.5's {@code PoolingHttpClientConnectionManager}: 2 connections a route and 20 in total unless set;
     * one order of arrival for all routes; ending a lease twice does nothing.
     */
    HTTPCLIENT_4(2, 20);

    final int maxPerRoute;
    final int maxTotal;

    Profile(int maxPerRoute, int maxTotal) {
        this.maxPerRoute = maxPerRoute;
        this.maxTotal = maxTotal;
    }
}
