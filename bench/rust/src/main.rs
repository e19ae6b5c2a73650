//! What one lease, its update of the expiry and its release cost, beside a bare list under a lock.
//!
//! In each cell of threads and routes the contenders take turns, round by round, so that whatever else the machine does meanwhile
//! hits all alike. Every sample goes to a file, a row a line, for `bench/report.py`.

mod contender;
mod drive;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use contender::{BareEngine, BareList, PoolByKey, PoolByRoute};
use drive::{Drive, ns_per_cycle};

const THREADS: [usize; 4] = [1, 2, 8, 32];
const ROUTES: [usize; 2] = [1, 64];

/// A contender's name, and how it is made for a number of threads and routes.
type Entrant = (&'static str, fn(usize, usize) -> Box<dyn Drive>);

const ENTRANTS: [Entrant; 4] = [
    ("mutex-vec", |t, r| Box::new(BareList::new(t, r))),
    ("leasehold", |t, r| Box::new(BareEngine::new(t, r))),
    ("leasehold-route", |t, r| Box::new(PoolByRoute::new(t, r))),
    ("leasehold-pool", |t, r| Box::new(PoolByKey::new(t, r))),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (rounds, millis, file) = match arguments[..] {
        [file] => (31, 100, file),
        ["--quick", file] => (8, 50, file),
        _ => {
            eprintln!("usage: leasehold-bench [--quick] FILE");
            return ExitCode::from(2);
        }
    };
    match measure(rounds, Duration::from_millis(millis), file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leasehold-bench: {file}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The first round is a warm-up and not counted.
fn measure(rounds: usize, run: Duration, file: &str) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for routes in ROUTES {
        for threads in THREADS {
            eprintln!("bench: rust-cycle, threads: {threads}, routes: {routes}");
            let contenders = ENTRANTS.map(|(_, make)| make(threads, routes));
            let mut samples = vec![Vec::new(); ENTRANTS.len()];
            for round in 0..rounds {
                for (contender, samples) in contenders.iter().zip(&mut samples) {
                    let ns = ns_per_cycle(contender.as_ref(), threads, routes, run);
                    if round > 0 {
                        samples.push(ns);
                    }
                }
            }
            for ((name, _), samples) in ENTRANTS.iter().zip(samples) {
                writeln!(
                    file,
                    r#"{{"bench": "rust-cycle", "contender": "{name}", "threads": {threads}, "routes": {routes}, "samples": {samples:?}}}"#
                )?;
            }
        }
    }
    file.flush()
}
