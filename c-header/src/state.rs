//! Who a connection is bound to: the numbers of states, each used by whoever asks for one or has one.

use leasehold::State;
use leasehold::engine::StateId;

use crate::boundary::bytes;
use crate::options::lh_lease_options;
use crate::pools::Pool;
use crate::status::*;

/// One use of a state's number.
pub(crate) struct StateUse<'a> {
    pool: &'a Pool,
    id: StateId,
}

impl<'a> StateUse<'a> {
    pub(crate) fn of(pool: &'a Pool, state: Option<&[u8]>) -> Self {
        let id = state.map_or(StateId::NONE, |state| {
            pool.states.acquire(&State::new(state))
        });
        StateUse { pool, id }
    }

    pub(crate) fn id(&self) -> StateId {
        self.id
    }

    /// Passes the use on.
    pub(crate) fn into_id(mut self) -> StateId {
        std::mem::take(&mut self.id)
    }
}

impl Drop for StateUse<'_> {
    fn drop(&mut self) {
        self.pool.states.release(self.id);
    }
}

/// Who a request's connection may be bound to.
///
/// # Safety
///
/// As for lh_pool_try_lease.
pub(crate) unsafe fn state_of<'a>(
    pool: &'a Pool,
    options: &lh_lease_options,
) -> Result<StateUse<'a>, lh_status> {
    // SAFETY: the caller's promise.
    let state = unsafe { bytes(options.state, options.state_length)? };
    Ok(StateUse::of(pool, state))
}
