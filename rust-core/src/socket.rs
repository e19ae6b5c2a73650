//! What can be asked of a connection's socket, and what can be set on it.
//!
//! Both work on any descriptor. Asking takes nothing from a connection that lives, so a descriptor that has become another
//! file's meanwhile only makes the answer worthless.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown, sockopt};

/// What a socket says of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Connected, and nothing to read: as an idle connection should be.
    Alive,
    /// The peer has closed, or the connection broke. Bytes may wait too, but no answer to a request can follow them.
    Closed,
    /// Connected, and there is something to read. On a plain connection bytes that nobody asked for belong to no
    /// answer; on a TLS connection they may be a session ticket.
    Readable,
    /// No connection: the descriptor is closed, or its socket was never connected.
    Unconnected,
    /// The system could not be asked.
    Unknown,
}

/// Asks a socket whether its peer has closed it, without waiting: one recv(2) that leaves what there is where it is, and
/// where that finds more than nothing one poll(2). O(1), from any thread.
pub fn probe(socket: BorrowedFd<'_>) -> Liveness {
    // poll alone would do, and where each is called in a loop they cost the same. Between a request and the next one, though, the
    // kernel's way to read is in the processor's cache and its way to poll is not: that is 1 % of a GET on one processor.
    match look(socket) {
        Err(Errno::AGAIN) => Liveness::Alive,
        _ => ask(socket),
    }
}

/// How many bytes there are to read, at most one: 0 at the end of the stream.
fn look(socket: BorrowedFd<'_>) -> Result<usize, Errno> {
    let seen = recv(
        socket,
        &mut [0u8; 1][..],
        RecvFlags::PEEK | RecvFlags::DONTWAIT,
    );
    seen.map(|(bytes, _)| bytes)
}

fn ask(socket: BorrowedFd<'_>) -> Liveness {
    let mut asked = [PollFd::new(&socket, PollFlags::IN | END_OF_STREAM)];
    loop {
        match poll(&mut asked, Some(&Timespec::default())) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(_) => return Liveness::Unknown,
        }
    }
    let seen = asked[0].revents();
    if seen.is_empty() {
        Liveness::Alive
    } else if seen.contains(PollFlags::NVAL) || seen == PollFlags::HUP {
        Liveness::Unconnected
    } else if seen.intersects(END_OF_STREAM | PollFlags::HUP | PollFlags::ERR) {
        Liveness::Closed
    } else {
        readable(socket)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const END_OF_STREAM: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const END_OF_STREAM: PollFlags = PollFlags::empty();

/// The end of the stream would have shown as RDHUP, so these are bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn readable(_socket: BorrowedFd<'_>) -> Liveness {
    Liveness::Readable
}

/// Bytes, or the end of the stream: only a look at them tells.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn readable(socket: BorrowedFd<'_>) -> Liveness {
    match look(socket) {
        Ok(0) => Liveness::Closed,
        Ok(_) => Liveness::Readable,
        Err(Errno::AGAIN) => Liveness::Alive,
        Err(_) => Liveness::Closed,
    }
}

/// Ends whatever reads or writes on a socket, and what it was to say.
pub(crate) fn shut_down(socket: BorrowedFd<'_>) -> io::Result<()> {
    Ok(shutdown(socket, Shutdown::Both)?)
}

/// Ends whatever reads on a socket.
pub(crate) fn shut_down_reading(socket: BorrowedFd<'_>) -> io::Result<()> {
    Ok(shutdown(socket, Shutdown::Read)?)
}

/// Has nobody wait for a socket's goodbye when it is closed: the system sends what there is all the same. Zero is no lingering but a reset.
pub(crate) fn do_not_linger(socket: BorrowedFd<'_>) {
    if matches!(sockopt::socket_linger(socket), Ok(Some(time)) if !time.is_zero()) {
        let _ = sockopt::set_socket_linger(socket, None);
    }
}

/// TCP keep-alive: how the kernel finds out about a peer that vanished without a word, a crashed machine or a firewall
/// that forgot the connection. No event tells of those, and a probe finds nothing either.
///
/// A connection on which nothing has arrived for `idle` is asked every `interval`, and breaks when `probes` questions
/// in a row found no answer: `idle + interval × probes` after the last word. It then shows as
/// [`Liveness::Closed`].
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use std::time::Duration;
/// use leasehold::socket::TcpKeepAlive;
///
/// let keep_alive = TcpKeepAlive::new(Duration::from_secs(30), Duration::from_secs(5), 3)?;
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let connection = TcpStream::connect(server.local_addr()?)?;
/// keep_alive.set_on(&connection)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpKeepAlive {
    idle: Duration,
    interval: Duration,
    probes: u32,
}

/// What Linux takes at most for a time in seconds, and for the number of probes.
const MOST_SECONDS: u64 = 32_767;
const MOST_PROBES: u32 = 127;

impl TcpKeepAlive {
    /// Times count in whole seconds, parts of a second as one more.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) where a time is zero or longer than 32,767 s, or `probes` is 0 or
    /// more than 127; the text says which.
    pub fn new(idle: Duration, interval: Duration, probes: u32) -> io::Result<Self> {
        if !(1..=MOST_PROBES).contains(&probes) {
            return Err(refused(format_args!(
                "TCP keep-alive takes 1 to {MOST_PROBES} probes, not {probes}"
            )));
        }
        Ok(TcpKeepAlive {
            idle: whole_seconds("idle time", idle)?,
            interval: whole_seconds("interval", interval)?,
            probes,
        })
    }

    /// Switches it on for a TCP socket, with these times: four system calls. They hold until they are set anew.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2): the descriptor is not a TCP socket's, above all.
    pub fn set_on(&self, socket: impl AsFd) -> io::Result<()> {
        let socket = socket.as_fd();
        sockopt::set_tcp_keepidle(socket, self.idle)?;
        sockopt::set_tcp_keepintvl(socket, self.interval)?;
        sockopt::set_tcp_keepcnt(socket, self.probes)?;
        sockopt::set_socket_keepalive(socket, true)?;
        Ok(())
    }
}

fn whole_seconds(name: &str, time: Duration) -> io::Result<Duration> {
    let seconds = time
        .as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0));
    if !(1..=MOST_SECONDS).contains(&seconds) {
        return Err(refused(format_args!(
            "TCP keep-alive takes an {name} of 1 to {MOST_SECONDS} seconds, not {time:?}"
        )));
    }
    Ok(Duration::from_secs(seconds))
}

fn refused(why: fmt::Arguments<'_>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_string())
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{self, TcpListener, TcpStream};
    use std::time::Instant;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn becomes(ours: &TcpStream, wanted: Liveness) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while probe(ours.as_fd()) != wanted {
            assert!(Instant::now() < deadline, "still {:?}", probe(ours.as_fd()));
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_idle_connection_is_alive() {
        let (ours, _theirs) = pair();
        assert_eq!(probe(ours.as_fd()), Liveness::Alive);
    }

    #[test]
    fn bytes_make_it_readable_and_the_peers_close_closed() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        becomes(&ours, Liveness::Readable);
        ours.read_exact(&mut [0]).unwrap();
        becomes(&ours, Liveness::Alive);
        theirs.write_all(b"x").unwrap();
        theirs.shutdown(net::Shutdown::Write).unwrap();
        becomes(&ours, Liveness::Closed);
    }

    #[test]
    fn our_own_shutdown_is_closed() {
        let (ours, _theirs) = pair();
        ours.shutdown(net::Shutdown::Both).unwrap();
        becomes(&ours, Liveness::Closed);
    }

    #[test]
    fn a_reset_is_closed() {
        let (ours, theirs) = pair();
        sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
        drop(theirs);
        becomes(&ours, Liveness::Closed);
    }

    #[test]
    fn a_socket_that_was_never_connected_is_unconnected() {
        let socket = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        assert_eq!(probe(socket.as_fd()), Liveness::Unconnected);
    }

    #[test]
    fn asking_leaves_the_bytes_where_they_are() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        becomes(&ours, Liveness::Readable);
        let mut found = [0];
        ours.read_exact(&mut found).unwrap();
        assert_eq!(&found, b"x");
    }

    #[test]
    fn what_is_no_socket_is_asked_all_the_same() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(probe(null.as_fd()), Liveness::Readable);
    }

    #[test]
    fn keep_alive_is_set_in_whole_seconds() {
        let (ours, _theirs) = pair();
        TcpKeepAlive::new(Duration::from_millis(1_001), Duration::from_nanos(1), 127)
            .unwrap()
            .set_on(&ours)
            .unwrap();
        assert!(sockopt::socket_keepalive(&ours).unwrap());
        assert_eq!(
            sockopt::tcp_keepidle(&ours).unwrap(),
            Duration::from_secs(2)
        );
        assert_eq!(
            sockopt::tcp_keepintvl(&ours).unwrap(),
            Duration::from_secs(1)
        );
        assert_eq!(sockopt::tcp_keepcnt(&ours).unwrap(), 127);
    }

    #[test]
    fn keep_alive_that_the_kernel_does_not_take_is_refused_with_what_it_takes() {
        let second = Duration::from_secs(1);
        let most = Duration::from_secs(32_767);
        assert!(TcpKeepAlive::new(most, most, 127).is_ok());
        for (idle, interval, probes, wanted) in [
            (
                Duration::ZERO,
                second,
                1,
                "an idle time of 1 to 32767 seconds, not 0ns",
            ),
            (
                second,
                most + Duration::from_nanos(1),
                1,
                "an interval of 1 to 32767 seconds, not 32767.000000001s",
            ),
            (second, Duration::MAX, 1, "an interval of 1 to"),
            (second, second, 0, "1 to 127 probes, not 0"),
            (second, second, 128, "1 to 127 probes, not 128"),
        ] {
            let error = TcpKeepAlive::new(idle, interval, probes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(wanted), "{error}");
        }
    }

    #[test]
    fn keep_alive_needs_a_tcp_socket() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let keep_alive = TcpKeepAlive::new(Duration::from_secs(1), Duration::from_secs(1), 1);
        assert!(keep_alive.unwrap().set_on(&ours).is_err());
    }
}
