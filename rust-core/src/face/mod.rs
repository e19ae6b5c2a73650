//! What a face of the [`engine`](crate::engine) needs beside it, for this crate's own and for bindings to other languages: the
//! carrying out of what the engine decides, who waits, numbers for what a face alone knows, keys and states, the watch of its sockets, and the
//! one housekeeper of a loaded library. **Not part of the crate's API**, as the engine is not.
//!
//! The layers run one way: the engine knows nothing of this, and nothing here knows a face.

mod effects;
mod holders;
mod waiters;

pub use crate::deadlines::{Deadline, Deadlines};
pub use crate::fork::{PerProcess, in_each_child, is_process, process_number};
pub use crate::housekeeper::{
    Disposable, Eviction, Membership, Parting, Tended, is_housekeepers_thread, is_own_thread,
    take_turn,
};
pub use crate::interner::Interner;
pub use crate::locks::{Condvar, Mutex, MutexGuard, RwLock};
pub use crate::panics::message_of;
pub use crate::situation::describe;
pub use crate::state::States;
pub use crate::watch::{Token, Watch};
pub use effects::{Face, Work, end, with_effects};
pub use holders::Holders;
pub use waiters::{Published, Waiters};
