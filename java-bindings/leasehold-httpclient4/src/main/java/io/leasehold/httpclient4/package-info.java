/**
 * A connection manager for Apache HttpClient 4.5 that keeps its connections in a Leasehold pool.
 *
 * <p>{@link io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager} takes the place of
 * {@code PoolingHttpClientConnectionManager}, which it extends:
 * <pre>{@code
 * CloseableHttpClient client = HttpClients.custom()
 *         .setConnectionManager(new LeaseholdHttpClientConnectionManager())
 *         .build();
 * }</pre>
 */
package io.leasehold.httpclient4;
