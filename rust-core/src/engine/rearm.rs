//! Seeing to it that a clean-up comes in time for an entry that has become idle.

use super::entry::Status;
use super::id::Slot;
use super::ledger::Ledger;
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// Sees to it that the heap's key of an entry that has become idle is no later than its expiry.
    ///
    /// One that is leased again by now gets the mark, which the end of that lease sees in the very step that makes the entry idle,
    /// and comes here too. That its release compares expiry and key would not do: it reads the key without the coordinator, and may
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
