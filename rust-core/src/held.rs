//! What keeps a route from being forgotten, for who holds it and for what they have under way.

use std::hash::Hash;
use std::sync::Arc;

use crate::engine::{Effects, RouteId};
use crate::error::LeaseError;
use crate::shares::Shares;

/// A route that the pool does not forget as long as this is there.
pub(crate) struct HeldRoute<K, C> {
    shared: Arc<Shares<K, C>>,
    pub(crate) id: RouteId,
}

impl<K: Eq + Hash + Clone, C> HeldRoute<K, C> {
    pub(crate) fn new(shared: &Arc<Shares<K, C>>, key: &K) -> Result<Self, LeaseError> {
        let key = Arc::new(key.clone());
        let held = shared.with_effects(|engine, effects| {
            // Whoever holds it lets it go, whatever panics from here on.
            let hold = |id, _: &mut Effects| {
                engine.hold_route(id).map(|()| HeldRoute {
                    shared: Arc::clone(shared),
                    id,
                })
            };
            shared.interner.with_route(engine, &key, effects, hold)
        });
        drop(key);
        held.map_err(LeaseError::of)
    }
}

impl<K, C> Drop for HeldRoute<K, C> {
    fn drop(&mut self) {
        let let_go = self.shared.engine.let_go_of_route(self.id);
        debug_assert!(let_go.is_ok(), "a held route is alive");
    }
}
