//! Opening a connection in an asynchronous program: one that is released meanwhile is as welcome, and comes sooner.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::engine::GivenUp;
use crate::lease::{Connection, Lease, Vacancy};
use crate::panics::in_drop;
use crate::request::Waiting;

impl<K, C> Lease<K, C> {
    /// The idle connection, or else one that `connect` opens or one that is released before that is done, whichever comes first.
    ///
    /// `connect` is called here, and its future polled by the one returned, as long as nothing is released. Then what it has not
    /// [finished](Connected::unfinished) is the caller's, to go on with or to drop. It keeps its place in every limit as long as it lives.
    ///
    /// From its first poll on the future stands by. Those who wait for a lease come first: only what would become idle is taken, by who
    /// has stood by longest. It is one that is bound to nobody, whatever the request was [bound to](crate::Request::bound_to), and alive
    /// as far as the pool asks; who was given a dead one stands by anew, behind the others.
    ///
    /// What is released for the future is kept for it, also in a pool with [barging](crate::Builder::barging), until it is polled or
    /// dropped: so do one of the two, and lease nothing else meanwhile that has to wait for it. It is not given back where it expires
    /// before that.
    ///
    /// One allocation. The first poll, and the first after something was released, is O(stripes) under a lock of the pool's; any other
    /// clones a waker. Where a million requests wait or stand by already it opens alone.
    ///
    /// # Errors
    ///
    /// The error of `connect`; the right to open is given back then.
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// use std::future::pending;
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let busy = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// let fetch = async {
    ///     // A server that takes its time.
    ///     let connecting = pool.try_lease(&"a")?.or_connect_async(|| pending::<Result<u32, ()>>());
    ///     Connection::keep(busy); // say in another task
    ///     let connected = connecting.await.unwrap();
    ///     assert_eq!(*connected.connection, 7);
    ///     // A task could go on with it, and keep for others what is open then.
    ///     drop(connected.unfinished);
    ///     Connection::keep(connected.connection);
    ///     Ok::<(), leasehold::LeaseError>(())
    /// };
    /// # assert!(pin!(fetch).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    /// assert_eq!((pool.stats().leased, pool.stats().available), (0, 1));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn or_connect_async<F, E>(self, connect: impl FnOnce() -> F) -> Connecting<K, C, F>
    where
        F: Future<Output = Result<C, E>>,
    {
        match self {
            Lease::Connection(connection) => {
                // Before the connection is on its way out, where what this drops could lose it.
                drop(connect);
                Connecting {
                    idle: Some(connection),
                    opening: None,
                    standby: None,
                }
            }
            Lease::Vacancy(vacancy) => {
                let opening = Box::pin(connect());
                Connecting {
                    idle: None,
                    standby: Some(Waiting::standing_by(&vacancy)),
                    opening: Some(Unfinished {
                        opening: Some(opening),
                        vacancy: Some(vacancy),
                    }),
                }
            }
        }
    }
}

/// The future of a connection; see [`Lease::or_connect_async`]. Dropped, it stops connecting, gives its place back and what was released for
/// it, and closes the connection that the lease had, if any.
#[must_use = "futures do nothing unless polled"]
pub struct Connecting<K, C, F> {
    /// The lease had one.
    idle: Option<Connection<K, C>>,
    /// Before what is opened: whoever is granted something while that is dropped is another.
    standby: Option<Waiting<K, C>>,
    opening: Option<Unfinished<K, C, F>>,
}

/// What came of a [`Connecting`].
pub struct Connected<K, C, F> {
    /// The connection to use.
    pub connection: Connection<K, C>,
    /// What is being opened still, where a connection that was released has come first.
    pub unfinished: Option<Unfinished<K, C, F>>,
}

/// The rest of opening a connection that nobody waits for any more: a future of that connection, which is leased once it is open.
///
/// It has its place in every limit until it is dropped, or its connection's lease ends. Dropped, it stops connecting, and its place goes
/// to whoever waits.
#[must_use = "dropping it stops connecting"]
pub struct Unfinished<K, C, F> {
    /// Taken when it is ready, or dropped.
    opening: Option<Pin<Box<F>>>,
    /// Taken when it is ready, else dropped after what was begun.
    vacancy: Option<Vacancy<K, C>>,
}

const READY: &str = "a connection's future was polled after it was ready, or had panicked";

impl<K, C, F> Unpin for Connecting<K, C, F> {}

impl<K, C, F, E> Future for Connecting<K, C, F>
where
    K: Eq + Hash,
    F: Future<Output = Result<C, E>>,
{
    type Output = Result<Connected<K, C, F>, E>;

    /// # Panics
    ///
    /// Where it is polled once more after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let released = this.idle.take().or_else(|| this.poll_released(context));
        if let Some(connection) = released {
            return Poll::Ready(Ok(this.connected(connection)));
        }
        let opening = this.opening.as_mut().expect(READY);
        let opened = ready!(opening.poll_opening(context));
        // Out of its place, and nobody stands by any more, before anything of the caller's is dropped.
        let opening = this.opening.take();
        let released = this.standby.take();
        let released = released.and_then(|mut standby| standby.give_up(GivenUp::Cancelled));
        match opening.expect(READY).finish(opened) {
            Ok(connection) => {
                if let Some(lease) = released {
                    lease.give_back();
                }
                Poll::Ready(Ok(this.connected(connection)))
            }
            Err(error) => match released.map(Lease::usable) {
                Some(Ok(Lease::Connection(connection))) => {
                    Poll::Ready(Ok(this.connected(connection)))
                }
                _ => Poll::Ready(Err(error)),
            },
        }
    }
}

impl<K: Eq + Hash, C, F> Connecting<K, C, F> {
    /// A connection that was released, where one has come.
    fn poll_released(&mut self, context: &mut Context<'_>) -> Option<Connection<K, C>> {
        loop {
            // Out of its place: where its look panics, opening goes on alone.
            let mut standby = self.standby.take()?;
            let Poll::Ready(outcome) = standby.poll(context.waker()) else {
                self.standby = Some(standby);
                return None;
            };
            drop(standby);
            match outcome {
                Ok(Lease::Connection(connection)) => return Some(connection),
                // It was dead. Its place is somebody's who has none, and the next may be alive.
                Ok(Lease::Vacancy(place)) => drop(place),
                // A pool that was shut down lets what is being opened be used; all else that refuses says nothing of it either.
                Err(_) => return None,
            }
            let opening = self.opening.as_ref();
            let vacancy = opening.and_then(|it| it.vacancy.as_ref());
            self.standby = vacancy.map(Waiting::standing_by);
        }
    }
}

impl<K, C, F> Connecting<K, C, F> {
    fn connected(&mut self, connection: Connection<K, C>) -> Connected<K, C, F> {
        Connected {
            connection,
            unfinished: self.opening.take(),
        }
    }
}

impl<K, C, F> Unfinished<K, C, F> {
    fn poll_opening<E>(&mut self, context: &mut Context<'_>) -> Poll<Result<C, E>>
    where
        F: Future<Output = Result<C, E>>,
    {
        self.opening.as_mut().expect(READY).as_mut().poll(context)
    }

    /// Uses the place for what was opened, or gives it back.
    fn finish<E>(&mut self, opened: Result<C, E>) -> Result<Connection<K, C>, E> {
        let vacancy = self.vacancy.take().expect(READY);
        // What was begun is closed before its place is another's.
        drop(self.opening.take());
        opened.map(|connection| vacancy.fill(connection))
    }
}

impl<K, C, F> Drop for Unfinished<K, C, F> {
    fn drop(&mut self) {
        in_drop(|panics| {
            panics.catch(|| drop(self.opening.take()));
        });
    }
}

impl<K, C, F> Unpin for Unfinished<K, C, F> {}

impl<K, C, F, E> Future for Unfinished<K, C, F>
where
    F: Future<Output = Result<C, E>>,
{
    type Output = Result<Connection<K, C>, E>;

    /// # Panics
    ///
    /// Where it is polled once more after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let opened = ready!(self.poll_opening(context));
        Poll::Ready(self.finish(opened))
    }
}

impl<K, C: fmt::Debug, F> fmt::Debug for Connecting<K, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting")
            .field("idle", &self.idle)
            .field("opening", &self.opening)
            .finish_non_exhaustive()
    }
}

impl<K, C: fmt::Debug, F> fmt::Debug for Connected<K, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("connection", &self.connection)
            .field("unfinished", &self.unfinished)
            .finish()
    }
}

impl<K, C, F> fmt::Debug for Unfinished<K, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unfinished")
    }
}
