//! Who holds each lease, as far as a face is told: for listings, and for who has waited in vain.
//!
//! It is noted by the lease's holder, under no lock, and read by anybody. A note has the number of its lease, so that nothing has to be wiped
//! out when that ends: a later lease of the same slot has another. The order of steps: who notes takes the number away first, then writes
//! whose lease it is, then the number; who reads looks at the number before and after. So nobody is told for a lease that he does not hold.

use crate::engine::{Handle, Segments, Slot};
// Plain atomics even under a model checker: nothing is decided by what they hold.
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

/// Who holds the leases of one pool.
pub struct Holders<T> {
    notes: Segments<Slot, Note<T>>,
}

struct Note<T> {
    // ----- written by who holds the slot's lease, under no lock -----
    lease: AtomicU64,
    holder: AtomicPtr<T>,
}

/// The number of no lease: handles have their pool's tag, which is never 0.
const NONE: u64 = 0;

impl<T> Default for Note<T> {
    fn default() -> Self {
        Note {
            lease: AtomicU64::new(NONE),
            holder: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

impl<T> Default for Holders<T> {
    fn default() -> Self {
        Holders {
            notes: Segments::new(),
        }
    }
}

impl<T> Holders<T> {
    /// Notes who holds a live lease; said by its holder alone.
    pub fn note(&self, lease: Handle, holder: *const T) {
        let note = self.notes.grow_to(lease.slot());
        note.lease.store(NONE, Ordering::Relaxed);
        fence(Ordering::Release);
        note.holder.store(holder.cast_mut(), Ordering::Relaxed);
        note.lease.store(lease.to_u64(), Ordering::Release);
    }

    /// What was last noted of a lease; null for nothing.
    pub fn of(&self, lease: Handle) -> *const T {
        let Some(note) = self.notes.get(lease.slot()) else {
            return ptr::null();
        };
        let is_its = |ordering| note.lease.load(ordering) == lease.to_u64();
        if !is_its(Ordering::Acquire) {
            return ptr::null();
        }
        let holder = note.holder.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        match is_its(Ordering::Relaxed) {
            true => holder,
            false => ptr::null(),
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    fn lease(number: u32) -> Handle {
        Handle::from_u64(1 << 52 | 3 << 32 | u64::from(number))
    }

    #[test]
    fn what_was_noted_of_a_lease_is_told_of_no_other() {
        let (holders, names) = (Holders::<u64>::default(), [1, 2]);
        assert!(holders.of(lease(1)).is_null());
        holders.note(lease(1), names.as_ptr());
        assert_eq!(holders.of(lease(1)), names.as_ptr());
        assert!(holders.of(lease(2)).is_null());
        holders.note(lease(2), &raw const names[1]);
        assert!(holders.of(lease(1)).is_null());
    }

    #[test]
    fn nobody_is_told_for_a_lease_that_another_holds() {
        let (holders, is_over) = (Holders::<u64>::default(), AtomicBool::new(false));
        let names: Vec<u64> = (0..1000).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..200 {
                    for (number, name) in names.iter().enumerate() {
                        holders.note(lease(number as u32), name);
                    }
                }
                is_over.store(true, Ordering::Relaxed);
            });
            while !is_over.load(Ordering::Relaxed) {
                for (number, name) in names.iter().enumerate() {
                    let told = holders.of(lease(number as u32));
                    assert!(told.is_null() || ptr::eq(told, name));
                }
            }
        });
    }
}
