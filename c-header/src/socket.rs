//! What can be set on a program's socket.

use std::os::fd::RawFd;
use std::time::Duration;

use leasehold::socket::TcpKeepAlive;

use crate::boundary::answer;
use crate::probe::borrow;
use crate::status::*;

/// Switches TCP keep-alive on for a socket. That is for peers that vanish without a word, as a crashed machine does, or a firewall that
/// forgot the connection: nothing else tells of those. Four system calls. It needs no pool.
///
/// When nothing has arrived for `idle_s` seconds the system asks the peer every `interval_s` seconds; after `probes`
/// questions in a row without an answer the connection breaks, which a pool notices as it does a close. Times are 1 to
/// 32,767 seconds, probes 1 to 127.
///
/// LH_INVALID_ARGUMENT: a time or `probes` is out of range, or `socket` is negative; LH_NO_TCP_SOCKET. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_socket_set_keep_alive(
    socket: i32,
    idle_s: u32,
    interval_s: u32,
    probes: u32,
) -> lh_status {
    answer(|| {
        let seconds = |number| Duration::from_secs(u64::from(number));
        let keep_alive = TcpKeepAlive::new(seconds(idle_s), seconds(interval_s), probes);
        let keep_alive = keep_alive.map_err(|_| LH_INVALID_ARGUMENT)?;
        let socket = checked(socket)?;
        keep_alive
            .set_on(borrow(socket))
            .map_err(|_| LH_NO_TCP_SOCKET)?;
        Ok(LH_OK)
    })
}

/// A number that a descriptor can have.
pub(crate) fn checked(socket: i32) -> Result<RawFd, lh_status> {
    if socket < 0 {
        return Err(LH_INVALID_ARGUMENT);
    }
    Ok(socket)
}
