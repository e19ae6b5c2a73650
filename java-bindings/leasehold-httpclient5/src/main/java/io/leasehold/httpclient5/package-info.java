/**
 * Connection managers for Apache HttpClient 5.2 and later, and the pool that they are made of, which keep their connections in a Leasehold
 * pool.
 *
 * <p>{@link io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager} takes the place of {@code PoolingHttpClientConnectionManager},
 * which it extends:
 * <pre>{@code
 * CloseableHttpClient client = HttpClients.custom()
 *         .setConnectionManager(LeaseholdHttpClientConnectionManagerBuilder.create().setMaxConnPerRoute(20).build())
 *         .build();
 * }</pre>
 *
 * <p>{@link io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager} takes that of {@code PoolingAsyncClientConnectionManager} in
 * the same way, from 5.4 on.
 *
 * <p>{@link io.leasehold.httpclient5.LeaseholdConnPool} takes the place of {@code StrictConnPool}, wherever a {@code ManagedConnPool} is
 * taken.
 */
package io.leasehold.httpclient5;
