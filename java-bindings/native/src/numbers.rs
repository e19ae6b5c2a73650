//! The engine's ids and slots as Java's numbers, and back: the one place where the types of the one end and begin.
//!
//! Java may send any number. An id of no pool is refused by the engine, and under a slot that there is not it finds nothing.

use jni::sys::{jint, jlong};
use leasehold::engine::{Handle, Numbered, RouteId, Slot, StateId, Ticket};

#[inline]
pub(crate) fn handle(number: jlong) -> Handle {
    Handle::from_u64(number as u64)
}

#[inline]
pub(crate) fn route_id(number: jlong) -> RouteId {
    RouteId::from_u64(number as u64)
}

#[inline]
pub(crate) fn ticket(number: jlong) -> Ticket {
    Ticket::from_u64(number as u64)
}

#[inline]
pub(crate) fn state(number: jint) -> StateId {
    StateId(number as u32)
}

#[inline]
pub(crate) fn slot(number: jint) -> Slot {
    Slot::of(number as u32)
}

#[inline]
pub(crate) fn of_handle(handle: Handle) -> jlong {
    handle.to_u64() as jlong
}

#[inline]
pub(crate) fn of_route(route: RouteId) -> jlong {
    route.to_u64() as jlong
}

#[inline]
pub(crate) fn of_ticket(ticket: Ticket) -> jlong {
    ticket.to_u64() as jlong
}

#[inline]
pub(crate) fn of_slot(slot: Slot) -> jint {
    slot.number() as jint
}
