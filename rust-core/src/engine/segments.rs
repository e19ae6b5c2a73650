//! A growing array whose elements never move: segments of 8, 16, 32, … elements, each allocated once.
//!
//! Readers need no lock: a segment is published by `OnceLock` and stays until the array is dropped, so an index that was
//! ever valid stays readable. Whoever makes a new index known to others calls [`Segments::grow_to`] first.

use std::sync::OnceLock;

/// Elements of the first segment; each further segment is twice as long.
const FIRST: usize = 8;
const SEGMENTS: usize = 18;

/// Indices run from 0 to this number, exclusive.
pub(crate) const CAPACITY: u32 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Segments<T> {
    segments: [OnceLock<Box<[T]>>; SEGMENTS],
}

impl<T: Default> Segments<T> {
    pub(crate) fn new() -> Self {
        Segments {
            segments: [const { OnceLock::new() }; SEGMENTS],
        }
    }

    /// The element at `index`, or `None` where the array has not grown that far.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let (segment, offset) = locate(index);
        self.segments.get(segment)?.get()?.get(offset)
    }

    /// The element at `index`, allocating its segment if it is the first of it. `index` must be below [`CAPACITY`].
    #[inline]
    pub(crate) fn grow_to(&self, index: u32) -> &T {
        let (segment, offset) = locate(index);
        let elements = self.segments[segment].get_or_init(|| allocate(segment));
        &elements[offset]
    }

    /// Every element of the segments that exist, in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.segments
            .iter()
            .map_while(|segment| segment.get())
            .flat_map(|elements| elements.iter())
            .zip(0u32..)
            .map(|(element, index)| (index, element))
    }
}

#[cold]
fn allocate<T: Default>(segment: usize) -> Box<[T]> {
    (0..FIRST << segment).map(|_| T::default()).collect()
}

#[inline]
fn locate(index: u32) -> (usize, usize) {
    let shifted = index as usize + FIRST;
    let segment = (shifted.ilog2() - FIRST.ilog2()) as usize;
    (segment, shifted - (FIRST << segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_a_place_of_its_own() {
        let mut expected = (0, 0);
        for index in 0..CAPACITY {
            assert_eq!(locate(index), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert!(locate(CAPACITY - 1).0 < SEGMENTS);
    }

    #[test]
    fn an_index_beyond_the_grown_part_is_absent() {
        let array: Segments<u8> = Segments::new();
        assert!(array.get(0).is_none());
        array.grow_to(8);
        assert!(array.get(23).is_some());
        assert!(array.get(24).is_none());
        assert!(array.get(u32::MAX).is_none());
    }
}
