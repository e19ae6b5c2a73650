//! The set of a system that has none of the kind: it cannot be made, so the probe does the work.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::token::Token;

#[derive(Debug)]
pub(super) enum Nothing {}

impl Nothing {
    pub(super) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn add(&self, _: BorrowedFd<'_>, _: Token) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn remove(&self, _: BorrowedFd<'_>) {
        match *self {}
    }

    pub(super) fn wait(&self, _: &mut Vec<Token>, _: usize, _: Option<Duration>) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn wake(&self) {
        match *self {}
    }
}
