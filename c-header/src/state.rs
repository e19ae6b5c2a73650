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
    pub(crate) fn of(pool: &'a Pool, state: Option<&[u8]>) -> Result<Self, lh_status> {
        let id = match state {
            None => StateId::NONE,
            Some(state) => {
                let state = State::try_new(state).map_err(|_| LH_NO_MEMORY)?;
                pool.states.acquire(&state)
            }
        };
        Ok(StateUse { pool, id })
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
    StateUse::of(pool, state)
}
