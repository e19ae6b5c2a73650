//! What the program gets back: a connection that the pool gives up, and why.

use std::ffi::c_void;
use std::os::fd::RawFd;

use leasehold::engine::Cause;

use crate::cells::Kept;

/// Why the pool gives a connection up.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_cause {
    /// Whoever had leased it asked for that: lh_lease_close, lh_lease_replace, or lh_lease_release with 0.
    LH_CAUSE_REQUESTED = 0,
    /// Its keep-alive time or its time to live was over.
    LH_CAUSE_EXPIRED = 1,
    /// It was idle for longer than lh_pool_close_idle allowed.
    LH_CAUSE_IDLE = 2,
    /// It made room for a connection to another route or for another state.
    LH_CAUSE_EVICTED = 3,
    /// A limit was lowered below what was there.
    LH_CAUSE_OVER_LIMIT = 4,
    /// Its peer had closed it, or had sent what nobody asked for: the watch or the probe found out.
    LH_CAUSE_PEER_CLOSED = 5,
    /// Its route was cleared.
    LH_CAUSE_CLEARED = 6,
    /// The pool was shut down.
    LH_CAUSE_SHUT_DOWN = 7,
    /// The pool was shut down immediately, or destroyed, while the connection was leased: another thread may be using it
    /// at this moment.
    LH_CAUSE_REVOKED = 8,
}

impl lh_cause {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            lh_cause::LH_CAUSE_REQUESTED => "requested",
            lh_cause::LH_CAUSE_EXPIRED => "expired",
            lh_cause::LH_CAUSE_IDLE => "idle for too long",
            lh_cause::LH_CAUSE_EVICTED => "evicted",
            lh_cause::LH_CAUSE_OVER_LIMIT => "over a limit",
            lh_cause::LH_CAUSE_PEER_CLOSED => "closed by its peer",
            lh_cause::LH_CAUSE_CLEARED => "its route was cleared",
            lh_cause::LH_CAUSE_SHUT_DOWN => "the pool was shut down",
            lh_cause::LH_CAUSE_REVOKED => "the pool was shut down while it was leased",
        }
    }
}

impl From<Cause> for lh_cause {
    fn from(cause: Cause) -> lh_cause {
        match cause {
            Cause::Requested => lh_cause::LH_CAUSE_REQUESTED,
            Cause::Expired => lh_cause::LH_CAUSE_EXPIRED,
            Cause::Idle => lh_cause::LH_CAUSE_IDLE,
            Cause::Evicted => lh_cause::LH_CAUSE_EVICTED,
            Cause::OverLimit => lh_cause::LH_CAUSE_OVER_LIMIT,
            Cause::PeerClosed => lh_cause::LH_CAUSE_PEER_CLOSED,
            Cause::Cleared => lh_cause::LH_CAUSE_CLEARED,
            Cause::ShutDown => lh_cause::LH_CAUSE_SHUT_DOWN,
        }
    }
}

/// Gets a connection that the pool gives up, once for each, whatever the reason: close it and free what belongs to it.
///
/// `data` is what lh_lease_opened or lh_lease_set_data said last. The pool watches its socket no longer.
///
/// Called on the thread whose call brought it about, before that call returns; or on a thread of the library's own that does
/// nothing else, for what the watch found closed by its peer, for what evict_expired and evict_idle_ms are about and, with
/// `dispose_apart`, for all. There they come one after the other. A connection that is not disposed of within a second has its
/// socket, if the pool was given it, shut down, which ends what reads or writes on it, and another thread goes on with the
/// others; while 16 disposals hang that nothing ends, others wait. No lock is held in any case, and whoever waits for the
/// connection's place is told before, so a close that hangs delays no lease of another thread. A limit is what the pool counts,
/// and what it disposes of is not counted any more: a server may briefly see one connection more for each that is still closing.
/// Where the system has no thread to give it is called as without `dispose_apart`; for what the library's own thread found that is
/// tried again, and after a second called there. Threads of the library's own block every signal, as does what is started on them,
/// by a fork or otherwise: a fault there ends the process without a handler.
///
/// A socket that is to linger does so only where the callback closes it on the program's own thread.
///
/// It may call the pool's functions, with two exceptions: a lease that would have to wait, and lh_pool_destroy, are refused with
/// LH_IN_CALLBACK.
/// Callbacks never nest: what its own calls bring about is delivered after it has returned. It must return normally: no
/// longjmp, no C++ exception, no pthread_exit.
pub type lh_dispose_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, data: *mut c_void, cause: lh_cause)>;

/// A connection that the pool has given up.
pub(crate) struct Disposal {
    pub(crate) data: *mut c_void,
    pub(crate) cause: lh_cause,
    pub(crate) socket: Option<RawFd>,
}

// SAFETY: the program gave the data for use on any thread; here it is only passed on.
unsafe impl Send for Disposal {}

impl Disposal {
    pub(crate) fn new(connection: Kept, cause: lh_cause) -> Self {
        Disposal {
            data: connection.data,
            cause,
            socket: connection.socket.map(|socket| socket.descriptor),
        }
    }
}
