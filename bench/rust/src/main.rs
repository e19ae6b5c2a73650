//! What one lease, its update of the expiry and its release cost in Rust and through the C ABI, beside a bare list under a lock.
//!
//! All contenders in all cells of threads and routes take turns of a few milliseconds, round by round: what else the machine does
//! lasts longer, so that it hits those that are compared in the same round alike. The samples go to a file, a row a line and of each
//! row in the order of the rounds, for `bench/report.py`.

mod c_abi;
mod contender;
mod drive;
mod native_half;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use c_abi::SharedLibrary;
use contender::{BareEngine, BareList, Contender, MeasuredEngine, PoolByKey, PoolByRoute};
use drive::{Drive, ns_per_cycle};
use native_half::NativeHalf;

const THREADS: [usize; 4] = [1, 2, 8, 32];
const ROUTES: [usize; 2] = [1, 64];
const TURN: Duration = Duration::from_millis(20);
const WARM_UP: usize = 3;

/// A bench, a contender in it, and how that is made for a number of threads and routes.
type Entrant = (&'static str, &'static str, Make);
type Make = fn(usize, usize) -> Box<dyn Drive>;

const ENTRANTS: [Entrant; 5] = [
    ("rust-cycle", "mutex-vec", make::<BareList>),
    ("rust-cycle", "leasehold", make::<BareEngine>),
    ("rust-cycle", "leasehold-route", make::<PoolByRoute>),
    ("rust-cycle", "leasehold-pool", make::<PoolByKey>),
    ("c-cycle", "leasehold", make::<SharedLibrary>),
];

/// Whose instructions are counted, by the name that scripts/cycles.sh prints.
const COUNTED: [(&str, fn(u32)); 6] = [
    ("engine", cycle::<BareEngine>),
    ("engine-measured", cycle::<MeasuredEngine>),
    ("rust-route", cycle::<PoolByRoute>),
    ("rust-key", cycle::<PoolByKey>),
    ("c", cycle::<SharedLibrary>),
    ("native-half", cycle::<NativeHalf>),
];

/// So many cycles of one thread on one route, for callgrind to count.
fn cycle<C: Contender>(count: u32) {
    let contender = C::new(1, 1);
    for _ in 0..count {
        contender.cycle(0);
    }
}

fn make<C: Contender + 'static>(threads: usize, routes: usize) -> Box<dyn Drive> {
    Box::new(C::new(threads, routes))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (rounds, file) = match arguments[..] {
        [file] => (150, file),
        ["--quick", file] => (15, file),
        ["cycles", contender, count] => return count_cycles(contender, count),
        _ => {
            eprintln!("usage: leasehold-bench [--quick] FILE | cycles CONTENDER COUNT");
            return ExitCode::from(2);
        }
    };
    match measure(rounds, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leasehold-bench: {file}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count_cycles(contender: &str, count: &str) -> ExitCode {
    let counted = COUNTED.iter().find(|(name, _)| *name == contender);
    match (counted, count.parse()) {
        (Some((_, cycle)), Ok(count)) => {
            cycle(count);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("leasehold-bench: no contender '{contender}', or no number '{count}'");
            ExitCode::from(2)
        }
    }
}

/// A contender in one cell of threads and routes.
struct Row {
    bench: &'static str,
    contender: &'static str,
    drive: Box<dyn Drive>,
    threads: usize,
    routes: usize,
    samples: Vec<f64>,
}

/// The first rounds warm up and are not counted.
fn measure(rounds: usize, file: &str) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    let cells = ROUTES.map(|routes| THREADS.map(|threads| (threads, routes)));
    let mut rows: Vec<Row> = (cells.as_flattened().iter())
        .flat_map(|&(threads, routes)| {
            ENTRANTS.map(|(bench, contender, make)| Row {
                bench,
                contender,
                drive: make(threads, routes),
                threads,
                routes,
                samples: Vec::new(),
            })
        })
        .collect();
    eprintln!("bench: Rust and C, {rounds} rounds");
    for round in 0..WARM_UP + rounds {
        for row in &mut rows {
            let ns = ns_per_cycle(row.drive.as_ref(), row.threads, row.routes, TURN);
            if round >= WARM_UP {
                row.samples.push(ns);
            }
        }
    }
    for row in rows {
        writeln!(
            file,
            r#"{{"bench": "{}", "contender": "{}", "threads": {}, "routes": {}, "samples": {:?}}}"#,
            row.bench, row.contender, row.threads, row.routes, row.samples
        )?;
    }
    file.flush()
}
