//! The engine as a whole, against what it promises: a reference model under random operations, and every interleaving
//! of small scenarios under a model checker.

mod audit;
#[cfg(loom)]
mod harness;
#[cfg(loom)]
mod loom;
#[cfg(not(any(loom, shuttle)))]
mod model;
#[cfg(not(any(loom, shuttle)))]
mod random;
