//! Tables of what C names by a handle: a slot and a generation, so that a stale handle finds nothing.
//!
//! What is found is kept alive by whoever found it, so a removal may come at any time: those who are at it finish.
//!
//! A forked child has tables of its own, in which the handles that it has inherited find nothing, and never will.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use leasehold::face::RwLock;

/// The most objects of a kind: a pool's place in a lease's handle has room for twice as many.
const MOST: usize = 1024;

/// The generation given last: one count for all tables of this process and those before it. Written by whoever puts something in.
static LAST: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Table<T> {
    slots: RwLock<Slots<T>>,
}

struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The longest free first, so that generations last.
    free: VecDeque<u32>,
}

struct Slot<T> {
    generation: u32,
    object: Option<Arc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Table {
            slots: RwLock::new(Slots {
                slots: Vec::new(),
                free: VecDeque::new(),
            }),
        }
    }

    /// Puts in what `make` makes of its handle and of all that is there. `None` where the table is full.
    pub(crate) fn insert(
        &self,
        make: impl FnOnce(u64, &mut dyn Iterator<Item = &T>) -> T,
    ) -> Option<u64> {
        let mut table = self.slots.write();
        let slot = match table.free.pop_front() {
            Some(slot) => slot as usize,
            None if table.slots.len() < MOST => {
                table.slots.push(Slot {
                    generation: 0,
                    object: None,
                });
                table.slots.len() - 1
            }
            None => return None,
        };
        let generation = next_generation();
        let id = u64::from(generation) << 32 | slot as u64;
        let object = make(
            id,
            &mut table.slots.iter().filter_map(|slot| slot.object.as_deref()),
        );
        table.slots[slot] = Slot {
            generation,
            object: Some(Arc::new(object)),
        };
        Some(id)
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<T>> {
        let table = self.slots.read();
        let slot = table.slots.get(id as u32 as usize)?;
        (slot.generation == (id >> 32) as u32)
            .then(|| slot.object.clone())
            .flatten()
    }

    pub(crate) fn remove(&self, id: u64) -> Option<Arc<T>> {
        let mut table = self.slots.write();
        let slot = table.slots.get_mut(id as u32 as usize)?;
        if slot.generation != (id >> 32) as u32 {
            return None;
        }
        let object = slot.object.take()?;
        table.free.push_back(id as u32);
        Some(object)
    }
}

fn next_generation() -> u32 {
    // No handle is ever the number 0.
    match LAST.fetch_add(1, Relaxed).wrapping_add(1) {
        0 => next_generation(),
        generation => generation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_dies_with_its_object() {
        let table = Table::new();
        let first = table.insert(|_, _| 1).unwrap();
        assert_eq!(table.get(first).as_deref(), Some(&1));
        assert_eq!(table.remove(first).as_deref(), Some(&1));
        assert_eq!(table.remove(first), None);
        let second = table.insert(|_, _| 2).unwrap();
        assert_ne!(first, second);
        assert_eq!(table.get(first), None);
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(u64::MAX), None);
    }

    #[test]
    fn a_full_table_refuses() {
        let table = Table::new();
        let ids: Vec<_> = (0..MOST)
            .map(|number| table.insert(|_, there| number + there.count()).unwrap())
            .collect();
        assert_eq!(table.insert(|_, _| 0), None);
        assert_eq!(table.get(ids[7]).as_deref(), Some(&14));
        table.remove(ids[7]).unwrap();
        assert!(table.insert(|_, _| 0).is_some());
    }
}
