/**
 * A connection pool for Apache HttpCore and HttpClient 5.x that keeps its connections in a Leasehold pool.
 *
 * <p>{@link io.leasehold.httpclient5.LeaseholdConnPool} takes the place of {@code StrictConnPool}, wherever a {@code ManagedConnPool} is
 * taken.
 */
package io.leasehold.httpclient5;
