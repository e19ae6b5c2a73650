//! Routes held by their users.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::RouteId;
use crate::error::LeaseError;
use crate::held::HeldRoute;
use crate::lease::Lease;
use crate::request::{LeaseFuture, Request};
use crate::shares::Shares;

/// A route to lease from again and again, made by [`Pool::route`](crate::Pool::route).
///
/// Leases by it look no key up, and the pool does not forget the route as long as it is held, by a clone or by a future of its making.
/// Clones cost a count.
///
/// ```
/// use leasehold::{Connection, Pool};
///
/// let pool: Pool<&str, u32> = Pool::new();
/// let route = pool.route(&"a")?;
/// for _ in 0..3 {
///     Connection::keep(route.try_lease()?.or_connect(|| Ok::<_, ()>(7)).unwrap());
/// }
/// assert_eq!(pool.stats().available, 1);
/// # Ok::<(), leasehold::LeaseError>(())
/// ```
pub struct Route<K, C> {
    shared: Arc<Shares<K, C>>,
    id: RouteId,
    held: Arc<HeldRoute<K, C>>,
}

impl<K: Eq + Hash + Clone, C> Route<K, C> {
    pub(crate) fn hold(shared: &Arc<Shares<K, C>>, key: &K) -> Result<Self, LeaseError> {
        let held = HeldRoute::new(shared, key)?;
        Ok(Route {
            shared: Arc::clone(shared),
            id: held.id,
            held: Arc::new(held),
        })
    }

    /// A request for a connection of this route, to say more about than the shorthands below can; see
    /// [`Pool::request`](crate::Pool::request).
    #[track_caller]
    pub fn request(&self) -> Request<'_, K, C> {
        Request::of_route(&self.shared, self.id, &self.held)
    }

    /// See [`Pool::try_lease`](crate::Pool::try_lease).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn try_lease(&self) -> Result<Lease<K, C>, LeaseError> {
        self.request().try_lease()
    }

    /// See [`Pool::lease`](crate::Pool::lease).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn lease(&self, timeout: Duration) -> Result<Lease<K, C>, LeaseError> {
        self.request().lease(timeout)
    }

    /// See [`Pool::lease_async`](crate::Pool::lease_async). The future holds the route by itself.
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let route = pool.route(&"a")?;
    /// let fetch = async {
    ///     let Lease::Vacancy(vacancy) = route.lease_async().await? else { panic!("nothing is idle yet") };
    ///     Connection::keep(vacancy.fill(7));
    ///     Ok::<(), leasehold::LeaseError>(())
    /// };
    /// # assert!(pin!(fetch).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    #[track_caller]
    pub fn lease_async(&self) -> LeaseFuture<K, C> {
        self.request().lease_async()
    }
}

impl<K, C> Clone for Route<K, C> {
    fn clone(&self) -> Self {
        Route {
            shared: Arc::clone(&self.shared),
            id: self.id,
            held: Arc::clone(&self.held),
        }
    }
}

impl<K, C> fmt::Debug for Route<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.id).finish()
    }
}
