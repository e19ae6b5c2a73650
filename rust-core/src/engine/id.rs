//! Handles, route ids and tickets: a pool's tag, a slot and a generation in one number. And the slots themselves, of three types, so that
//! none is taken for another's.
//!
//! The tag tells pools apart, the generation tells the uses of a slot apart, so a stale or foreign number is noticed
//! and never touches what now lives in the slot.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

const TAG_BITS: u32 = 11;
const SLOT_BITS: u32 = 20;
const GENERATION_BITS: u32 = 32;

/// Tags are given out in turn, so two pools share one only when 2046 others were made between them.
/// Zero is left out: no id is ever the number 0.
pub(super) fn next_tag() -> u32 {
    // Written by whoever makes a pool. A plain atomic even under a model checker: it orders nothing.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    1 + NEXT.fetch_add(1, Ordering::Relaxed) % ((1 << TAG_BITS) - 1)
}

#[inline]
fn pack(tag: u32, slot: u32, generation: u32) -> u64 {
    debug_assert!(tag >> TAG_BITS == 0 && slot >> SLOT_BITS == 0);
    u64::from(tag) << (SLOT_BITS + GENERATION_BITS)
        | u64::from(slot) << GENERATION_BITS
        | u64::from(generation)
}

/// What is found by its number in arrays: a slot.
pub trait Numbered: Copy {
    /// The slot of this number. Where a pool has none of that number, its calls find nothing there.
    fn of(number: u32) -> Self;

    /// Its number: for a binding to another language, and for arrays.
    fn number(self) -> u32;
}

macro_rules! slot {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl Numbered for $name {
            #[inline(always)]
            fn of(number: u32) -> Self {
                $name(number)
            }

            #[inline(always)]
            fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

slot! {
    /// An entry's index: under it a face keeps the connection.
    Slot
}
slot! {
    /// A route's index: under it a face keeps the key.
    RouteSlot
}
slot! {
    /// A ticket's index: under it a face keeps how to tell who waits.
    TicketSlot
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident in $slot:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            #[inline]
            pub(super) fn new(tag: u32, slot: $slot, generation: u32) -> Self {
                $name(pack(tag, slot.number(), generation))
            }

            /// The id as a number, positive also as an `i64`; for bindings to other languages.
            #[inline]
            pub fn to_u64(self) -> u64 {
                self.0
            }

            /// The id that [`to_u64`](Self::to_u64) gave. Any other number is an id that no call accepts.
            #[inline]
            pub fn from_u64(number: u64) -> Self {
                $name(number)
            }

            /// The tag of the pool it belongs to.
            #[inline]
            pub fn tag(self) -> u32 {
                (self.0 >> (SLOT_BITS + GENERATION_BITS)) as u32
            }

            /// The index under which a face keeps what belongs to it; reused once the id is dead.
            #[inline]
            pub fn slot(self) -> $slot {
                $slot::of((self.0 >> GENERATION_BITS) as u32 & ((1 << SLOT_BITS) - 1))
            }

            #[inline]
            pub(super) fn generation(self) -> u32 {
                self.0 as u32
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({}:{}.{})", stringify!($name), self.tag(), self.slot(), self.generation())
            }
        }
    };
}

id! {
    /// One lease of one entry. It dies when the lease ends.
    Handle in Slot
}
id! {
    /// What a connection goes to. It dies when the route had neither entries nor waiters and was reclaimed.
    RouteId in RouteSlot
}
id! {
    /// One lease request that waits. It dies when its answer was taken or it was cancelled.
    Ticket in TicketSlot
}

/// Who a connection is bound to, as a number that the face gave out for the user's own value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct StateId(pub u32);

impl StateId {
    /// Bound to nobody: fit for every request.
    pub const NONE: StateId = StateId(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_back_and_the_number_is_positive() {
        let slot = Slot::of((1 << SLOT_BITS) - 1);
        let handle = Handle::new((1 << TAG_BITS) - 1, slot, u32::MAX);
        assert_eq!(handle.tag(), (1 << TAG_BITS) - 1);
        assert_eq!(handle.slot(), slot);
        assert_eq!(handle.generation(), u32::MAX);
        assert!(handle.to_u64() as i64 > 0);
        assert_eq!(Handle::from_u64(handle.to_u64()), handle);
    }

    #[test]
    fn tags_are_never_zero() {
        assert!((0..5000).all(|_| next_tag() != 0));
    }
}
