//! The watch on Linux: one epoll set, whose registrations ask for nothing but the peer's close.
//!
//! `EPOLLRDHUP | EPOLLET` without `EPOLLIN`: what a peer sends wakes nobody, its close wakes once, also where it came
//! before the registration. Hang-ups and errors, a reset above all, are always reported.
//!
//! The kernel forgets a registration when the last descriptor of its socket is closed, so one that was not removed before
//! (a user's own close, a copy of the descriptor in a child) can report later; its token then names an opening that
//! is over.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use super::token::Token;

/// How many events the system is asked for at once.
const BATCH: usize = 64;

/// The event of a wake. No token is this number: see [`Token::MAX_POOL`].
const WAKE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Epoll {
    set: OwnedFd,
    /// Readable when somebody has called `wake`.
    bell: OwnedFd,
}

impl Epoll {
    pub(super) fn new() -> io::Result<Self> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered: an edge for each wake, and nothing to read back.
        let edges = EventFlags::IN | EventFlags::ET;
        epoll::add(&set, &bell, EventData::new_u64(WAKE), edges)?;
        Ok(Epoll { set, bell })
    }

    /// Fails where the descriptor is none that can be watched, or too many are.
    pub(super) fn add(&self, socket: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let wanted = EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(token.to_u64());
        match epoll::add(&self.set, socket, data, wanted) {
            // The same socket under another token: its connection has moved to another slot.
            Err(Errno::EXIST) => epoll::modify(&self.set, socket, data, wanted)?,
            outcome => outcome?,
        }
        Ok(())
    }

    pub(super) fn remove(&self, socket: BorrowedFd<'_>) {
        // Not there: never registered, or another file has the number since its owner closed it.
        let _ = epoll::delete(&self.set, socket);
    }

    /// Adds the tokens of what was closed to `closed`: all that there are, but no more than `most`.
    pub(super) fn wait(
        &self,
        closed: &mut Vec<Token>,
        most: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let mut timeout = timeout.map(whole_milliseconds);
        let mut events = [const { MaybeUninit::uninit() }; BATCH];
        while closed.len() < most {
            let wanted = &mut events[..BATCH.min(most - closed.len())];
            let asked = wanted.len();
            let events = match epoll::wait(&self.set, wanted, timeout.as_ref()) {
                Ok((events, _)) => events,
                Err(Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let numbers = events.iter().map(|event| event.data.u64());
            closed.extend(
                numbers
                    .filter(|number| *number != WAKE)
                    .map(Token::from_u64),
            );
            if events.len() < asked {
                break;
            }
            // The rest is there already.
            timeout = Some(whole_milliseconds(Duration::ZERO));
        }
        Ok(())
    }

    pub(super) fn wake(&self) {
        // Fails only when 2^64 wakes were not waited for.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }
}

/// Rounded up, so that who waits for a moment is not woken before it; at most what every kernel takes.
fn whole_milliseconds(timeout: Duration) -> Timespec {
    let millis = timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i64;
    Timespec {
        tv_sec: millis / 1000,
        tv_nsec: (millis % 1000 * 1_000_000) as _,
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::engine::{Numbered, Slot};
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    const SOON: Option<Duration> = Some(Duration::from_secs(10));
    const NOW: Option<Duration> = Some(Duration::ZERO);

    struct Scene {
        watch: Epoll,
        listener: TcpListener,
    }

    impl Scene {
        fn new() -> Self {
            Scene {
                watch: Epoll::new().unwrap(),
                listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            }
        }

        fn pair(&self) -> (TcpStream, TcpStream) {
            let ours = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
            (ours, self.listener.accept().unwrap().0)
        }

        fn watched(&self, token: Token) -> (TcpStream, TcpStream) {
            let (ours, theirs) = self.pair();
            self.watch.add(ours.as_fd(), token).unwrap();
            (ours, theirs)
        }

        fn closed(&self, timeout: Option<Duration>) -> Vec<Token> {
            let mut closed = Vec::new();
            self.watch.wait(&mut closed, 1_000, timeout).unwrap();
            closed
        }
    }

    #[test]
    fn a_peers_close_is_told_once_and_its_bytes_never() {
        let scene = Scene::new();
        let token = Token::new(1, Slot::of(2), 3);
        let (mut ours, mut theirs) = scene.watched(token);
        for _ in 0..10 {
            theirs.write_all(b"x").unwrap();
            ours.read_exact(&mut [0]).unwrap();
        }
        theirs.write_all(b"unread").unwrap();
        assert_eq!(scene.closed(NOW), []);
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(scene.closed(SOON), [token]);
        assert_eq!(scene.closed(NOW), []);
    }

    #[test]
    fn a_reset_is_told() {
        let scene = Scene::new();
        let token = Token::new(1, Slot::of(2), 3);
        let (_ours, theirs) = scene.watched(token);
        rustix::net::sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
        drop(theirs);
        assert_eq!(scene.closed(SOON), [token]);
    }

    #[test]
    fn a_close_before_the_registration_is_told() {
        let scene = Scene::new();
        let (mut ours, theirs) = scene.pair();
        drop(theirs);
        assert_eq!(ours.read(&mut [0]).unwrap(), 0);
        let token = Token::new(1, Slot::of(2), 3);
        scene.watch.add(ours.as_fd(), token).unwrap();
        assert_eq!(scene.closed(SOON), [token]);
    }

    #[test]
    fn what_was_removed_is_not_told_and_what_was_never_there_may_be_removed() {
        let scene = Scene::new();
        let (ours, theirs) = scene.watched(Token::new(1, Slot::of(2), 3));
        scene.watch.remove(ours.as_fd());
        scene.watch.remove(ours.as_fd());
        drop(theirs);
        let other = Token::new(1, Slot::of(4), 1);
        let (_other_ours, other_theirs) = scene.watched(other);
        drop(other_theirs);
        // Events come in the order of their closes.
        assert_eq!(scene.closed(SOON), [other]);
    }

    #[test]
    fn a_socket_that_is_added_again_is_told_under_its_new_token() {
        let scene = Scene::new();
        let (ours, theirs) = scene.watched(Token::new(1, Slot::of(2), 3));
        let token = Token::new(1, Slot::of(4), 1);
        scene.watch.add(ours.as_fd(), token).unwrap();
        drop(theirs);
        assert_eq!(scene.closed(SOON), [token]);
    }

    #[test]
    fn a_file_cannot_be_watched() {
        let scene = Scene::new();
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(
            scene
                .watch
                .add(file.as_fd(), Token::new(1, Slot::of(2), 3))
                .is_err()
        );
    }

    #[test]
    fn every_wake_ends_one_wait() {
        let scene = Scene::new();
        for _ in 0..3 {
            scene.watch.wake();
            assert_eq!(scene.closed(None), []);
        }
        std::thread::scope(|threads| {
            let waiter = threads.spawn(|| scene.closed(None));
            scene.watch.wake();
            assert_eq!(waiter.join().unwrap(), []);
        });
    }

    #[test]
    fn times_are_rounded_up_to_milliseconds() {
        let time = |timeout| {
            let time = whole_milliseconds(timeout);
            (time.tv_sec, time.tv_nsec)
        };
        assert_eq!(time(Duration::from_nanos(1)), (0, 1_000_000));
        assert_eq!(time(Duration::from_millis(2_500)), (2, 500_000_000));
        assert_eq!(time(Duration::MAX), (2_147_483, 647_000_000));
    }
}
