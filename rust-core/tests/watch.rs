//! The watch and the probe over real sockets: what a peer closes is closed here, and nothing else is.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use leasehold::socket::TcpKeepAlive;
use leasehold::{Builder, Clock, Connection, Lease, ManualClock, Pool, Watching};
use rustix::net::{AddressFamily, SocketType, sockopt};

use common::{LONG, eventually};

type Settings = Builder<SocketAddr, TcpStream>;

/// A server whose connections the test has in hand, and a pool of connections to it.
struct Scene {
    listener: TcpListener,
    address: SocketAddr,
    pool: Pool<SocketAddr, TcpStream>,
}

impl Scene {
    fn new(settings: impl FnOnce(Settings) -> Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Scene {
            listener,
            address,
            pool: settings(Pool::builder()).build(),
        }
    }

    fn watching(watching: Watching) -> Self {
        Scene::new(|settings| settings.watch(watching))
    }

    /// A leased connection that was just opened, and the server's end of it.
    fn open(&self) -> (Connection<SocketAddr, TcpStream>, TcpStream) {
        let Lease::Vacancy(vacancy) = self.pool.try_lease(&self.address).unwrap() else {
            panic!("something is idle");
        };
        let connection = vacancy.fill(TcpStream::connect(self.address).unwrap());
        (connection, self.listener.accept().unwrap().0)
    }

    /// As many idle connections, by the server's ends.
    fn open_idle(&self, count: usize) -> Vec<TcpStream> {
        let (leased, peers): (Vec<_>, Vec<_>) = (0..count).map(|_| self.open()).unzip();
        leased.into_iter().for_each(Connection::keep);
        peers
    }

    fn available(&self) -> u32 {
        self.pool.stats().available
    }

    fn closed_by_peer(&self) -> u64 {
        self.pool.counters().closed_by_peer
    }
}

/// The ways in which a server takes its leave.
fn farewells() -> [(&'static str, fn(&mut TcpStream)); 4] {
    [
        ("a close", |peer| peer.shutdown(Shutdown::Both).unwrap()),
        ("a half-close", |peer| {
            peer.shutdown(Shutdown::Write).unwrap();
        }),
        ("a reset", |peer| {
            // Closed with a linger of zero it says RST, not FIN.
            sockopt::set_socket_linger(&*peer, Some(Duration::ZERO)).unwrap();
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            *peer = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        }),
        ("a last word", |peer| {
            peer.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
                .unwrap();
            peer.shutdown(Shutdown::Both).unwrap();
        }),
    ]
}

#[test]
fn an_idle_connection_whose_peer_leaves_is_closed_without_a_lease() {
    for (name, leave) in farewells() {
        let scene = Scene::watching(Watching::Watch);
        let mut peers = scene.open_idle(3);
        leave(&mut peers[1]);
        eventually(name, || scene.available() == 2);
        eventually("it is counted", || scene.closed_by_peer() == 1);
    }
}

#[test]
fn a_leased_connection_whose_peer_leaves_is_closed_at_its_release() {
    for (name, leave) in farewells() {
        let scene = Scene::watching(Watching::Watch);
        let (leased, mut peer) = scene.open();
        let (other, mut other_peer) = scene.open();
        Connection::keep(other);
        leave(&mut peer);
        leave(&mut other_peer);
        // Told in the order of the closes.
        eventually(name, || scene.available() == 0);
        Connection::keep(leased);
        assert_eq!(scene.available(), 0, "{name}");
        eventually("it is counted", || scene.closed_by_peer() == 2);
    }
}

#[test]
fn what_a_peer_says_while_it_stays_closes_nothing() {
    let scene = Scene::watching(Watching::Watch);
    let mut peers = scene.open_idle(3);
    for _ in 0..100 {
        peers[0].write_all(b"x").unwrap();
    }
    drop(peers.pop());
    eventually("the one that closed is told", || scene.available() == 2);
    eventually("it is counted", || scene.closed_by_peer() == 1);
}

#[test]
fn a_peer_that_left_before_the_connection_was_filled_in_is_noticed() {
    let scene = Scene::watching(Watching::Watch);
    let Lease::Vacancy(vacancy) = scene.pool.try_lease(&scene.address).unwrap() else {
        panic!("nothing is idle yet");
    };
    let mut socket = TcpStream::connect(scene.address).unwrap();
    drop(scene.listener.accept().unwrap());
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    Connection::keep(vacancy.fill(socket));
    eventually("it is closed", || scene.pool.stats().available == 0);
    eventually("it is counted", || scene.closed_by_peer() == 1);
}

#[test]
fn the_probe_finds_what_its_peer_has_left_and_another_idle_one_is_leased() {
    for (name, leave) in farewells() {
        let scene = Scene::watching(Watching::Probe);
        let mut peers = scene.open_idle(2);
        leave(&mut peers[1]);
        let fresh = peers[0].peer_addr().unwrap();
        eventually(name, || {
            let Lease::Connection(leased) = scene.pool.try_lease(&scene.address).unwrap() else {
                panic!("one is left");
            };
            let is_fresh = leased.local_addr().unwrap() == fresh;
            Connection::keep(leased);
            is_fresh
        });
        assert_eq!(scene.available(), 1, "{name}");
        assert_eq!(scene.pool.counters().stale, 1, "{name}");
    }
}

#[test]
fn a_dead_connections_place_is_given_where_nothing_else_is_idle() {
    let scene = Scene::new(|settings| settings.watch(Watching::Probe).max_total(1));
    let peers = scene.open_idle(1);
    drop(peers);
    eventually("it is found dead", || {
        match scene.pool.try_lease(&scene.address).unwrap() {
            Lease::Vacancy(vacancy) => {
                assert_eq!(scene.pool.stats().leased, 1);
                drop(vacancy);
                true
            }
            Lease::Connection(connection) => {
                Connection::keep(connection);
                false
            }
        }
    });
    assert_eq!(scene.pool.counters().stale, 1);
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn a_waiter_is_not_handed_what_its_peer_has_left() {
    let scene = Scene::new(|settings| settings.watch(Watching::Probe).max_total(1));
    let (mut leased, peer) = scene.open();
    thread::scope(|threads| {
        let waiter = threads.spawn(|| scene.pool.lease(&scene.address, LONG));
        eventually("it waits", || scene.pool.stats().pending == 1);
        drop(peer);
        assert_eq!(leased.read(&mut [0]).unwrap(), 0);
        Connection::keep(leased);
        assert!(matches!(waiter.join().unwrap().unwrap(), Lease::Vacancy(_)));
    });
    assert_eq!(scene.pool.counters().stale, 1);
}

#[test]
fn bytes_that_nobody_asked_for_make_a_plain_connection_unusable_and_others_as_they_say() {
    let is_leased_again = |scene: &Scene| {
        let mut peers = scene.open_idle(1);
        let (socket, peer) = (scene.address, &mut peers[0]);
        peer.write_all(b"x").unwrap();
        let mut told = false;
        eventually("the byte arrives", || {
            match scene.pool.try_lease(&socket).unwrap() {
                Lease::Vacancy(_) => true,
                Lease::Connection(connection) => {
                    connection.set_nonblocking(true).unwrap();
                    told = connection.peek(&mut [0]).is_ok();
                    Connection::keep(connection);
                    told
                }
            }
        });
        told && scene.available() == 1
    };
    let plain = Scene::watching(Watching::Both);
    // The peek above is by a lease that came before the byte: the next one finds it.
    if is_leased_again(&plain) {
        assert!(matches!(
            plain.pool.try_lease(&plain.address).unwrap(),
            Lease::Vacancy(_)
        ));
    }
    assert_eq!(plain.pool.counters().stale, 1);

    let ticketed = Scene::new(|settings| {
        settings
            .watch(Watching::Both)
            .usable_when_readable(|_| true)
    });
    assert!(is_leased_again(&ticketed));
    assert_eq!(ticketed.pool.counters().stale, 0);
}

#[test]
fn without_a_watch_nothing_is_found_out() {
    let scene = Scene::watching(Watching::Off);
    let (mut leased, peer) = scene.open();
    drop(peer);
    assert_eq!(leased.read(&mut [0]).unwrap(), 0);
    Connection::keep(leased);
    assert!(matches!(
        scene.pool.try_lease(&scene.address).unwrap(),
        Lease::Connection(_)
    ));
    assert_eq!(scene.pool.counters(), Default::default());
}

#[test]
fn a_thousand_connections_that_the_server_closes_leave_none_in_close_wait() {
    raise_file_limit();
    let scene = Scene::watching(Watching::Both);
    let peers = scene.open_idle(1_000);
    let ports: Vec<u16> = peers
        .iter()
        .map(|peer| peer.peer_addr().unwrap().port())
        .collect();
    drop(peers);
    eventually("all are closed", || scene.available() == 0);
    eventually("it is counted", || scene.closed_by_peer() == 1_000);
    eventually("none waits to be closed", || {
        let waiting = in_close_wait();
        !ports.iter().any(|port| waiting.contains(port))
    });
}

/// Numbers of descriptors come back at once in other sockets, of the pool and of strangers: an event that comes late must
/// hit neither.
#[test]
fn reused_descriptors_evict_no_healthy_connection() {
    raise_file_limit();
    let scene = Scene::watching(Watching::Watch);
    let healthy = scene.open_idle(50);
    let is_over = AtomicBool::new(false);
    let mut closed = 0;
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    let ours = TcpStream::connect(elsewhere.local_addr().unwrap()).unwrap();
                    drop(elsewhere.accept().unwrap());
                    drop(ours);
                }
            });
        }
        for round in 0..100 {
            let (leased, mut peers): (Vec<_>, Vec<_>) =
                (0..10).map(|_| scene.open_beside()).unzip();
            for (index, (leased, peer)) in leased.into_iter().zip(&mut peers).enumerate() {
                // Some close while they are leased, some while they are idle, some at the very release, and some are
                // closed here first.
                match (index + round) % 4 {
                    0 => {
                        peer.shutdown(Shutdown::Both).unwrap();
                        Connection::keep(leased);
                        closed += 1;
                    }
                    1 => {
                        Connection::keep(leased);
                        peer.shutdown(Shutdown::Both).unwrap();
                        closed += 1;
                    }
                    2 => {
                        peer.shutdown(Shutdown::Both).unwrap();
                        Connection::close(leased);
                    }
                    _ => Connection::close(leased),
                }
            }
        }
        eventually("what was closed is gone", || scene.available() == 50);
        is_over.store(true, Ordering::Relaxed);
    });
    eventually("it is counted", || scene.closed_by_peer() == closed);
    drop(healthy);
    eventually("the healthy ones are still watched", || {
        scene.available() == 0
    });
}

impl Scene {
    /// A connection of another route, so that none of those that are idle is leased.
    fn open_beside(&self) -> (Connection<SocketAddr, TcpStream>, TcpStream) {
        let key = SocketAddr::from(([127, 0, 0, 1], 0));
        let vacancy = loop {
            match self.pool.try_lease(&key).unwrap() {
                Lease::Vacancy(vacancy) => break vacancy,
                // Its peer has closed and nobody was told yet.
                Lease::Connection(connection) => {
                    Connection::keep(connection);
                    thread::yield_now();
                }
            }
        };
        let connection = vacancy.fill(TcpStream::connect(self.address).unwrap());
        (connection, self.listener.accept().unwrap().0)
    }
}

#[test]
fn a_connection_put_in_place_of_another_through_the_guard_is_watched_in_its_turn() {
    let scene = Scene::watching(Watching::Watch);
    let (mut leased, peer) = scene.open();
    let new = TcpStream::connect(scene.address).unwrap();
    let new_peer = scene.listener.accept().unwrap().0;
    let old = std::mem::replace(&mut *leased, new);
    // The old one's close is told while the lease lasts, and again concerns nobody when the new one is idle.
    let (other, other_peer) = scene.open();
    Connection::keep(other);
    drop((peer, other_peer));
    eventually("both closes are told", || scene.available() == 0);
    Connection::keep(leased);
    eventually("one is counted", || scene.closed_by_peer() == 1);
    assert_eq!(scene.available(), 1);
    drop(old);

    drop(new_peer);
    eventually("the new one's close is told", || scene.available() == 0);
    eventually("it is counted", || scene.closed_by_peer() == 2);
}

#[test]
fn a_connection_taken_out_of_the_pool_is_watched_no_longer() {
    let scene = Scene::watching(Watching::Watch);
    let (leased, peer) = scene.open();
    let (mine, vacancy) = Connection::replace(leased).unwrap();
    let new = TcpStream::connect(scene.address).unwrap();
    let new_peer = scene.listener.accept().unwrap().0;
    Connection::keep(vacancy.fill(new));
    let others = scene.open_idle_beside();
    drop(peer);
    drop(others);
    eventually("the other's close is told", || scene.available() == 1);
    eventually("it is counted", || scene.closed_by_peer() == 1);
    drop((mine, new_peer));
}

#[test]
fn a_connection_that_reconnects_between_replace_and_fill_is_watched_though_its_descriptor_is_the_same()
 {
    let scene = Scene::watching(Watching::Watch);
    let (leased, peer) = scene.open();
    let number = leased.as_raw_fd();
    let (old, vacancy) = Connection::replace(leased).unwrap();
    // What a reconnect in place does: the new socket has the number of the one before.
    let new = TcpStream::connect(scene.address).unwrap();
    let new_peer = scene.listener.accept().unwrap().0;
    let mut same = OwnedFd::from(old);
    rustix::io::dup2(&new, &mut same).unwrap();
    drop((peer, new));
    let connection = vacancy.fill(TcpStream::from(same));
    assert_eq!(connection.as_raw_fd(), number);
    let other_peer = scene.open_idle_beside();
    Connection::keep(connection);
    drop(other_peer);
    eventually("the other's close is told", || scene.closed_by_peer() == 1);
    assert_eq!(scene.available(), 1);
    drop(new_peer);
    eventually("its own close is told", || scene.closed_by_peer() == 2);
}

#[test]
fn another_connection_in_a_lease_has_what_is_left_of_the_time_to_live() {
    let clock = ManualClock::new();
    let scene = Scene::new(|settings| {
        settings
            .clock(Clock::manual(&clock))
            .time_to_live(Duration::from_secs(10))
            .watch(Watching::Watch)
    });
    let (mut leased, _peer) = scene.open();
    clock.advance(6_000);
    let _new_peer = scene.put_another_in(&mut leased);
    Connection::keep(leased);
    clock.advance(4_000);
    scene.pool.close_expired();
    assert_eq!((scene.available(), scene.pool.counters().expired), (0, 1));
}

#[test]
fn what_is_promised_for_another_connection_in_a_lease_holds_and_what_was_for_the_one_before_does_not()
 {
    let clock = ManualClock::new();
    let scene = Scene::new(|settings| settings.clock(Clock::manual(&clock)).watch(Watching::Watch));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let expires_in = || scene.pool.entries()[0].expires_in;

    let (mut leased, _peer) = scene.open();
    let _new_peer = scene.put_another_in(&mut leased);
    Connection::update_expiry(&mut leased, Duration::from_secs(5));
    Connection::keep_as_promised(leased);
    assert_eq!(expires_in(), seconds(5));

    let Lease::Connection(mut leased) = scene.pool.try_lease(&scene.address).unwrap() else {
        panic!("it is idle");
    };
    let _newest_peer = scene.put_another_in(&mut leased);
    Connection::keep_as_promised(leased);
    assert_eq!(expires_in(), None);
}

#[test]
fn another_connection_in_a_lease_is_cleared_with_its_route() {
    let scene = Scene::watching(Watching::Watch);
    let (mut leased, _peer) = scene.open();
    let _new_peer = scene.put_another_in(&mut leased);
    scene.pool.clear(&scene.address);
    Connection::keep(leased);
    assert_eq!((scene.available(), scene.pool.counters().cleared), (0, 1));
}

#[test]
fn a_socket_that_connects_only_in_its_lease_is_no_dead_one_and_is_watched_afterwards() {
    let scene = Scene::watching(Watching::Watch);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let Lease::Vacancy(vacancy) = scene.pool.try_lease(&scene.address).unwrap() else {
        panic!("something is idle");
    };
    let leased = vacancy.fill(TcpStream::from(socket));
    // An event of it would come before this one's.
    drop(scene.open_idle_beside());
    eventually("the other's close is told", || scene.closed_by_peer() == 1);
    rustix::net::connect(&*leased, &scene.address).unwrap();
    let peer = scene.listener.accept().unwrap().0;
    Connection::keep(leased);
    assert_eq!(scene.available(), 1);
    drop(peer);
    eventually("its close is told", || scene.closed_by_peer() == 2);
}

impl Scene {
    /// Another connection in place of a leased one, which is closed then, through the guard; the server's end of it.
    fn put_another_in(&self, leased: &mut Connection<SocketAddr, TcpStream>) -> TcpStream {
        **leased = TcpStream::connect(self.address).unwrap();
        self.listener.accept().unwrap().0
    }

    fn open_idle_beside(&self) -> TcpStream {
        let (leased, peer) = self.open_beside();
        Connection::keep(leased);
        peer
    }
}

#[test]
fn connections_get_the_pools_keep_alive() {
    let keep_alive = TcpKeepAlive::new(Duration::from_secs(30), Duration::from_secs(7), 4).unwrap();
    let scene = Scene::new(|settings| settings.tcp_keep_alive(keep_alive));
    let (leased, _peer) = scene.open();
    assert!(sockopt::socket_keepalive(&*leased).unwrap());
    assert_eq!(
        sockopt::tcp_keepidle(&*leased).unwrap(),
        Duration::from_secs(30)
    );
    assert_eq!(
        sockopt::tcp_keepintvl(&*leased).unwrap(),
        Duration::from_secs(7)
    );
    assert_eq!(sockopt::tcp_keepcnt(&*leased).unwrap(), 4);
}

/// A connection whose close waits for an answer, as one of TLS may.
struct Polite(TcpStream);

impl AsFd for Polite {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Polite {
    fn drop(&mut self) {
        let _ = self.0.write_all(b"goodbye");
        let _ = self.0.read_to_end(&mut Vec::new());
    }
}

#[test]
fn a_close_that_waits_for_ever_is_ended_and_delays_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pool: Pool<SocketAddr, Polite> = Pool::builder()
        .watch(Watching::Both)
        .close_aside(true)
        .max_total(1)
        .build();
    let open = || {
        let vacancy = match pool.try_lease(&address).unwrap() {
            Lease::Vacancy(vacancy) => vacancy,
            Lease::Connection(connection) => {
                Connection::close(connection);
                return None;
            }
        };
        let connection = vacancy.fill(Polite(TcpStream::connect(address).unwrap()));
        Some((connection, listener.accept().unwrap().0))
    };
    // The peer never answers, and every close returns at once all the same: the next lease has its place.
    let mut peers = Vec::new();
    for _ in 0..3 {
        let (connection, peer) = open().expect("nothing is idle");
        Connection::close(connection);
        peers.push(peer);
    }
    for mut peer in peers {
        let mut words = Vec::new();
        peer.read_to_end(&mut words).unwrap();
        assert_eq!(words, b"goodbye");
    }
}

#[test]
fn a_thousand_closes_that_wait_for_ever_are_ended_together() {
    raise_file_limit();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pool: Pool<SocketAddr, Polite> = Pool::builder()
        .watch(Watching::Both)
        .close_aside(true)
        .build();
    let (connections, peers): (Vec<_>, Vec<_>) = (0..1_000)
        .map(|_| {
            let lease = pool.try_lease(&address).unwrap();
            let connect = || TcpStream::connect(address).map(Polite);
            let connection = lease.or_connect(connect).unwrap();
            (connection, listener.accept().unwrap().0)
        })
        .unzip();
    connections.into_iter().for_each(Connection::close);
    for mut peer in peers {
        peer.set_read_timeout(Some(LONG)).unwrap();
        peer.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// Its close lingers for an hour, and tells that it has begun.
struct Lingering(TcpStream, mpsc::Sender<()>);

impl AsFd for Lingering {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let _ = self.1.send(());
    }
}

#[test]
fn a_socket_that_lingers_keeps_no_other_from_being_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pool: Pool<SocketAddr, Lingering> = Pool::builder()
        .watch(Watching::Both)
        .close_aside(true)
        .build();
    let (closed, closes) = mpsc::channel();
    sockopt::set_socket_recv_buffer_size(&listener, 4_096).unwrap();
    // More than there may be workers.
    let _peers: Vec<_> = (0..100)
        .map(|_| {
            let mut socket = TcpStream::connect(address).unwrap();
            let peer = listener.accept().unwrap().0;
            sockopt::set_socket_send_buffer_size(&socket, 4_096).unwrap();
            // The peer never reads what the close would wait for.
            socket.set_nonblocking(true).unwrap();
            while socket.write(&[0; 1 << 12]).is_ok() {}
            socket.set_nonblocking(false).unwrap();
            sockopt::set_socket_linger(&socket, Some(Duration::from_secs(3_600))).unwrap();
            let lease = pool.try_lease(&address).unwrap();
            let connection = Lingering(socket, closed.clone());
            Connection::close(lease.or_connect(|| Ok::<_, ()>(connection)).unwrap());
            peer
        })
        .collect();
    for _ in 0..100 {
        closes.recv_timeout(LONG).unwrap();
    }
}

/// A connection whose close waits until the test lets it go, and says that it was closed.
struct Stubborn {
    gate: Option<mpsc::Receiver<()>>,
    closed: mpsc::Sender<()>,
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        let _ = self.closed.send(());
    }
}

#[test]
fn a_flood_of_closes_behind_one_that_hangs_loses_none() {
    const FLOOD: usize = 10_000;
    let (closed, closes) = mpsc::channel();
    let (gate, held) = mpsc::channel();
    let pool: Pool<usize, Stubborn> = Pool::builder().close_aside(true).build();
    let open = |gate| {
        let closed = closed.clone();
        let lease = pool.try_lease(&0).unwrap();
        lease
            .or_connect(|| Ok::<_, ()>(Stubborn { gate, closed }))
            .unwrap()
    };
    Connection::close(open(Some(held)));
    let flood: Vec<_> = (0..FLOOD).map(|_| open(None)).collect();
    flood.into_iter().for_each(Connection::keep);
    pool.close_idle(Duration::ZERO);
    for _ in 0..FLOOD {
        closes.recv_timeout(LONG).unwrap();
    }
    drop(gate);
    closes.recv_timeout(LONG).unwrap();
}

#[test]
fn a_pool_that_ends_has_its_connections_closed() {
    let (closed, closes) = mpsc::channel();
    let pool: Pool<usize, Stubborn> = Pool::builder().close_aside(true).build();
    let leased: Vec<_> = (0..100)
        .map(|_| {
            let closed = closed.clone();
            let lease = pool.try_lease(&0).unwrap();
            lease
                .or_connect(|| Ok::<_, ()>(Stubborn { gate: None, closed }))
                .unwrap()
        })
        .collect();
    leased.into_iter().for_each(Connection::keep);
    drop(pool);
    for _ in 0..100 {
        closes.recv_timeout(LONG).unwrap();
    }
}

/// The race that stays: a server may close while a request travels. What it has closed 5 ms before the lease is never
/// handed out.
#[test]
fn beside_a_server_that_closes_at_random_no_request_fails_but_by_the_race_that_stays() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // When the server closed the connection from this port.
    let closed: Mutex<HashMap<u16, Instant>> = Mutex::default();
    let is_over = AtomicBool::new(false);
    let pool: Pool<SocketAddr, TcpStream> = Pool::builder().watch(Watching::Both).build();
    let mut exchanges = 0;
    thread::scope(|threads| {
        let (closed, is_over) = (&closed, &is_over);
        threads.spawn(move || {
            let mut random = 1u64;
            loop {
                let (mut peer, from) = listener.accept().unwrap();
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                random = random
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                let patience = Duration::from_millis(500 + (random >> 33) % 1_000);
                peer.set_read_timeout(Some(patience)).unwrap();
                threads.spawn(move || {
                    while matches!(peer.read(&mut [0]), Ok(1)) {
                        peer.write_all(b"y").unwrap();
                    }
                    peer.shutdown(Shutdown::Both).unwrap();
                    closed.lock().unwrap().insert(from.port(), Instant::now());
                });
            }
        });
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let pool = &pool;
                threads.spawn(move || {
                    let end = Instant::now() + Duration::from_secs(4);
                    let mut exchanges = 0;
                    while Instant::now() < end {
                        let leased_at = Instant::now();
                        let lease = pool.try_lease(&address).unwrap();
                        let mut connection =
                            lease.or_connect(|| TcpStream::connect(address)).unwrap();
                        let outcome = connection
                            .write_all(b"x")
                            .and_then(|()| connection.read_exact(&mut [0]));
                        if outcome.is_ok() {
                            Connection::keep(connection);
                            exchanges += 1;
                        } else {
                            let port = connection.local_addr().unwrap().port();
                            let at = closed.lock().unwrap().get(&port).copied();
                            assert!(
                                at.is_none_or(|at| leased_at < at + Duration::from_millis(5)),
                                "it was closed {:?} before the lease",
                                at.map(|at| leased_at - at)
                            );
                        }
                        // Around the server's patience, each client in its own rhythm.
                        thread::sleep(Duration::from_millis(200 * (client % 4) + 450 + client));
                    }
                    exchanges
                })
            })
            .collect();
        for client in clients {
            exchanges += client.join().unwrap();
        }
        pool.shutdown();
        is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(address).unwrap());
    });
    assert!(exchanges > 0);
    assert!(pool.counters().closed_by_peer > 0);
}

/// As many descriptors as this process may have: it has both ends of each connection.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// The local ports of the machine's connections that wait to be closed here.
fn in_close_wait() -> Vec<u16> {
    const CLOSE_WAIT: &str = "08";
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let sockets = table.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = fields[1].split_once(':').unwrap();
        (
            u16::from_str_radix(port, 16).unwrap(),
            fields[3] == CLOSE_WAIT,
        )
    });
    sockets
        .filter(|(_, waits)| *waits)
        .map(|(port, _)| port)
        .collect()
}

#[test]
fn what_is_asked_of_proc_shows_a_connection_that_waits_to_be_closed() {
    let scene = Scene::watching(Watching::Off);
    let (leased, peer) = scene.open();
    let port = leased.local_addr().unwrap().port();
    drop(peer);
    eventually("it waits", || in_close_wait().contains(&port));
    assert!(leased.as_raw_fd() >= 0);
}

/// A connection whose type says nothing of its socket.
#[derive(Debug)]
struct Framed(Option<TcpStream>);

#[test]
fn a_connection_whose_descriptor_a_closure_tells_is_watched_and_probed_as_any_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for watching in [Watching::Probe, Watching::Watch, Watching::Both] {
        let pool: Pool<u32, Framed> = Pool::builder()
            .watch_by(watching, |framed: &Framed| {
                framed.0.as_ref().map(AsFd::as_fd)
            })
            .build();
        let open = |socket| {
            let lease = pool.try_lease(&1).unwrap();
            lease.or_connect(|| Ok::<_, ()>(Framed(socket))).unwrap()
        };
        let without = open(None);
        let with = open(Some(TcpStream::connect(address).unwrap()));
        let (mut peer, _) = listener.accept().unwrap();
        Connection::keep(with);
        Connection::keep(without);
        let connections = [(); 2].map(|()| open(None));
        assert!(connections[0].0.is_none() && connections[1].0.is_some());
        connections.into_iter().for_each(Connection::keep);
        // What it sends is on no answer's behalf, which a probe tells; its close is told by each.
        match watching {
            Watching::Watch => drop(peer),
            _ => peer.write_all(b"x").unwrap(),
        }
        let counters = || pool.counters().stale + pool.counters().closed_by_peer;
        eventually("it is found out", || {
            let [first, second] = [(); 2].map(|()| pool.try_lease(&1).unwrap());
            for lease in [first, second] {
                if let Lease::Connection(connection) = lease {
                    Connection::keep(connection);
                }
            }
            counters() == 1
        });
        // The one without a socket is there still.
        assert_eq!(pool.stats().available, 1);
    }
}

#[test]
fn what_is_taken_out_is_watched_no_more_and_stays_open() {
    let scene = Scene::watching(Watching::Both);
    let (connection, mut peer) = scene.open();
    let mut stream = Connection::into_inner(connection);
    peer.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    drop(peer);
    // The housekeeper has seen a later close, so it would have seen this one.
    drop(scene.open_idle(1));
    eventually("the later one is seen", || scene.closed_by_peer() == 1);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}
