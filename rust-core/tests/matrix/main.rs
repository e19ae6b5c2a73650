//! For every piece of a caller's code, every call that can reach it, and every turn that the piece has in the call: it panics, calls the
//! pool, or shuts it down. Afterwards the pool leases to its full limit, its counts are exact, who waits is answered, nothing is left
//! behind, other pools and the threads they share do their work, and each panic went on to the caller or was logged.
//!
//! A binary of its own, because the logger and the faults are the process's.

#![cfg(not(any(loom, shuttle)))]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod rows;
mod stage;
mod surface;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::sync::{Mutex, mpsc};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use leasehold::{Connection, Lease, Pool};

use common::eventually;
use faults::{Deed, KEYS, OnPurpose, Piece, WAKERS, WIRES, inside, key};
use rows::{ROWS, Row};
use stage::{Bystander, Load, Pooled, Settings, Stage};

/// The pool that a piece calls.
static CALLED: Mutex<Option<Pooled>> = Mutex::new(None);

/// What a piece does that calls the pool.
fn call_back(deed: Deed, piece: Piece) {
    let Some(pool) = CALLED.lock().unwrap().clone() else {
        return;
    };
    if deed == Deed::ShutDown {
        return pool.shutdown();
    }
    let known = key(1);
    if let Ok(Lease::Connection(connection)) = pool.try_lease(&known) {
        Connection::keep(connection);
    }
    let mut future = Box::pin(pool.lease_async(&known));
    drop(stage::poll(&mut future, Waker::noop()));
    drop(future);
    let _ = pool.stats_of(&known);
    let _ = pool.entries();
    let _ = pool.route(&known);
    pool.close_expired();
    pool.set_max_of(&known, Some(3)).unwrap();
    // What a key is looked up by knows nothing but the keys that the pool does.
    if !matches!(piece, Piece::KeyEq | Piece::KeyBorrow) {
        for number in 20..30 {
            let _ = pool.try_lease(&key(number));
        }
        pool.clear(&key(20));
    }
}

/// How the call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// By a program's plain text.
    Plain,
    /// By the drop of something on the stack of a thread that unwinds.
    Unwinding,
}

/// Makes a call while the thread unwinds. What it panics with, if that gets so far, which ends the process.
fn unwinding(call: impl FnOnce()) {
    struct InDrop<F: FnOnce()>(Option<F>);

    impl<F: FnOnce()> Drop for InDrop<F> {
        fn drop(&mut self) {
            self.0.take().unwrap()();
        }
    }

    let outer = catch_unwind(AssertUnwindSafe(|| {
        let _in_drop = InDrop(Some(call));
        resume_unwind(Box::new("the holder's own"));
    }));
    assert!(outer.is_err());
}

/// A cell, as it is told where it fails.
#[derive(Clone, Debug)]
#[allow(dead_code)] // They are printed.
struct Case {
    settings: Settings,
    load: Load,
    place: Place,
    row: &'static str,
    how: &'static str,
    piece: Piece,
    deed: Deed,
}

/// What is under way, for the one who watches that it ends.
static UNDER_WAY: Mutex<Option<(Instant, Case)>> = Mutex::new(None);

/// Nothing here may hang: says what does, and ends the process.
fn watch_for_hangs() {
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_secs(1));
            if let Some((since, case)) = &*UNDER_WAY.lock().unwrap() {
                if since.elapsed() > 2 * common::LONG {
                    eprintln!("it hangs: {case:?}");
                    process::exit(9);
                }
            }
        }
    });
}

/// Knows when the disposer has closed all that it was given before.
struct Barrier(Pool<u32, Ping>);

/// A connection whose drop tells.
struct Ping(mpsc::Sender<()>);

impl Drop for Ping {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

impl Barrier {
    fn new() -> Barrier {
        Barrier(Pool::builder().close_aside(true).build())
    }

    fn pass(&self) {
        inside(|| {
            let (ping, dropped) = mpsc::channel();
            let lease = self.0.try_lease(&1).unwrap();
            drop(lease.or_connect(|| Ok::<_, ()>(Ping(ping))));
            dropped
                .recv_timeout(common::LONG)
                .expect("the disposer closes it");
        });
    }
}

/// Runs one cell; how many turns the piece had.
fn run(case: &Case, row: &Row, bystander: &Bystander, barrier: &Barrier) -> usize {
    *UNDER_WAY.lock().unwrap() = Some((Instant::now(), case.clone()));
    let (wires, keys, wakers) = (WIRES.count(), KEYS.count(), WAKERS.count());
    let mut stage = Stage::new(case.settings, case.load);
    let is_last = row.calls == ["Drop for Pool"];
    *CALLED.lock().unwrap() = match is_last {
        // One reference more would not be the last: another pool is called then, and not shut down.
        true => (case.deed != Deed::ShutDown).then(|| bystander.pool().clone()),
        false => stage.pool.clone(),
    };
    faults::take_errors();
    faults::arm(case.piece, case.deed, call_back);
    let mut propagated = 0;
    match case.place {
        Place::Plain => {
            let outcome = catch_unwind(AssertUnwindSafe(|| (row.run)(&mut stage)));
            if let Err(panic) = outcome {
                if !panic.is::<OnPurpose>() {
                    eprintln!("in {case:?}");
                    resume_unwind(panic);
                }
                mem::forget(panic);
                propagated = 1;
            }
        }
        Place::Unwinding => unwinding(|| (row.run)(&mut stage)),
    }
    // What the disposer has under way for it ends first.
    barrier.pass();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let (turns, done) = faults::disarm();
        *CALLED.lock().unwrap() = None;
        let is_panic = matches!(case.deed, Deed::PanicAt(_) | Deed::PanicAlways);
        if is_panic && case.piece != Piece::Logger {
            // Never swallowed, and never told twice.
            eventually("every panic is told", || {
                propagated + faults::errors() >= done
            });
            assert_eq!(
                propagated + faults::errors(),
                done,
                "propagated: {propagated}"
            );
        } else if !is_panic {
            assert_eq!((propagated, faults::errors()), (0, 0));
        }
        stage.check();
        bystander.check();
        if row.calls == ["the housekeeper"] && done > 0 {
            bystander.check_threads();
        }
        eventually("nothing is left behind", || {
            // But what the bystander keeps.
            WIRES.count() <= wires.max(1) && (KEYS.count(), WAKERS.count()) == (keys, wakers)
        });
        turns
    }));
    *UNDER_WAY.lock().unwrap() = None;
    failed.unwrap_or_else(|panic| {
        eprintln!("in {case:?}");
        resume_unwind(panic);
    })
}

/// Calls that are drops: they may be made by a thread that unwinds, and then let nothing out.
fn is_drop(row: &Row) -> bool {
    row.calls[0].starts_with("Drop for ")
}

#[test]
fn whatever_a_callers_code_does_costs_nobody_else_anything() {
    log::set_logger(&faults::Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    watch_for_hangs();
    let bystander = Bystander::new();
    let barrier = Barrier::new();
    inside(|| {
        bystander.check();
        // Keys that it gets to know.
        *CALLED.lock().unwrap() = Some(bystander.pool().clone());
        call_back(Deed::CallBack, Piece::Connect);
        bystander.check_threads();
    });
    let mut cells: BTreeMap<Piece, usize> = BTreeMap::new();
    let mut total = 0;
    for row in ROWS {
        for (settings, load) in Settings::ALL
            .into_iter()
            .flat_map(|settings| Load::ALL.map(|load| (settings, load)))
        {
            if !(row.wants)(settings, load) {
                continue;
            }
            for piece in Piece::ALL {
                let places = match is_drop(row) {
                    true => &[Place::Plain, Place::Unwinding][..],
                    false => &[Place::Plain],
                };
                for place in places {
                    let case = |deed| Case {
                        settings,
                        load,
                        place: *place,
                        row: row.calls[0],
                        how: row.how,
                        piece,
                        deed,
                    };
                    let turns = run(&case(Deed::Count), row, &bystander, &barrier);
                    if turns == 0 {
                        continue;
                    }
                    let singly = (0..turns).map(Deed::PanicAt);
                    let deeds = singly.chain([Deed::PanicAlways, Deed::CallBack, Deed::ShutDown]);
                    for deed in deeds {
                        run(&case(deed), row, &bystander, &barrier);
                        total += 1;
                        *cells.entry(piece).or_default() += 1;
                    }
                }
            }
        }
    }
    bystander.check_threads();
    // To be seen also where what a test prints is kept from view.
    writeln!(io::stderr(), "the Rust matrix: {total} cells, {cells:?}").unwrap();
    for piece in Piece::ALL {
        assert!(cells.contains_key(&piece), "no call reaches {piece:?}");
    }
    assert!(
        total > 3_000,
        "calls that reached a caller's code do so no more"
    );
    drop((bystander, barrier));
    eventually("no thread of the library's is left", || !is_a_thread_left());
}

/// Whether a thread of the library's own is there.
fn is_a_thread_left() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let mut names =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.any(|name| name.starts_with("leasehold"))
}

#[test]
fn every_call_and_every_piece_of_code_that_a_caller_may_bring_has_its_rows() {
    let known: BTreeSet<String> = ROWS
        .iter()
        .flat_map(|row| row.calls)
        .map(|call| call.to_string())
        .collect();
    let offered = surface::calls();
    let missing: Vec<_> = offered.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "no row of the matrix makes these calls: {missing:?}"
    );
    // Of what a type is made of, or of a thread of the library's own.
    let by_others = [
        "Drop for Connecting",
        "Drop for Pool",
        "Drop for Route",
        "Drop for Vacancy",
        "the housekeeper",
    ]
    .map(str::to_owned);
    let gone: Vec<_> = known
        .difference(&offered)
        .filter(|call| !by_others.contains(call))
        .collect();
    assert!(
        gone.is_empty(),
        "these calls are not there any more: {gone:?}"
    );
    let asked: Vec<Piece> = surface::pieces().into_iter().collect();
    let of_bounds = [
        Piece::KeyHash,
        Piece::KeyEq,
        Piece::KeyBorrow,
        Piece::KeyClone,
        Piece::AsFd,
        Piece::UsableWhenReadable,
        Piece::IsUsable,
        Piece::Descriptor,
        Piece::IsKept,
        Piece::WakerWake,
        Piece::Connect,
        Piece::Opening,
        Piece::StateName,
    ];
    assert_eq!(asked, of_bounds);
}
