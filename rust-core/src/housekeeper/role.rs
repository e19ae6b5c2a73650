//! What a thread is to the library: one of the program's, or one of its own.

use std::cell::Cell;

use crate::fork::process_number;

thread_local! {
    /// What this thread is, and in which process. Written by it.
    static ROLE: Cell<(u32, Role)> = const { Cell::new((0, Role::Stranger)) };
}

/// What the calling thread is. A child forked on one of the library's threads has but a stranger.
pub(super) fn role() -> Role {
    match ROLE.get() {
        (process, role) if process == process_number() => role,
        _ => Role::Stranger,
    }
}

/// The calling thread is one of the library's from now on.
pub(super) fn take_role(role: Role) {
    ROLE.set((process_number(), role));
}

/// What a thread is here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// One of the program's.
    Stranger,
    Housekeeper,
    /// A worker of the disposer's.
    Disposer,
}

/// Whether the calling thread is the housekeeper's, which serves all pools: what may take its time, a close above all, is for
/// the disposer.
pub fn is_housekeepers_thread() -> bool {
    role() == Role::Housekeeper
}

/// Whether the calling thread is one of the library's.
pub fn is_own_thread() -> bool {
    role() != Role::Stranger
}
