//! Runs a contender on a number of threads for a while.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::Contender;

/// A contender in a loop of its own, so that no call in the loop goes through a pointer.
pub(crate) trait Drive: Sync {
    /// Cycles through the routes, beginning with `route`, until told to stop; returns how often.
    fn drive(&self, route: usize, routes: usize, stop: &AtomicBool) -> u64;
}

impl<C: Contender> Drive for C {
    fn drive(&self, mut route: usize, routes: usize, stop: &AtomicBool) -> u64 {
        const BATCH: u64 = 64;
        let mut cycles = 0;
        loop {
            for _ in 0..BATCH {
                self.cycle(route);
                route += 1;
                if route == routes {
                    route = 0;
                }
            }
            cycles += BATCH;
            if stop.load(Relaxed) {
                return cycles;
            }
        }
    }
}

/// Wall time of the run divided by the cycles of all its threads, in nanoseconds.
pub(crate) fn ns_per_cycle(
    contender: &dyn Drive,
    threads: usize,
    routes: usize,
    run: Duration,
) -> f64 {
    let stop = AtomicBool::new(false);
    let start = Barrier::new(threads + 1);
    let work = |number: usize| {
        start.wait();
        let began = Instant::now();
        let cycles = contender.drive(number % routes, routes, &stop);
        (began, Instant::now(), cycles)
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        start.wait();
        thread::sleep(run);
        stop.store(true, Relaxed);
        let done: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().expect("no contender panics"))
            .collect();
        // By the threads' own clocks: with more of them than processors this thread is told late.
        let began = done.iter().map(|done| done.0).min();
        let ended = done.iter().map(|done| done.1).max();
        let wall = ended.zip(began).map_or(Duration::ZERO, |(e, b)| e - b);
        let cycles: u64 = done.iter().map(|done| done.2).sum();
        wall.as_nanos() as f64 / cycles as f64
    })
}
