package io.leasehold;

/**
 * Makes something of leases, as the function that {@link ConnectionPool#tryLeaseFor} is given, and keeps each lease after its end together
 * with its connection, to have it used again when {@link ConnectionPool#tryLeaseAgain} leases that.
 *
 * <p>A lease object stands for one lease at a time, but from the moment in which it ends it may stand for the next one, of another thread.
 * So whoever keeps leases lets nobody else have them, ends each from one thread, and does not look at it afterwards, but for {@link
 * Lease#use}. It is kept so that the connection's present holder alone leads to it while it is leased: who is lost is found by the
 * collection of the lease object.
 *
 * @param <C> the type of the connections
 * @param <T> what it makes
 */
public interface LeaseKeeper<C, T> {
    /**
     * The lease that was kept with a connection. Called outside every lock.
     *
     * @param connection the connection, never null, which is leased at this moment
     * @return the lease that was ended last, or null if it is not there any more
     */
    Lease<C> kept(C connection);

    /**
     * Makes something of a lease that has begun: a vacancy, if its connection was found dead or the pool was shut down at once meanwhile.
     * Called outside every lock. If it throws, the lease is discarded, unless it was ended here: then it is left alone, as it may be
     * another's.
     *
     * @param lease the lease that was kept, or a new one where that was not there; the keeper's to end
     * @return what its user gets
     */
    T apply(Lease<C> lease);
}
