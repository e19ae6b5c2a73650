/**
 * Connection managers for Apache Commons HttpClient 3.1 that keep their connections in a Leasehold pool.
 *
 * <p>{@link io.leasehold.httpclient3.LeaseholdHttpConnectionManager} takes the place of
 * {@code SimpleHttpConnectionManager}, {@link io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager} that of
 * {@code MultiThreadedHttpConnectionManager}. Each extends the class it replaces. One line changes every later
 * {@code new HttpClient()}:
 * <pre>{@code
 * LeaseholdHttpConnectionManager.useByDefault();
 * }</pre>
 */
package io.leasehold.httpclient3;
