//! The program of the README: one GET over a pooled `TcpStream`, as short as it gets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use leasehold::{Connection, Pool, Reuse, Watching};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server: SocketAddr = "127.0.0.1:8080".parse()?;
    // What a server closes is closed here at once, and a lease asks once more: the connection's type says its socket.
    let pool: Pool<SocketAddr, TcpStream> = Pool::builder()
        .max_per_route(32)
        .watch(Watching::Both)
        .build();

    // An idle connection if there is one, else the right to open one, else wait.
    let lease = pool.lease(&server, Duration::from_secs(3))?;
    let mut connection = lease.or_connect(|| TcpStream::connect(server))?;
    connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = [0; 4096];
    let length = connection.read(&mut answer)?; // a small answer; HTTP is yours
    println!("{}", String::from_utf8_lossy(&answer[..length]));
    Connection::release(connection, Reuse::of_http1(1, None, None)); // dropped without a word it would be closed
    Ok(())
}
