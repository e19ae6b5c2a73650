//! Forks beside threads that lease, wait and make and drop pools: what a child makes works, whatever the parent's threads held at
//! the fork.

#![cfg(unix)]

mod common;

use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use common::wait;
use leasehold::{LeaseError, Pool, Watching};

const FORKS: usize = 300;

/// In a child: a pool that needs the housekeeper, the watch and the disposer, with threads that wait for one another.
fn use_own_pool() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pool: Pool<&str, TcpStream> = Pool::builder()
        .max_total(1)
        .watch(Watching::Both)
        .close_aside(true)
        .evict_expired(true)
        .build();
    thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                for _ in 0..20 {
                    let lease = pool.lease(&"r", Duration::MAX).unwrap();
                    lease
                        .or_connect(|| TcpStream::connect(address))
                        .unwrap()
                        .keep();
                }
            });
        }
    });
    drop(listener.accept().unwrap());
    while pool.stats().available > 0 {
        thread::yield_now();
    }
    let lease = pool.try_lease(&"r").unwrap();
    let timed_out = pool
        .request(&"r")
        .lease_async_within(Duration::from_millis(1));
    assert_eq!(wait(pin!(timed_out)).unwrap_err(), LeaseError::Timeout);
    drop(lease);
}

#[test]
fn a_childs_own_pools_work_whatever_its_parents_threads_held() {
    let inherited: Pool<&str, u32> = Pool::builder().max_total(1).build();
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while !is_over.load(Relaxed) {
                    let lease = inherited.lease(&"r", Duration::MAX).unwrap();
                    lease.or_connect(|| Ok::<_, ()>(7)).unwrap().keep();
                }
            });
        }
        threads.spawn(|| {
            while !is_over.load(Relaxed) {
                drop(
                    Pool::<&str, TcpStream>::builder()
                        .evict_expired(true)
                        .build(),
                );
            }
        });
        for _ in 0..FORKS {
            // SAFETY: the child does what it promises below: it ends without unwinding into what its parent has on the stack.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: it ends the child, by a signal, should it hang.
                unsafe { libc::alarm(60) };
                let worked = catch_unwind(AssertUnwindSafe(|| {
                    use_own_pool();
                    // It takes nothing from its parent's.
                    drop(inherited.clone());
                }));
                // SAFETY: nothing of the parent's is to run in the child.
                unsafe { libc::_exit(if worked.is_ok() { 7 } else { 1 }) };
            }
            assert!(child > 0);
            let mut status = 0;
            // SAFETY: `status` is there to be written to.
            let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
            let is_well = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7;
            if ended != child || !is_well {
                is_over.store(true, Relaxed);
                panic!(
                    "a child ended with status {status:#x}; {} is one that hung",
                    libc::SIGALRM
                );
            }
        }
        is_over.store(true, Relaxed);
    });
}
