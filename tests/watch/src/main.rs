//! A program to look at from outside, with strace and callgrind, for what watching idle connections costs.
//!
//! `cycles SETTING COUNT` leases and releases one connection. `idle COUNT SECONDS` keeps connections to a server in a process of its own,
//! and prints what the housekeeper's thread has used of a processor meanwhile, in microseconds. `burst COUNT` has so many idle connections
//! closed at once by their peers, while two threads lease by what the watch tells alone, and prints how many leases got one that was closed
//! before, and how long before at most, in microseconds.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use leasehold::{Connection, Lease, Policy, Pool, Watching};

type Streams = Pool<SocketAddr, TcpStream>;

const KEPT_FOR: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["cycles", setting, count] => cycles(setting, count),
        ["idle", count, seconds] => idle(count, seconds),
        ["burst", count] => burst(count),
        ["serve"] => serve().map_err(Into::into),
        _ => Err(
            "usage: (cycles off|probe|watch|both COUNT | idle COUNT SECONDS | burst COUNT)".into(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leasehold-tests-watch: {error}");
            ExitCode::FAILURE
        }
    }
}

fn cycles(setting: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let watching = match setting {
        "off" => Watching::Off,
        "probe" => Watching::Probe,
        "watch" => Watching::Watch,
        "both" => Watching::Both,
        _ => return Err(format!("no setting '{setting}'").into()),
    };
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let pool: Streams = Pool::builder().watch(watching).build();
    Connection::keep_for(
        pool.try_lease(&address)?
            .or_connect(|| TcpStream::connect(address))?,
        KEPT_FOR,
    );
    let _accepted = server.accept()?;
    // libc does more around a system call in a program with threads. With this one all settings are such programs.
    thread::spawn(thread::park);
    for _ in 0..count.parse::<u32>()? {
        match pool.try_lease(&address)? {
            Lease::Connection(connection) => Connection::keep_for(connection, KEPT_FOR),
            Lease::Vacancy(_) => return Err("the connection was lost".into()),
        }
    }
    Ok(())
}

fn idle(count: &str, seconds: &str) -> Result<(), Box<dyn Error>> {
    let count: usize = count.parse()?;
    let seconds = Duration::from_secs(seconds.parse()?);
    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("no output of the server")?).read_line(&mut line)?;
    let address: SocketAddr = line.trim().parse()?;

    let pool: Streams = Pool::builder().watch(Watching::Both).build();
    let mut leased = Vec::new();
    for _ in 0..count {
        let connection = pool
            .try_lease(&address)?
            .or_connect(|| TcpStream::connect(address))?;
        leased.push(connection);
    }
    leased.into_iter().for_each(Connection::keep);
    let before = housekeepers_microseconds()?;
    thread::sleep(seconds);
    let used = housekeepers_microseconds()? - before;
    if pool.stats().available as usize != count {
        return Err(format!(
            "{} of {count} idle connections are left",
            pool.stats().available
        )
        .into());
    }
    println!("{used}");
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}

struct Numbered {
    stream: TcpStream,
    number: usize,
}

impl AsFd for Numbered {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn burst(count: &str) -> Result<(), Box<dyn Error>> {
    let count: usize = count.parse()?;
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let pool: Pool<SocketAddr, Numbered> = Pool::builder()
        .watch(Watching::Watch)
        .policy(Policy::Fifo) // in turn, so that every one is met
        .build();
    let mut leased = Vec::new();
    let mut peers = Vec::new();
    for number in 0..count {
        let connect = || TcpStream::connect(address).map(|stream| Numbered { stream, number });
        leased.push(pool.try_lease(&address)?.or_connect(connect)?);
        peers.push(server.accept()?.0);
    }
    leased.into_iter().for_each(Connection::keep);

    let start = Instant::now();
    let now = || start.elapsed().as_micros() as u64 + 1;
    // When each was closed, in microseconds; 0 before.
    let closed: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
    let (late, latest) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let asked = now();
                    let Ok(Lease::Connection(connection)) = pool.try_lease(&address) else {
                        break;
                    };
                    let since = closed[connection.number].load(Relaxed);
                    if since != 0 && since < asked {
                        late.fetch_add(1, Relaxed);
                        latest.fetch_max(asked - since, Relaxed);
                    }
                    Connection::keep(connection);
                }
            });
        }
        for (number, peer) in peers.into_iter().enumerate() {
            drop(peer);
            closed[number].store(now(), Relaxed);
        }
    });
    println!("{} {}", late.into_inner(), latest.into_inner());
    Ok(())
}

/// Accepts and holds what comes, until nobody holds the other end of its input.
fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// What the kernel has charged the housekeeper's thread with.
fn housekeepers_microseconds() -> Result<u64, Box<dyn Error>> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))? == "leasehold\n" {
            let charged = fs::read_to_string(task.join("schedstat"))?;
            let nanoseconds = charged.split(' ').next().ok_or("an empty schedstat")?;
            return Ok(nanoseconds.parse::<u64>()? / 1000);
        }
    }
    Err("there is no housekeeper's thread".into())
}
