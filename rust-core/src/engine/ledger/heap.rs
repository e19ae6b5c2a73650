//! The expiry heap: which entries may have expired, without looking at the others.
//!
//! A binary heap of entries by the moment before which they cannot expire. An entry's key is a lower bound of its
//! expiry: a longer promise leaves it, a shorter one moves it. Each entry knows its place, so moving or removing one
//! costs O(log n). All of it happens under the coordinator.

use crate::engine::entry::{Entry, NEVER, NIL};
use crate::engine::id::Slot;
use crate::engine::segments::Segments;
use crate::engine::sync::atomic::Ordering::Relaxed;

#[derive(Debug, Default)]
pub(in crate::engine) struct ExpiryHeap {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    key: u64,
    slot: Slot,
}

impl ExpiryHeap {
    /// The entry with the least key.
    pub(in crate::engine) fn first(&self) -> Option<(u64, Slot)> {
        self.nodes.first().map(|node| (node.key, node.slot))
    }

    /// Gives `slot` the key `key`, or takes it out where that is `NEVER`.
    pub(in crate::engine) fn arm(&mut self, entries: &Segments<Slot, Entry>, slot: Slot, key: u64) {
        let entry = entries.get(slot).expect("an armed slot exists");
        entry.armed.store(key, Relaxed);
        let place = entry.heap_place.load(Relaxed);
        match (place, key) {
            (NIL, NEVER) => {}
            (NIL, _) => {
                let place = self.nodes.len();
                self.nodes.push(Node { key, slot });
                self.move_up(entries, place);
            }
            (_, NEVER) => self.remove(entries, place as usize),
            _ => {
                let place = place as usize;
                self.nodes[place].key = key;
                let place = self.move_up(entries, place);
                self.move_down(entries, place);
            }
        }
    }

    fn remove(&mut self, entries: &Segments<Slot, Entry>, place: usize) {
        let removed = self.nodes.swap_remove(place);
        entries
            .get(removed.slot)
            .expect("an armed slot exists")
            .heap_place
            .store(NIL, Relaxed);
        if place < self.nodes.len() {
            let place = self.move_up(entries, place);
            self.move_down(entries, place);
        }
    }

    fn move_up(&mut self, entries: &Segments<Slot, Entry>, mut place: usize) -> usize {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.nodes[parent].key <= self.nodes[place].key {
                break;
            }
            self.nodes.swap(parent, place);
            self.note_place(entries, place);
            place = parent;
        }
        self.note_place(entries, place);
        place
    }

    fn move_down(&mut self, entries: &Segments<Slot, Entry>, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            let Some(least) =
                (left..(left + 2).min(self.nodes.len())).min_by_key(|child| self.nodes[*child].key)
            else {
                break;
            };
            if self.nodes[place].key <= self.nodes[least].key {
                break;
            }
            self.nodes.swap(place, least);
            self.note_place(entries, place);
            place = least;
        }
        self.note_place(entries, place);
    }

    fn note_place(&self, entries: &Segments<Slot, Entry>, place: usize) {
        entries
            .get(self.nodes[place].slot)
            .expect("an armed slot exists")
            .heap_place
            .store(place as u32, Relaxed);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::engine::id::Numbered;

    #[test]
    fn entries_come_out_by_key_however_they_were_moved() {
        const ENTRIES: u32 = 200;
        let entries: Segments<Slot, Entry> = Segments::new();
        for slot in 0..ENTRIES {
            entries.grow_to(Slot::of(slot));
        }
        let mut heap = ExpiryHeap::default();
        let mut keys = std::collections::BTreeMap::new();
        let mut random = 1u64;
        for _ in 0..20_000 {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let slot = Slot::of((random >> 33) as u32 % ENTRIES);
            let key = if random >> 60 < 3 {
                NEVER
            } else {
                (random >> 20) % 1000
            };
            heap.arm(&entries, slot, key);
            if key == NEVER {
                keys.remove(&slot);
            } else {
                keys.insert(slot, key);
            }
            assert_eq!(
                heap.first().map(|first| first.0),
                keys.values().min().copied()
            );
        }
        while let Some((key, slot)) = heap.first() {
            assert_eq!(keys.remove(&slot), Some(key));
            assert!(keys.values().all(|other| *other >= key));
            heap.arm(&entries, slot, NEVER);
        }
        assert!(keys.is_empty());
    }
}
