//! The life of an entry between its vacancy and its end: opened, opened anew, exchanged, and until when it may be kept.
//!
//! Whoever calls owns the entry, by a handle that is alive: its word alone decides whether that is so. No lock is taken.

use super::entry::{Entry, NEVER, Status};
use super::id::Handle;
use super::outcome::{Keep, NotLeased, Refusal};
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// The right to open has been used: the handle now stands for a leased connection, whose time to live begins.
    ///
    /// [`Refusal::ShutDown`] where the pool was shut down meanwhile: close the connection and release the handle to be closed.
    /// [`Refusal::StaleHandle`] where the handle is no right to open of this pool; nothing was changed then. O(1), takes no lock.
    pub fn opened(&self, handle: Handle) -> Result<(), Refusal> {
        let entry = self.entry_of(handle).ok_or(Refusal::StaleHandle)?;
        // Race window: a shutdown may come right after this look. It is harmless because that finds the entry leased, or has marked it,
        // which is looked at below.
        if self.is_shut_down() {
            return Err(Refusal::ShutDown);
        }
        let now = self.clock.now();
        let end_of_life = match self.time_to_live {
            Some(millis) => now.saturating_add(millis),
            None => NEVER,
        };
        let word = entry.word();
        if word.lease() != handle.generation() || word.status() != Status::Opening {
            return Err(Refusal::StaleHandle);
        }
        entry.end_of_life.store(end_of_life, Relaxed);
        entry.expiry.store(end_of_life, Relaxed);
        // Race window: a program that releases the right to open on another thread meanwhile may have this counted though it fails below. It
        // is harmless because nothing follows from the number.
        entry.opened.store(entry.opened.load(Relaxed) + 1, Relaxed);
        self.note_opened(entry, now);
        let leased = entry
            .opening_to_leased(handle.generation())
            .ok_or(Refusal::StaleHandle)?;
        // An immediate shutdown that came between has marked what it found being opened. Who sees the mark in the word sees the flag,
        // which was set before it.
        if leased.is_dead() && self.is_shut_down() {
            return Err(Refusal::ShutDown);
        }
        Ok(())
    }

    /// A leased connection turned out to be unusable and its owner wants to open another in its place.
    ///
    /// The handle becomes the right to open: same entry, same count, same place in every limit. No event or mark of the connection
    /// before concerns the next. Refused where the handle does not stand for a leased connection. O(1), takes no lock.
    pub fn reopen(&self, handle: Handle) -> Result<(), NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        let lease = handle.generation();
        entry.leased_to_opening(lease).ok_or(NotLeased)?;
        self.note_given(entry, self.clock.now());
        Ok(())
    }

    /// Another connection has taken the place of a leased one, in the same entry: no event of the one before concerns it. A clear
    /// does, since it may have come after the exchange. What was promised for the one before is forgotten; its time to live goes
    /// on.
    ///
    /// [`NotLeased`] where the handle does not stand for a leased connection; nothing was changed then. O(1), takes no lock.
    pub fn renew(&self, handle: Handle) -> Result<(), NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        entry.renew_leased(handle.generation()).ok_or(NotLeased)?;
        // Written by whoever opened it, from whom the lease came down to here.
        let end_of_life = entry.end_of_life.load(Relaxed);
        entry.expiry.store(end_of_life, Relaxed);
        Ok(())
    }

    /// Notes until when a leased connection may be kept; a release with [`Keep::AsBefore`] leaves it so.
    ///
    /// Saturating; never beyond its time to live. [`NotLeased`] where the handle does not stand for a leased connection. O(1), takes
    /// no lock.
    ///
    /// Race window: a program that ends the lease on another thread in the middle of this call may have this noted for the lease that comes
    /// next. It is harmless to the pool because every lease looks at the expiry itself, so that a wrong one costs no more than a
    /// connection.
    pub fn update_expiry(&self, handle: Handle, keep: Keep) -> Result<(), NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        let word = entry.word();
        if word.lease() != handle.generation() || word.status() != Status::Leased {
            return Err(NotLeased);
        }
        self.note_expiry(entry, keep, self.clock.now());
        Ok(())
    }

    /// Writes until when a connection may be kept. The caller owns the entry.
    #[inline]
    pub(super) fn note_expiry(&self, entry: &Entry, keep: Keep, now: u64) {
        let promised = match keep {
            Keep::For(millis) => now.saturating_add(millis),
            Keep::Forever => u64::MAX,
            Keep::AsBefore => return,
        };
        let expiry = promised.min(entry.end_of_life.load(Relaxed));
        entry.expiry.store(expiry, Relaxed);
    }
}
