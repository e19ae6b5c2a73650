//! What the functions answer.

use std::ffi::{CStr, c_char};

use leasehold::engine::{NotLeased, Refusal};

/// What a function answers. Numbers below 100 are successes, all others errors. After an error no output was written and,
/// unless the function says otherwise, nothing was changed. A number never changes its meaning.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_status {
    /// Done. Of a lease: it has a connection.
    LH_OK = 0,
    /// Leased, but there is no connection yet. Open one and say lh_lease_opened_socket or lh_lease_opened, or give the right back by
    /// lh_lease_close.
    LH_VACANCY = 1,
    /// The request waits; its callback will be called.
    LH_PENDING = 2,

    /// The limits leave nothing at the moment, or the pool is suspended, and the call was not to wait.
    LH_EXHAUSTED = 100,
    /// Nothing came free in time, or the pool was suspended meanwhile: lh_pool_describe tells.
    LH_TIMED_OUT = 101,
    /// As many requests wait as the pool's max_waiters allows.
    LH_QUEUE_FULL = 102,
    /// The pool was shut down.
    LH_SHUT_DOWN = 103,
    /// The call would have to wait, which a callback must not: what it would wait for may be this very thread's to do.
    LH_IN_CALLBACK = 104,

    /// No pool has this handle: it was destroyed, or never made.
    LH_NO_POOL = 200,
    /// The pool has no such route: it was freed, or belongs to another pool.
    LH_NO_ROUTE = 201,
    /// The pool has no such lease: it was ended before, or revoked by an immediate shutdown, or belongs to another pool.
    LH_NO_LEASE = 202,
    /// No such request waits: its callback was called, or is being called now, or it was cancelled before.
    LH_NO_REQUEST = 203,
    /// No clock has this handle: it was destroyed, or never made.
    LH_NO_CLOCK = 204,
    /// The lease is a vacancy: there is no connection to do this with. Say lh_lease_opened first.
    LH_NO_CONNECTION = 205,
    /// The lease has a connection already. Say lh_lease_replace first to put another in its place.
    LH_HAS_CONNECTION = 206,
    /// The descriptor is closed, or is not a TCP socket's.
    LH_NO_TCP_SOCKET = 207,

    /// A pointer that must not be NULL is.
    LH_NULL_POINTER = 300,
    /// An argument, or a member of an options struct, has a value that means nothing here.
    LH_INVALID_ARGUMENT = 301,
    /// No version of the struct has that size. Options are filled by their init function; statistics are asked for with sizeof.
    LH_BAD_SIZE = 302,

    /// More than 1,024 pools or clocks, or more than a million routes or waiting requests of a pool.
    LH_TOO_MANY = 400,
    /// The system has no thread to give, and what was asked for takes one. It is tried again with each call.
    LH_NO_THREAD = 401,
    /// There is no memory for a copy of what was given.
    LH_NO_MEMORY = 402,

    /// A defect of the library: something in it panicked. The pool may have been shut down by it. See the log.
    LH_PANICKED = 500,
}

pub(crate) use lh_status::*;

/// Every status and its message, in order of number.
const MESSAGES: [(lh_status, &CStr); 23] = [
    (LH_OK, c"done"),
    (LH_VACANCY, c"leased: open a connection"),
    (LH_PENDING, c"the request waits"),
    (
        LH_EXHAUSTED,
        c"every connection that the pool's limits allow is in use, or the pool is suspended",
    ),
    (
        LH_TIMED_OUT,
        c"timed out waiting for a connection from the pool",
    ),
    (
        LH_QUEUE_FULL,
        c"as many requests wait for a connection as the pool allows",
    ),
    (LH_SHUT_DOWN, c"the connection pool was shut down"),
    (LH_IN_CALLBACK, c"a callback must not wait"),
    (LH_NO_POOL, c"no pool has this handle (any more)"),
    (LH_NO_ROUTE, c"the pool has no such route (any more)"),
    (LH_NO_LEASE, c"the pool has no such lease (any more)"),
    (
        LH_NO_REQUEST,
        c"no such request waits in the pool (any more)",
    ),
    (LH_NO_CLOCK, c"no clock has this handle (any more)"),
    (
        LH_NO_CONNECTION,
        c"the lease has no connection yet: say lh_lease_opened first",
    ),
    (
        LH_HAS_CONNECTION,
        c"the lease has a connection already: say lh_lease_replace first",
    ),
    (
        LH_NO_TCP_SOCKET,
        c"the descriptor is closed or not a TCP socket's",
    ),
    (LH_NULL_POINTER, c"a pointer that must not be NULL is NULL"),
    (LH_INVALID_ARGUMENT, c"an argument has a meaningless value"),
    (
        LH_BAD_SIZE,
        c"no version of the struct has that size: use its init function, or sizeof",
    ),
    (
        LH_TOO_MANY,
        c"too many pools, clocks, routes or waiting requests",
    ),
    (
        LH_NO_THREAD,
        c"the system has no thread to give for what was asked for",
    ),
    (
        LH_NO_MEMORY,
        c"there is no memory for a copy of what was given",
    ),
    (
        LH_PANICKED,
        c"a defect of the library: it panicked, see its log",
    ),
];

/// What a status means, in English: one line without a full stop. Never NULL, valid for ever, also for a number that is
/// no status. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_status_message(status: i32) -> *const c_char {
    let known = MESSAGES.iter().find(|(known, _)| *known as i32 == status);
    known
        .map_or(c"not a status", |(_, message)| *message)
        .as_ptr()
}

impl From<Refusal> for lh_status {
    fn from(refusal: Refusal) -> lh_status {
        match refusal {
            Refusal::WouldBlock => LH_EXHAUSTED,
            Refusal::QueueFull => LH_QUEUE_FULL,
            Refusal::TooManyRoutes => LH_TOO_MANY,
            Refusal::ShutDown => LH_SHUT_DOWN,
            Refusal::StaleRoute => LH_NO_ROUTE,
            Refusal::StaleTicket => LH_NO_REQUEST,
            Refusal::StaleHandle => LH_NO_LEASE,
        }
    }
}

impl From<NotLeased> for lh_status {
    fn from(_: NotLeased) -> lh_status {
        LH_NO_LEASE
    }
}
