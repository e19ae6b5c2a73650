//! The engine as a whole, against what it promises: a reference model under random operations, every interleaving of
//! small scenarios under a model checker, and crowds of threads.

mod audit;
#[cfg(not(loom))]
mod crowd;
mod harness;
#[cfg(not(any(loom, shuttle)))]
mod layout;
#[cfg(loom)]
mod loom;
#[cfg(not(any(loom, shuttle)))]
mod model;
#[cfg(not(any(loom, shuttle)))]
mod order;
#[cfg(not(any(loom, shuttle)))]
mod panics;
#[cfg(not(any(loom, shuttle)))]
mod random;
