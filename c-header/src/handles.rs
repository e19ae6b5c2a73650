//! What a program names its objects by: numbers, which are looked up before anything is done. Pools and clocks are found in a
//! table, all else by the engine of a pool.

use leasehold::engine::{Handle, RouteId, Ticket};

/// A pool. The handle with id 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_pool {
    /// For comparing and storing only.
    pub id: u64,
}

/// A route of a pool: what a connection goes to, such as a scheme, host and port. The handle with id 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_route {
    /// For comparing and storing only. Routes of one pool made of equal bytes have equal ids as long as one is held.
    pub id: u64,
}

impl From<RouteId> for lh_route {
    fn from(id: RouteId) -> lh_route {
        lh_route { id: id.to_u64() }
    }
}

impl lh_route {
    pub(crate) fn to_id(self) -> RouteId {
        RouteId::from_u64(self.id)
    }
}

/// A lease of a pool: the right to use a connection, or to open one. It ends once; the handle is dead then. It may be
/// passed from thread to thread, but is used by one at a time. The handle with id 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_lease {
    /// For comparing and storing only.
    pub id: u64,
}

impl From<Handle> for lh_lease {
    fn from(handle: Handle) -> lh_lease {
        lh_lease {
            id: handle.to_u64(),
        }
    }
}

impl lh_lease {
    pub(crate) fn to_handle(self) -> Handle {
        Handle::from_u64(self.id)
    }
}

/// A request that waits for a lease. The handle with id 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_request {
    /// For comparing and storing only.
    pub id: u64,
}

impl From<Ticket> for lh_request {
    fn from(ticket: Ticket) -> lh_request {
        lh_request {
            id: ticket.to_u64(),
        }
    }
}

impl lh_request {
    pub(crate) fn to_ticket(self) -> Ticket {
        Ticket::from_u64(self.id)
    }
}

/// A clock that stands still until it is moved, for tests of programs that use a pool. The handle with id 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_clock {
    /// For comparing and storing only.
    pub id: u64,
}
