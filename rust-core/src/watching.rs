//! How a pool finds out that the peer of an idle connection has closed it.

/// How a pool finds out that the peer of an idle connection has closed it; see [`Builder::watch`](crate::Builder::watch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watching {
    /// Not at all: whoever uses the connection finds out.
    Off,
    /// One look at its socket when it is leased, a system call of 0.4 µs.
    Probe,
    /// The housekeeper is told by the system, and closes it at once; no system call at a lease. A connection may be handed out until
    /// the housekeeper's thread has run after its peer's close: mostly a fraction of a millisecond, but as long as other threads keep
    /// it from its processor. Of many that close at once each is noted before the first of them is parted with, so that what is
    /// known to be closed is not leased; `scripts/watch.sh burst` measures how late that is. One that the system does not watch is
    /// probed.
    Watch,
    /// Both: nothing stays open that its peer has closed, and nothing is handed out whose peer's close has arrived.
    Both,
}

impl Watching {
    /// Whether sockets are asked when their connections are leased, watched or not.
    pub fn probes(self) -> bool {
        matches!(self, Watching::Probe | Watching::Both)
    }

    /// Whether the housekeeper is told of their peers' closes.
    pub fn watches(self) -> bool {
        matches!(self, Watching::Watch | Watching::Both)
    }
}
