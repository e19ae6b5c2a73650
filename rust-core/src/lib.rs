//! A connection pool: which connection a caller gets, when one may be opened and when one must go.
//!
//! A lease is a guard, and the guard wants a word at its end: [`Connection::keep(guard)`](Connection::keep),
//! [`keep_for`](Connection::keep_for) or [`close`](Connection::close), which are called so, as functions, since a method of the
//! guard's would hide the connection's own of that name. **Dropped without a word it closes the connection.** Most pools do the
//! opposite; but what a `?` or a panic drops in the middle of an exchange is a connection with half an answer on it, and the next
//! user would read the other half. Forgetting to say `keep` costs a connection, and shows in the numbers; the reverse mistake
//! shows in somebody else's data. The compiler warns of a guard that nobody uses.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::time::Duration;
//! use leasehold::{Connection, Pool, Reuse, Watching};
//!
//! # let server = TcpListener::bind("127.0.0.1:0")?;
//! # let address = server.local_addr()?;
//! # std::thread::spawn(move || {
//! #     let (mut peer, _) = server.accept().unwrap();
//! #     let mut request = [0; 64];
//! #     while peer.read(&mut request).unwrap_or(0) > 0 {
//! #         peer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
//! #     }
//! # });
//! // Both: what the server closes is closed here at once, and a lease asks once more.
//! let pool: Pool<std::net::SocketAddr, TcpStream> = Pool::builder().max_per_route(32).watch(Watching::Both).build();
//!
//! for _ in 0..3 {
//!     // An idle connection if there is one, else the right to open one, else wait.
//!     let mut connection = pool.lease(&address, Duration::from_secs(3))?.or_connect(|| TcpStream::connect(address))?;
//!     connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
//!     let mut answer = [0; 64];
//!     let length = connection.read(&mut answer)?;
//!     assert!(answer[..length].starts_with(b"HTTP/1.1 204"));
//!     Connection::release(connection, Reuse::of_http1(1, None, Some("timeout=5")));
//! }
//! assert_eq!(pool.stats().available, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it promises:
//!
//! - **Limits are strict**, per route and in total: leased, idle and being opened together never exceed them. What the pool has
//!   given up is not counted, and who waits is told before it is dropped: a server may briefly see one connection more for each
//!   whose drop has not come to its end.
//! - **Waiting is fair**: one order of arrival for the whole pool. Timeouts, dropped futures and shutdown lose nothing.
//! - **A hit is cheap**: one short lock among several, no count touched.
//! - **It does no I/O**: opening, TLS and HTTP are yours. Connections are dropped with no lock held.
//! - **A panic of yours costs what panicked**, in a handler that holds a lease, in a connection's drop, a key, a waker or a
//!   logger: what was granted goes back, others are told, and the panic goes on to whose call it was. Where several come at
//!   once, or the thread unwinds already, the others are logged at error.
//! - **What its peer has closed is neither handed out nor kept open**, where connections are [`AsFd`](std::os::fd::AsFd)
//!   and you say [`watch`](Builder::watch): an idle one is closed at once, and a lease asks once more.
//! - **It starts no thread of its own accord**: blocking leases time out in their own thread, asynchronous ones by your
//!   executor's timer, and expired connections are met at the lease or by [`close_expired`](Pool::close_expired).
//!   What needs one (the [watch](Builder::watch), eviction [of expired](Builder::evict_expired) and
//!   [of idle](Builder::evict_idle) connections, [deadlines](Request::lease_async_within) of asynchronous leases,
//!   [closing aside](Builder::close_aside)) shares one housekeeper among all pools of the process, beside which another
//!   thread closes what it removes, and all connections where you ask for that; they end with the last pool that uses them.
//!
//! Two features are on unless they are left out: `watch`, all that is done with sockets, and `log`, the lines about what is closed and
//! what went wrong, by the `log` crate. A third, `metrics`, hands the pool's numbers to the crate of that name:
//! see `Pool::publisher`.
//!
//! What no pool can do: a server may close a connection while a request travels on it. A retry stays needed.

// All that follows is left out then, so that this is the only error.
#[cfg(not(unix))]
compile_error!(
    "leasehold needs a Unix: it asks the system about connections by their file descriptors, and knows no other way"
);

#[cfg(unix)]
mod builder;
#[cfg(unix)]
mod cells;
#[cfg(unix)]
mod connecting;
#[cfg(unix)]
mod deadlines;
#[doc(hidden)]
#[cfg(unix)]
pub mod engine;
#[cfg(unix)]
mod error;
#[doc(hidden)]
#[cfg(unix)]
pub mod face;
#[cfg(unix)]
mod fork;
#[cfg(unix)]
mod held;
#[cfg(unix)]
mod housekeeper;
#[cfg(unix)]
mod interner;
#[cfg(unix)]
mod lease;
#[cfg(unix)]
mod locks;
#[cfg(unix)]
mod logging;
#[cfg(unix)]
mod panics;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod pool;
#[cfg(all(unix, feature = "metrics"))]
mod publisher;
#[cfg(unix)]
mod request;
#[cfg(unix)]
mod reuse;
#[cfg(unix)]
mod route;
#[cfg(unix)]
mod sharded_lock;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
mod shares;
#[cfg(unix)]
mod situation;
#[cfg(all(unix, not(feature = "watch")))]
#[path = "no_socket.rs"]
mod socket;
#[cfg(all(unix, feature = "watch"))]
pub mod socket;
#[cfg(unix)]
mod state;
#[cfg(unix)]
mod watch;
#[cfg(unix)]
#[cfg_attr(not(feature = "watch"), allow(dead_code, unreachable_pub))]
mod watching;

#[cfg(unix)]
pub use builder::Builder;
#[cfg(unix)]
pub use connecting::{Connected, Connecting, Unfinished};
#[cfg(unix)]
pub use engine::{
    Clock, Counters, Histogram, HistogramRange, ManualClock, Metrics, Policy, Stats, Use,
};
#[cfg(unix)]
pub use error::LeaseError;
#[cfg(unix)]
pub use lease::{Connection, Lease, Vacancy};
#[cfg(unix)]
pub use pool::{Entry, Pool};
#[cfg(all(unix, feature = "metrics"))]
pub use publisher::Publisher;
#[cfg(unix)]
pub use request::{LeaseFuture, Request};
#[cfg(unix)]
pub use reuse::Reuse;
#[cfg(unix)]
pub use route::Route;
#[cfg(unix)]
pub use situation::Situation;
#[cfg(unix)]
pub use state::State;
#[cfg(all(unix, feature = "watch"))]
pub use watching::Watching;
