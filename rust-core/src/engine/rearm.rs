//! What keeps I8: that a clean-up looks at an entry that has become idle no later than it expires.

use super::entry::Status;
use super::id::Slot;
use super::ledger::Ledger;
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// Sees to it that the heap's key of an entry that has become idle is no later than its expiry.
    ///
    /// One that is leased again by now gets the mark. The end of that lease sees the mark in the very step that makes the entry idle,
    /// and comes here too. It would not do that its release compares expiry and key: it reads the key without the coordinator, and may
    /// read what that was before.
    #[cold]
    pub(super) fn rearm(&self, ledger: &mut Ledger, slot: Slot) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        loop {
            let word = entry.word();
            match word.status() {
                Status::Idle => {
                    let _stripe = self.lock_stripe(word.stripe());
                    if entry.word() == word {
                        let expiry = entry.expiry.load(Relaxed);
                        if expiry < entry.armed.load(Relaxed) {
                            ledger.heap.arm(&self.entries, slot, expiry);
                        }
                        return;
                    }
                }
                Status::Leased | Status::Opening if entry.mark_notify() => return,
                // Idle by now, or gone: the next turn sees it as it is.
                Status::Leased | Status::Opening => {}
                Status::Free | Status::Victim => return,
            }
        }
    }
}
