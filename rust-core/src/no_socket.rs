//! In place of `socket` where the feature `watch` is left out: nothing is asked of a socket, and nothing is set on it.

use std::io;
use std::os::fd::BorrowedFd;

/// What a socket says of its peer.
#[allow(dead_code)] // Nobody is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    Alive,
    Closed,
    Readable,
    Unconnected,
    Unknown,
}

pub(crate) fn probe(_: BorrowedFd<'_>) -> Liveness {
    Liveness::Unknown
}

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TcpKeepAlive {}

impl TcpKeepAlive {
    pub(crate) fn set_on(&self, _: BorrowedFd<'_>) -> io::Result<()> {
        match *self {}
    }
}

pub(crate) fn shut_down(_: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

pub(crate) fn shut_down_reading(_: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

pub(crate) fn do_not_linger(_: BorrowedFd<'_>) {}
