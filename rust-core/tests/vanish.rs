//! A server that vanishes without a word: no packet of it arrives any more. Run by scripts/vanish.sh, which has such a server.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::env;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use leasehold::socket::TcpKeepAlive;
use leasehold::{Connection, Pool, Watching};

use common::eventually;

#[test]
#[ignore = "needs a server in a network of its own: scripts/vanish.sh cargo test -p leasehold --test vanish -- --ignored"]
fn tcp_keep_alive_finds_out_and_the_idle_connection_is_closed_without_a_lease() {
    let server: SocketAddr = env::var("VANISH_SERVER").unwrap().parse().unwrap();
    let second = Duration::from_secs(1);
    let pool: Pool<SocketAddr, TcpStream> = Pool::builder()
        .watch(Watching::Watch)
        .tcp_keep_alive(TcpKeepAlive::new(second, second, 2).unwrap())
        .build();
    let lease = pool.try_lease(&server).unwrap();
    Connection::keep(lease.or_connect(|| TcpStream::connect(server)).unwrap());
    let vanish = env::var("VANISH").unwrap();
    let done = Command::new("sh").args(["-c", &vanish]).status();
    assert!(done.unwrap().success());
    eventually("it is closed", || pool.counters().closed_by_peer == 1);
    assert_eq!(pool.stats().available, 0);
}
