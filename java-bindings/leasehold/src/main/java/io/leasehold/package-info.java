/**
 * A connection pool for any kind of connection, kept by a native engine.
 *
 * <p>{@link io.leasehold.ConnectionPool} decides which connection a caller gets, when one may be opened and when one
 * must go; opening, reading and writing stay with its user. {@link io.leasehold.Leasehold#isAvailable()} says whether
 * the native library can be had on this machine.
 */
package io.leasehold;
