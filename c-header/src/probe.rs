//! Asking a socket whether its peer has closed it, at the moment of a lease, without waiting.

use std::os::fd::{BorrowedFd, RawFd};

use leasehold::socket::Liveness;

use crate::boundary::from_number;

/// What the socket of an idle connection must be like for the connection to be usable. By which means that is found out,
/// and when, is the pool's lh_watching.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_probe {
    /// It is not looked at: neither probed nor watched.
    LH_PROBE_OFF = 0,
    /// It must be open and silent. For plain connections: bytes that nobody asked for belong to no answer.
    LH_PROBE_SILENT = 1,
    /// It must be open. For TLS connections, whose peers may send session tickets at any time.
    LH_PROBE_OPEN = 2,
}

from_number!(lh_probe: LH_PROBE_OFF, LH_PROBE_SILENT, LH_PROBE_OPEN);

impl lh_probe {
    /// Whether the connection may be used. One that the system cannot be asked about may.
    pub(crate) fn finds_usable(self, socket: RawFd) -> bool {
        if self == lh_probe::LH_PROBE_OFF {
            return true;
        }
        match leasehold::socket::probe(borrow(socket)) {
            Liveness::Alive | Liveness::Unknown => true,
            Liveness::Readable => self == lh_probe::LH_PROBE_OPEN,
            Liveness::Closed | Liveness::Unconnected => false,
        }
    }
}

/// A socket that the program gave. Nothing is read from it, written to it or closed by it.
pub(crate) fn borrow<'a>(socket: RawFd) -> BorrowedFd<'a> {
    // SAFETY: not -1, which is refused where a program gives one. The program keeps it open as long as the connection is
    // the pool's; if it does not, the system looks at another file or says that there is none.
    unsafe { BorrowedFd::borrow_raw(socket) }
}
