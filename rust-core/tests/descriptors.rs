//! A process that is out of descriptors: what cannot be watched is probed, and watched as soon as that can be had. A binary of
//! its own, because the limit is the process's.

#![cfg(all(target_os = "linux", not(any(loom, shuttle))))]

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

use leasehold::{Connection, Lease, Pool, Watching};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use common::eventually;

/// A logger that uses pools, as one that sends its lines over HTTP does.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        LINES.fetch_add(1, Ordering::Relaxed);
        let pool: Pool<u32, TcpStream> = Pool::builder().watch(Watching::Watch).build();
        assert!(pool.try_lease(&0).is_ok());
    }

    fn flush(&self) {}
}

/// How many lines were logged at warn.
static LINES: AtomicU32 = AtomicU32::new(0);

/// Both ends of a connection.
struct Ends {
    ours: TcpStream,
    theirs: TcpStream,
}

fn connect(listener: &TcpListener) -> Ends {
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let theirs = listener.accept().unwrap().0;
    Ends { ours, theirs }
}

#[test]
fn what_cannot_be_watched_is_probed_and_watched_as_soon_as_it_can_be() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let [first, second] = [(); 2].map(|()| connect(&listener));
    let limit = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(1), // with 0 poll would be refused, too
        ..limit
    };
    setrlimit(Resource::Nofile, none).unwrap();

    let pool: Pool<SocketAddr, TcpStream> = Pool::builder().watch(Watching::Watch).build();
    let open = |ours| {
        let Lease::Vacancy(vacancy) = pool.try_lease(&address).unwrap() else {
            panic!("something is idle");
        };
        vacancy.fill(ours)
    };
    let (leased, other) = (open(first.ours), open(second.ours));
    assert_eq!(LINES.load(Ordering::Relaxed), 1, "said once");
    Connection::keep(leased);
    drop(first.theirs);
    // Nobody is told, but a lease finds out.
    eventually("it is found dead", || {
        match pool.try_lease(&address).unwrap() {
            Lease::Vacancy(_) => true,
            Lease::Connection(connection) => {
                Connection::keep(connection);
                false
            }
        }
    });
    assert_eq!(pool.counters().stale, 1);

    setrlimit(Resource::Nofile, limit).unwrap();
    Connection::keep(other);
    drop(second.theirs);
    eventually("it is closed without a lease", || {
        pool.stats().available == 0
    });
    eventually("it is counted", || pool.counters().closed_by_peer == 1);
}
