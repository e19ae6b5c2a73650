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
    /// It was idle for as long as lh_pool_close_idle or evict_idle_ms said.
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
/// `data` is what lh_lease_opened or lh_lease_set_data said last. The pool watches its socket no longer. No lock is held.
///
/// The thread. It is called on the thread whose call brought it about, before that call returns. It is called on a thread of the
/// library's own for what the watch found closed by its peer, for what evict_expired and evict_idle_ms are about and, with
/// `dispose_apart`, for everything. Where the system has no thread to give, calls of the program dispose as without `dispose_apart`.
/// What the library's first thread found is tried again, and after a second disposed of on that thread. Threads of the library's own
/// block every signal, and so does what is started on them, by a fork or otherwise: a fault there ends the process without a handler.
///
/// How long it may take. Whoever waits for the connection's place is told before, so a close that hangs delays no lease of another
/// thread. On threads of the library's own disposals come one after the other. After a second there, the socket of a connection is shut
/// down, if the pool was given it, which ends what reads or writes on it, and another thread goes on with the others. While 16 disposals
/// hang all the same, others wait. A socket lingers only where the callback closes it on the program's own thread.
///
/// Limits. What is disposed of is not counted any more. So for each connection that is still closing a server may briefly see one more
/// than the limit.
///
/// What it may do. It may call the pool's functions. A lease that would have to wait, lh_pool_drain and lh_pool_destroy are refused with
/// LH_IN_CALLBACK. Callbacks never nest: what its own calls bring about is delivered after it has returned. It must return normally: no
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
