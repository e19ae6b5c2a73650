package io.leasehold;

/** The constants in which the generations of Apache HttpClient differ. */
public enum Profile {
    /** No limits unless set; one order of arrival for all routes; ending a lease twice is an error. */
    DEFAULT(Integer.MAX_VALUE, Integer.MAX_VALUE, true, false),
    /**
     * As HttpClient 3.1's {@code MultiThreadedHttpConnectionManager}: 2 connections a route and 20 in total unless set;
     * a released connection serves the waiters of its own route first; ending a lease twice does nothing.
     */
    HTTPCLIENT_3(2, 20, false, true),
    /**
     * As HttpClient 4.5's {@code PoolingHttpClientConnectionManager}: 2 connections a route and 20 in total unless set;
     * one order of arrival for all routes; ending a lease twice does nothing.
     */
    HTTPCLIENT_4(2, 20, false, false);

    final int maxPerRoute;
    final int maxTotal;
    /** Ending a lease twice is an error. */
    final boolean strict;
    /** A released connection serves the waiters of its own route first. */
    final boolean ownRouteFirst;

    Profile(int maxPerRoute, int maxTotal, boolean strict, boolean ownRouteFirst) {
        this.maxPerRoute = maxPerRoute;
        this.maxTotal = maxTotal;
        this.strict = strict;
        this.ownRouteFirst = ownRouteFirst;
    }
}
