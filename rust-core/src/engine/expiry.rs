//! The expiry heap: which entries may have expired, without looking at the others.
//!
//! A binary heap of entries by the moment before which they cannot expire. An entry's key is a lower bound of its
//! expiry: a longer promise leaves it, a shorter one moves it. Each entry knows its place, so moving or removing one
//! costs O(log n). All of it happens under the coordinator.

use super::Engine;
use super::coordinator::Coordinator;
use super::entry::{Entry, NEVER, NIL, Status};
use super::segments::Segments;
use super::sync::atomic::Ordering::Relaxed;

#[derive(Debug, Default)]
pub(super) struct ExpiryHeap {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    key: u64,
    slot: u32,
}

impl ExpiryHeap {
    /// The entry with the least key.
    pub(super) fn first(&self) -> Option<(u64, u32)> {
        self.nodes.first().map(|node| (node.key, node.slot))
    }

    /// Gives `slot` the key `key`, or takes it out where that is `NEVER`.
    pub(super) fn arm(&mut self, entries: &Segments<Entry>, slot: u32, key: u64) {
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

    fn remove(&mut self, entries: &Segments<Entry>, place: usize) {
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

    fn move_up(&mut self, entries: &Segments<Entry>, mut place: usize) -> usize {
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

    fn move_down(&mut self, entries: &Segments<Entry>, mut place: usize) {
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

    fn note_place(&self, entries: &Segments<Entry>, place: usize) {
        entries
            .get(self.nodes[place].slot)
            .expect("an armed slot exists")
            .heap_place
            .store(place as u32, Relaxed);
    }
}

impl Engine {
    /// Sees to it that the heap's key of an entry that has become idle is no later than its expiry.
    ///
    /// One that is leased again by now gets the mark, which the end of that lease sees in the very step that makes the entry idle,
    /// and comes here too. That its release compares expiry and key would not do: it reads the key without the coordinator, and may
    /// read what that was before.
    #[cold]
    pub(super) fn rearm(&self, coordinator: &mut Coordinator, slot: u32) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        loop {
            let word = entry.word();
            match word.status() {
                Status::Idle => {
                    let _stripe = self.lock_stripe(word.stripe());
                    if entry.word() == word {
                        let expiry = entry.expiry.load(Relaxed);
                        if expiry < entry.armed.load(Relaxed) {
                            coordinator.heap.arm(&self.entries, slot, expiry);
                        }
                        return;
                    }
                }
                Status::Leased | Status::Opening if entry.mark_notify() => return,
                // Idle by now, or gone: the next turn sees it as it is.
                Status::Leased | Status::Opening => {}
                Status::Free | Status::Victim => return,
            }
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_by_key_however_they_were_moved() {
        const ENTRIES: u32 = 200;
        let entries: Segments<Entry> = Segments::new();
        entries.grow_to(ENTRIES);
        for slot in 0..ENTRIES {
            entries.grow_to(slot);
        }
        let mut heap = ExpiryHeap::default();
        let mut keys = std::collections::BTreeMap::new();
        let mut random = 1u64;
        for _ in 0..20_000 {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let slot = (random >> 33) as u32 % ENTRIES;
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
