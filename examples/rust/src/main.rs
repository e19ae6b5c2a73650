//! Sends GETs to one server over pooled connections, and honours what it says about keeping them.
//!
//! ```text
//! get 127.0.0.1:8080 /index.html 1000
//! ```
//!
//! The pool watches its sockets: it closes an idle connection as soon as the server does, and hands out none that the
//! server has closed. What no pool can know is that the server closes while a request travels. A request that fails on
//! a connection from the pool is therefore sent once more, on a fresh connection in its place: a GET may be repeated.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;
use std::time::Duration;

use leasehold::{Connection, Lease, Pool, Reuse, Watching};

/// A connection that the pool can watch: it says which socket it has. A `BufReader` alone does not.
struct Stream(BufReader<TcpStream>);

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

impl Deref for Stream {
    type Target = BufReader<TcpStream>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Stream {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (server, path, count) = match &arguments[..] {
        [server, path, count] => (server, path, count.parse()),
        _ => {
            eprintln!("usage: get HOST:PORT PATH COUNT");
            return ExitCode::FAILURE;
        }
    };
    match count
        .map_err(Into::into)
        .and_then(|count| run(server, path, count))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("get: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(server: &String, path: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let pool: Pool<String, Stream> = Pool::builder()
        .max_per_route(4)
        .watch(Watching::Both)
        .build();
    let (mut opened, mut bytes) = (0, 0);
    let mut open = || {
        opened += 1;
        connect(server)
    };
    for _ in 0..count {
        let (mut connection, mut answer);
        match pool.lease(server, Duration::from_secs(10))? {
            Lease::Connection(pooled) => {
                connection = pooled;
                answer = exchange(&mut connection, server, path);
                if answer.is_err() {
                    let (dead, vacancy) = Connection::replace(connection)?;
                    drop(dead);
                    connection = vacancy.fill(open()?);
                    answer = exchange(&mut connection, server, path);
                }
            }
            Lease::Vacancy(vacancy) => {
                connection = vacancy.fill(open()?);
                answer = exchange(&mut connection, server, path);
            }
        }
        // An error drops the guard, and with it the connection.
        let (length, reuse) = answer?;
        Connection::release(connection, reuse);
        bytes += length;
    }
    let counters = pool.counters();
    let closed = counters.closed_by_peer + counters.stale;
    println!(
        "{count} requests, {bytes} bytes, {opened} connections, {closed} closed by the server"
    );
    Ok(())
}

fn connect(server: &str) -> io::Result<Stream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    Ok(Stream(BufReader::new(stream)))
}

/// One request and its whole answer: how long it was, and what is to become of the connection.
fn exchange(stream: &mut Stream, server: &str, path: &str) -> io::Result<(u64, Reuse)> {
    write!(
        stream.get_mut(),
        "GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n"
    )?;
    let head = Head::read(stream)?;
    let length = match head.body {
        Body::Length(length) => discard(stream, length)?,
        Body::Chunked => discard_chunks(stream)?,
        Body::UntilClose => io::copy(&mut **stream, &mut io::sink())?,
    };
    // The pool asks the socket for bytes that nobody asked for. Those that were read already only the reader knows of.
    let reuse = if stream.buffer().is_empty() {
        head.reuse
    } else {
        Reuse::Close
    };
    Ok((length, reuse))
}

/// What of a response's head matters here.
struct Head {
    body: Body,
    reuse: Reuse,
}

enum Body {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Head {
    fn read(stream: &mut Stream) -> io::Result<Head> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut text)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&text).map_err(io::Error::other)?;

        let header = |name: &str| {
            let named = response
                .headers
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case(name));
            let values: Vec<_> = named
                .filter_map(|header| std::str::from_utf8(header.value).ok())
                .collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        let body = if header("Transfer-Encoding").is_some() {
            Body::Chunked
        } else if matches!(response.code, Some(204 | 304)) {
            Body::Length(0)
        } else {
            header("Content-Length").map_or(Ok(Body::UntilClose), |length| {
                length
                    .trim()
                    .parse()
                    .map(Body::Length)
                    .map_err(io::Error::other)
            })?
        };
        let reuse = match body {
            Body::UntilClose => Reuse::Close,
            _ => Reuse::of_http1(
                response.version.unwrap_or(0),
                header("Connection").as_deref(),
                header("Keep-Alive").as_deref(),
            ),
        };
        Ok(Head { body, reuse })
    }
}

fn discard(stream: &mut Stream, length: u64) -> io::Result<u64> {
    if io::copy(&mut stream.by_ref().take(length), &mut io::sink())? == length {
        Ok(length)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn discard_chunks(stream: &mut Stream) -> io::Result<u64> {
    let mut total = 0;
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line)?;
        let size = match httparse::parse_chunk_size(&line) {
            Ok(httparse::Status::Complete((_, size))) => size,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if size == 0 {
            break;
        }
        total += discard(stream, size)?;
        discard(stream, 2)?;
    }
    // Trailers, up to the empty line.
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line)? > 2 {
        line.clear();
    }
    Ok(total)
}
