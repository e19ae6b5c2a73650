//! A growing array whose elements never move: a first segment of 8 elements, a second up to 64, then 64, 128, 256, …
//!
//! Readers need no lock: a segment is published by `OnceLock` and stays until the array is dropped, so an index that was
//! ever valid stays readable. Whoever makes a new index known to others calls [`Segments::grow_to`] first.
//!
//! The first two segments are reached without computing which one it is, which is worth a third of a hit's time; most
//! pools never need another. The first is small because many pools have one connection, and there may be many pools.

use std::marker::PhantomData;
use std::sync::OnceLock;

use super::id::Numbered;

/// Elements of the first segment.
const FIRST: usize = 8;
/// Elements of the first two together, and of the third; each further one is twice as long.
const NEAR: usize = 64;
const FURTHER: usize = 14;

/// Numbers of slots run from 0 to this one, exclusive.
pub(crate) const CAPACITY: u32 = 1 << 20;

/// Elements that never move, under slots of type `S`: where a face keeps what belongs to an entry, a route or a ticket. Read without a
/// lock.
#[derive(Debug)]
pub struct Segments<S, T> {
    slots: PhantomData<fn(S)>,
    first: Box<[T; FIRST]>,
    /// Indexed like the whole, so its first few elements are never used.
    second: OnceLock<Box<[T; NEAR]>>,
    further: OnceLock<Box<[Segment<T>; FURTHER]>>,
}

type Segment<T> = OnceLock<Box<[T]>>;

impl<S: Numbered, T: Default> Default for Segments<S, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Numbered, T: Default> Segments<S, T> {
    /// The first 8 elements, by their default.
    pub fn new() -> Self {
        Segments {
            slots: PhantomData,
            first: Box::new(std::array::from_fn(|_| T::default())),
            second: OnceLock::new(),
            further: OnceLock::new(),
        }
    }

    /// The element of `slot`, or `None` where the array has not grown that far.
    #[inline(always)]
    pub fn get(&self, slot: S) -> Option<&T> {
        let index = slot.number();
        if (index as usize) < FIRST {
            return Some(&self.first[index as usize]);
        }
        if (index as usize) < NEAR {
            return Some(&self.second.get()?[index as usize]);
        }
        self.get_further(index)
    }

    /// Apart, so that a look at the first two stays short enough to stand in every caller.
    #[inline(never)]
    fn get_further(&self, index: u32) -> Option<&T> {
        let (segment, offset) = locate(index);
        self.further.get()?.get(segment)?.get()?.get(offset)
    }

    /// The element of `slot`, allocating its segment if it is the first of it.
    ///
    /// # Panics
    ///
    /// Where the slot's number is 2²⁰ or more, which that of none is.
    #[inline]
    pub fn grow_to(&self, slot: S) -> &T {
        let index = slot.number();
        if (index as usize) < FIRST {
            return &self.first[index as usize];
        }
        if (index as usize) < NEAR {
            let make = || Box::new(std::array::from_fn(|_| T::default()));
            return &self.second.get_or_init(make)[index as usize];
        }
        let (segment, offset) = locate(index);
        let further = self
            .further
            .get_or_init(|| Box::new([const { OnceLock::new() }; FURTHER]));
        &further[segment].get_or_init(|| allocate(segment))[offset]
    }

    /// Every element, in order of slot, up to the first segment that does not exist: slots are given out in order.
    pub fn iter(&self) -> impl Iterator<Item = (S, &T)> {
        (0..CAPACITY)
            .map(S::of)
            .map_while(|slot| Some((slot, self.get(slot)?)))
    }
}

#[cold]
fn allocate<T: Default>(segment: usize) -> Box<[T]> {
    (0..NEAR << segment).map(|_| T::default()).collect()
}

/// The further segment that holds `index`, and the place in it.
#[inline]
fn locate(index: u32) -> (usize, usize) {
    let segment = (index.ilog2() - NEAR.ilog2()) as usize;
    (segment, index as usize - (NEAR << segment))
}

#[cfg(test)]
mod tests {
    use super::super::id::Slot;
    use super::*;

    #[test]
    fn every_index_has_a_place_of_its_own() {
        let mut expected = (0, 0);
        for index in NEAR as u32..CAPACITY {
            assert_eq!(locate(index), expected);
            expected.1 += 1;
            if expected.1 == NEAR << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(locate(CAPACITY - 1).0, FURTHER - 1);
    }

    #[test]
    fn an_index_beyond_the_grown_part_is_absent() {
        let array: Segments<Slot, u8> = Segments::new();
        for (last, grown) in [(7, 8), (63, 64), (127, 128), (255, 255)] {
            assert!(array.get(Slot::of(last)).is_some());
            assert!(array.get(Slot::of(last + 1)).is_none());
            assert_eq!(array.iter().count() as u32, last + 1);
            array.grow_to(Slot::of(grown));
        }
        assert!(array.get(Slot::of(u32::MAX)).is_none());
    }
}
