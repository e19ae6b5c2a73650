//! An array under slots of one type that grows as slots are given out, under the coordinator.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use crate::engine::id::Numbered;
use crate::engine::segments::CAPACITY;

/// What is kept under slots of type `S`.
#[derive(Debug)]
pub(in crate::engine) struct Records<S, T> {
    slots: PhantomData<fn(S)>,
    all: Vec<T>,
}

impl<S, T> Default for Records<S, T> {
    fn default() -> Self {
        Records {
            slots: PhantomData,
            all: Vec::new(),
        }
    }
}

impl<S: Numbered, T> Records<S, T> {
    /// A new slot's record. `None` where there are as many as ids can tell apart.
    pub(in crate::engine) fn add(&mut self, record: T) -> Option<S> {
        let slot = self.all.len() as u32;
        if slot == CAPACITY {
            return None;
        }
        self.all.push(record);
        Some(S::of(slot))
    }

    pub(in crate::engine) fn get(&self, slot: S) -> Option<&T> {
        self.all.get(slot.number() as usize)
    }

    /// All slots that were given out.
    pub(in crate::engine) fn slots(&self) -> impl Iterator<Item = S> + use<S, T> {
        (0..self.all.len() as u32).map(S::of)
    }

    pub(in crate::engine) fn iter_mut(&mut self) -> impl Iterator<Item = (S, &mut T)> {
        (0..).map(S::of).zip(&mut self.all)
    }
}

impl<S: Numbered, T> Index<S> for Records<S, T> {
    type Output = T;

    fn index(&self, slot: S) -> &T {
        &self.all[slot.number() as usize]
    }
}

impl<S: Numbered, T> IndexMut<S> for Records<S, T> {
    fn index_mut(&mut self, slot: S) -> &mut T {
        &mut self.all[slot.number() as usize]
    }
}
