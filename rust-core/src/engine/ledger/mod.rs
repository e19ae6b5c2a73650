//! What the coordinator's lock guards: limits, counts, the queue of waiters and the expiry heap of one pool. Plain data, which a
//! [step](super::coordinator) of the coordinator reads and writes.

mod heap;
mod records;
mod routes;
mod sums;
mod tickets;

use std::collections::{BTreeSet, VecDeque};

use super::histogram::Histogram;
use super::id::{Numbered, RouteSlot, Slot};
use super::segments::CAPACITY;

pub(super) use heap::ExpiryHeap;
pub(super) use records::Records;
pub(super) use routes::{Queue, RouteRecord};
pub(super) use sums::Sums;
pub(super) use tickets::{AnswerCell, Tickets, is_awaited};

/// What the coordinator's lock guards.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) total: u32,
    pub(super) max_total: u32,
    pub(super) default_max: u32,
    /// Nobody is given anything: whoever asks waits. A flag of the pool's keeps hits off meanwhile.
    pub(super) is_suspended: bool,
    pub(super) tickets: Tickets,
    pub(super) heap: ExpiryHeap,
    pub(super) routes: Records<RouteSlot, RouteRecord>,
    pub(super) free_routes: Vec<RouteSlot>,
    /// Routes that had neither entries nor waiters when they were put here, the longest there first.
    pub(super) reclaimable: VecDeque<RouteSlot>,
    /// Routes whose head could be served but for the total limit, by the head's place in the order of arrival.
    pub(super) eligible: BTreeSet<(u64, RouteSlot)>,
    pub(super) free_slots: Vec<Slot>,
    /// The number of the first that was never given out.
    pub(super) next_slot: u32,
    /// When a step looks next whether callers still collide.
    pub(super) next_look: u64,
    /// How many slots there are. Only tests have fewer than ids can tell apart.
    pub(super) slots: u32,
    /// What has become of requests, and of entries that are gone.
    pub(super) sums: Sums,
    /// How long requests waited that wait no more.
    pub(super) waiting: Histogram,
    /// How long connections were held whose leases ended here.
    pub(super) held: Histogram,
}

impl Ledger {
    pub(super) fn new(max_total: u32, default_max: u32) -> Self {
        Ledger {
            total: 0,
            max_total,
            default_max,
            is_suspended: false,
            tickets: Tickets::default(),
            heap: ExpiryHeap::default(),
            routes: Records::default(),
            free_routes: Vec::new(),
            reclaimable: VecDeque::new(),
            eligible: BTreeSet::new(),
            free_slots: Vec::new(),
            next_slot: 0,
            next_look: 0,
            slots: CAPACITY,
            sums: Sums::default(),
            waiting: Histogram::default(),
            held: Histogram::default(),
        }
    }

    pub(super) fn max_of(&self, route: RouteSlot) -> u32 {
        self.routes[route].limit.unwrap_or(self.default_max)
    }

    pub(super) fn has_room(&self, route: RouteSlot) -> bool {
        self.has_room_in_total() && self.routes[route].allocated < self.max_of(route)
    }

    /// A victim's slot is free again. True where somebody waits for just that.
    pub(super) fn free_slot(&mut self, slot: Slot) -> bool {
        let is_waited_for = self.lacks_only_a_slot() && !self.eligible.is_empty();
        self.free_slots.push(slot);
        is_waited_for
    }

    pub(super) fn has_slot(&self) -> bool {
        !self.free_slots.is_empty() || self.next_slot < self.slots
    }

    /// A slot that is nobody's. There is one: [`has_slot`](Self::has_slot) was asked.
    pub(super) fn take_slot(&mut self) -> Slot {
        debug_assert!(self.has_slot(), "room was asked for");
        self.free_slots.pop().unwrap_or_else(|| {
            self.next_slot += 1;
            Slot::of(self.next_slot - 1)
        })
    }

    pub(super) fn has_room_in_total(&self) -> bool {
        self.total < self.max_total && self.has_slot()
    }

    /// The limit leaves room, but victims that were not acknowledged yet have all slots.
    pub(super) fn lacks_only_a_slot(&self) -> bool {
        self.total < self.max_total && !self.has_slot()
    }
}
