//! States: who a connection is bound to.

use std::collections::{HashMap, TryReserveError};
use std::fmt;
use std::sync::Arc;

use crate::locks::Mutex;

use crate::engine::StateId;

/// Who a connection is bound to: an NTLM user, a client certificate, whatever must not be shared with others.
///
/// Equal bytes are the same state. A connection released with a state goes only to requests with an equal one; see
/// [`Request::bound_to`](crate::Request::bound_to).
///
/// ```
/// use leasehold::State;
///
/// assert_eq!(State::new("DOMAIN\\alice"), State::new(b"DOMAIN\\alice"));
/// assert_ne!(State::new("alice"), State::new("bob"));
/// assert_eq!(format!("{:?}", State::new("alice")), "State(..)"); // never in a log
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State(Arc<Box<[u8]>>);

impl State {
    /// The state that these bytes name.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        State(Arc::new(Box::from(name.as_ref())))
    }

    /// The same, for names of any length: an error where there is no memory for the copy.
    ///
    /// # Errors
    ///
    /// There is no memory for the copy.
    pub fn try_new(name: impl AsRef<[u8]>) -> Result<Self, TryReserveError> {
        let name = name.as_ref();
        let mut copy = Vec::new();
        copy.try_reserve_exact(name.len())?;
        copy.extend_from_slice(name);
        Ok(State(Arc::new(copy.into_boxed_slice())))
    }
}

impl fmt::Debug for State {
    /// Does not print what it names: that may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(..)")
    }
}

/// The numbers that stand for the states in use.
///
/// A number lives as long as an entry or a request uses it, so users seen once leave nothing behind.
#[derive(Debug, Default)]
pub struct States {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    by_state: HashMap<State, (StateId, usize)>,
    by_id: HashMap<u32, State>,
    last: u32,
}

impl States {
    /// The number of a state, to be given back by [`release`](Self::release).
    pub fn acquire(&self, state: &State) -> StateId {
        let mut table = self.table.lock();
        if let Some((id, users)) = table.by_state.get_mut(state) {
            *users += 1;
            return *id;
        }
        loop {
            table.last = table.last.wrapping_add(1);
            if table.last != StateId::NONE.0 && !table.by_id.contains_key(&table.last) {
                break;
            }
        }
        let id = StateId(table.last);
        table.by_id.insert(id.0, state.clone());
        table.by_state.insert(state.clone(), (id, 1));
        id
    }

    /// One use of a number has ended.
    pub fn release(&self, id: StateId) {
        if id == StateId::NONE {
            return;
        }
        let mut table = self.table.lock();
        let Some(state) = table.by_id.get(&id.0).cloned() else {
            return;
        };
        if let Some((_, users)) = table.by_state.get_mut(&state) {
            *users -= 1;
            if *users == 0 {
                table.by_state.remove(&state);
                table.by_id.remove(&id.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_share_a_number_until_the_last_use_ends() {
        let states = States::default();
        let alice = states.acquire(&State::new("alice"));
        assert_eq!(states.acquire(&State::new("alice")), alice);
        assert_ne!(states.acquire(&State::new("bob")), alice);
        states.release(alice);
        states.release(alice);
        assert_eq!(states.table.lock().by_id.len(), 1);
        assert_ne!(states.acquire(&State::new("alice")), alice);
    }
}
