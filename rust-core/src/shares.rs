//! What keeps a pool alive: references to it, counted in several places.
//!
//! Every lease holds its pool. Were that one count, leases of different threads would write to one cache line twice each, which
//! takes several times as long as all the rest of a hit. So there are a few counts, each on cache lines of its own: a lease counts
//! where the thread counts that makes it, and the pool ends once nobody counts anywhere.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::thread_number;
use crate::shared::Shared;

const COUNTS: usize = 16;

/// One of a pool's counted references. Clones of its `Arc` count; what it refers to lies elsewhere, and is only read.
#[repr(align(128))]
pub(crate) struct Share<K, C>(Arc<Shared<K, C>>);

impl<K, C> Deref for Share<K, C> {
    type Target = Arc<Shared<K, C>>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// All of them: what a pool's handles hold.
pub(crate) struct Shares<K, C> {
    by_thread: [Arc<Share<K, C>>; COUNTS],
}

impl<K, C> Shares<K, C> {
    pub(crate) fn new(shared: Shared<K, C>) -> Arc<Self> {
        let shared = Arc::new(shared);
        Arc::new(Shares {
            by_thread: std::array::from_fn(|_| Arc::new(Share(Arc::clone(&shared)))),
        })
    }

    /// The one that the calling thread counts on.
    #[inline]
    pub(crate) fn of_this_thread(&self) -> &Arc<Share<K, C>> {
        &self.by_thread[thread_number() as usize % COUNTS]
    }
}

impl<K, C> Deref for Shares<K, C> {
    type Target = Arc<Shared<K, C>>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.by_thread[0]
    }
}
