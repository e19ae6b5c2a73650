//! What the housekeeper's thread does for a pool, which it holds weakly: it is told of peers' closes, and knows when
//! something is due.

use std::sync::Arc;
use std::time::Duration;

use leasehold::face::{Tended, take_turn};

use crate::care::Call;
use crate::delivery::Delivery;
use crate::pools::Pool;

impl Tended for Pool {
    fn peer_closed(self: Arc<Self>, slot: u32, opening: u16) {
        let _call = Call::begin(&self.care);
        self.with_effects(|engine, effects| engine.peer_closed(slot, opening, effects));
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let _call = Call::begin(&self.care);
        let tell = |overdue| self.deliver(Delivery::Overdue(overdue));
        take_turn(&self.engine, &self.deadlines, tell, || {
            self.with_effects(|engine, effects| self.eviction.run(engine, effects))
        })
    }
}
