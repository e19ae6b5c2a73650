//! What the housekeeper's thread does for a pool, which it holds weakly: it is told of peers' closes, and knows when
//! something is due.

use std::sync::Arc;
use std::time::Duration;

use leasehold::engine::Effects;
use leasehold::face::{Parting, Tended, Token, take_turn};

use crate::care::Call;
use crate::delivery::Delivery;
use crate::pools::Pool;

impl Tended for Pool {
    fn peers_closed(self: Arc<Self>, closed: &[Token]) -> Parting {
        let call = Call::begin(&self.care);
        let mut noted = Effects::new();
        for token in closed {
            let (slot, opening) = (token.slot(), token.opening());
            self.engine.peer_closed(slot, opening, &mut noted);
        }
        Box::new(move || {
            self.with_effects(|_, effects| *effects = noted);
            drop(call);
        })
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let _call = Call::begin(&self.care);
        let tell = |overdue| self.deliver(Delivery::Overdue(overdue));
        take_turn(&self.engine, &self.deadlines, tell, || {
            self.with_effects(|engine, effects| self.eviction.run(engine, effects))
        })
    }
}
