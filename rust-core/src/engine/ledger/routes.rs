//! What is kept of each route under the coordinator: its count, its limit and its queue.

use super::sums::Sums;
use crate::engine::id::TicketSlot;

/// The half of a route under the coordinator.
#[derive(Debug, Default)]
pub(in crate::engine) struct RouteRecord {
    pub(in crate::engine) generation: u32,
    /// Entries of it: leased, idle and being opened.
    pub(in crate::engine) allocated: u32,
    /// Its own limit, where one was set. Such a route is never reclaimed.
    pub(in crate::engine) limit: Option<u32>,
    /// Its waiters, linked through the tickets' records.
    pub(in crate::engine) queue: Queue,
    /// Its requests that stand by, linked likewise.
    pub(in crate::engine) standby: Queue,
    /// Its key in the set of routes that wait for the total only.
    pub(in crate::engine) eligible: Option<u64>,
    /// How many hold its id and rely on it. Such a route is never reclaimed.
    pub(in crate::engine) holders: u32,
    /// It stands in the list of routes to reclaim.
    pub(in crate::engine) reclaimable: bool,
    pub(in crate::engine) clearing: bool,
    pub(in crate::engine) stateful: bool,
    /// What has become of its requests, and of entries of it that are gone, since it came to be known.
    pub(in crate::engine) sums: Sums,
}

/// First come, first served.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Queue {
    pub(in crate::engine) head: Option<TicketSlot>,
    pub(in crate::engine) tail: Option<TicketSlot>,
    /// How many of them wait; the one that this step has put there is not counted yet.
    pub(in crate::engine) waiting: u32,
}
