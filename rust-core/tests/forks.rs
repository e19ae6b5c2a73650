//! Pools in forked children: beside threads of the parent that lease, wait and make and drop pools, what a child makes works, whatever
//! they held at the fork. And what takes a process of its own to be tried: without threads to be had, and with signals.

#![cfg(unix)]

mod common;

use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use common::wait;
use leasehold::{Connection, LeaseError, Pool, Watching};

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
    in_three_threads(&|| {
        for _ in 0..20 {
            let lease = pool.lease(&"r", Duration::MAX).unwrap();
            Connection::keep(lease.or_connect(|| TcpStream::connect(address)).unwrap());
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
    assert!(matches!(wait(pin!(timed_out)), Err(LeaseError::Timeout(_))));
    drop(lease);
}

/// Runs it in three of the system's threads. Those of the standard library take a lock of the process when they begin and end, which is
/// locked for ever in a child that was forked while another thread of its parent did so.
fn in_three_threads(work: &(dyn Fn() + Sync)) {
    extern "C" fn run(work: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: it outlives the thread, which is joined below.
        let work = unsafe { &*work.cast::<&(dyn Fn() + Sync)>() };
        let worked = catch_unwind(AssertUnwindSafe(work)).is_ok();
        usize::from(worked) as *mut libc::c_void
    }
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let mut thread = 0;
            // SAFETY: what it is given outlives it.
            let error = unsafe {
                let work = (&raw const work).cast_mut().cast();
                libc::pthread_create(&raw mut thread, std::ptr::null(), run, work)
            };
            assert_eq!(error, 0);
            thread
        })
        .collect();
    for thread in threads {
        let mut worked = std::ptr::null_mut();
        // SAFETY: joined once.
        assert_eq!(unsafe { libc::pthread_join(thread, &raw mut worked) }, 0);
        assert!(!worked.is_null(), "a thread panicked");
    }
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
                    Connection::keep(lease.or_connect(|| Ok::<_, ()>(7)).unwrap());
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
            let has_worked = works_in_a_child(|| {
                use_own_pool();
                // It takes nothing from its parent's.
                drop(inherited.clone());
            });
            if !has_worked {
                is_over.store(true, Relaxed);
                panic!("a child hung or failed");
            }
        }
        is_over.store(true, Relaxed);
    });
}

/// Runs `work` in a child, and tells whether it did not panic there.
fn works_in_a_child(work: impl FnOnce()) -> bool {
    // SAFETY: the child ends here, without unwinding into what its parent has on the stack.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: it ends the child, by a signal, should it hang.
        unsafe { libc::alarm(60) };
        let worked = catch_unwind(AssertUnwindSafe(work)).is_ok();
        // SAFETY: nothing of the parent's is to run in the child.
        unsafe { libc::_exit(if worked { 7 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is there to be written to.
    let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
    ended == child && libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7
}

/// How many threads the child's user may have: none more, or as many as before.
fn limit_threads(limit: libc::rlim_t) {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a whole struct, written and read during the calls.
    let set = unsafe {
        libc::getrlimit(libc::RLIMIT_NPROC, &raw mut limits);
        limits.rlim_cur = limit.min(limits.rlim_max);
        libc::setrlimit(libc::RLIMIT_NPROC, &raw const limits)
    };
    assert_eq!(set, 0);
}

#[test]
fn what_takes_a_thread_that_cannot_be_had_is_refused_and_tried_again() {
    assert!(works_in_a_child(|| {
        // SAFETY: the child's only thread becomes another user, as root is exempt from the limit.
        unsafe {
            if libc::geteuid() == 0 {
                assert_eq!(libc::setuid(54321), 0);
            }
        }
        limit_threads(0);
        let pool: Pool<&str, u32> = Pool::builder().max_total(1).evict_expired(true).build();
        let lease = pool.try_lease(&"r").unwrap();
        let briefly = || {
            pool.request(&"r")
                .lease_async_within(Duration::from_millis(1))
        };
        assert_eq!(wait(pin!(briefly())).unwrap_err(), LeaseError::NoThread);
        assert_eq!(pool.stats().pending, 0);
        limit_threads(libc::RLIM_INFINITY);
        assert!(matches!(wait(pin!(briefly())), Err(LeaseError::Timeout(_))));
        // What expires is evicted from now on.
        let leased = lease.or_connect(|| Ok::<_, ()>(7)).unwrap();
        Connection::keep_for(leased, Duration::from_millis(1));
        common::eventually("what has expired is evicted", || {
            pool.stats().available == 0
        });
    }));
}

#[test]
fn the_librarys_threads_block_every_signal_and_the_callers_mask_stays() {
    assert!(works_in_a_child(|| {
        let mask = |path: &str| {
            let status = std::fs::read_to_string(path).unwrap();
            let line = status.lines().find(|line| line.starts_with("SigBlk:"));
            u64::from_str_radix(line.unwrap()["SigBlk:".len()..].trim(), 16).unwrap()
        };
        let before = mask("/proc/thread-self/status");
        let pool: Pool<&str, u32> = Pool::builder()
            .evict_expired(true)
            .close_aside(true)
            .build();
        Connection::close(
            pool.try_lease(&"r")
                .unwrap()
                .or_connect(|| Ok::<_, ()>(7))
                .unwrap(),
        );
        assert_eq!(mask("/proc/thread-self/status"), before);
        // Each gives itself its name when it has begun.
        let masks = || -> Vec<u64> {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let tasks = tasks.map(|task| task.unwrap().path());
            let is_own = |task: &std::path::PathBuf| {
                let name = std::fs::read_to_string(task.join("comm")).unwrap();
                name.starts_with("leasehold")
            };
            let own = tasks.filter(is_own);
            own.map(|task| mask(task.join("status").to_str().unwrap()))
                .collect()
        };
        common::eventually("there are two threads", || masks().len() == 2);
        // But for those that nobody can block, and the C library's own two.
        let unblocked = [libc::SIGKILL, libc::SIGSTOP, 32, 33];
        let unblocked: u64 = unblocked.iter().map(|number| 1 << (number - 1)).sum();
        assert_eq!(masks(), [!unblocked; 2]);
    }));
}
