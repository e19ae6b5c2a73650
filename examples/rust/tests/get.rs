//! The example against a real nginx, and against servers that close at the worst moment.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_tcp_cork;

/// An nginx of this test's own, on a free port, in a directory of its own.
struct Nginx {
    process: Child,
    directory: PathBuf,
    address: String,
}

impl Nginx {
    fn start(settings: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let directory =
            std::env::temp_dir().join(format!("leasehold-get-{}", address.replace(':', "-")));
        fs::create_dir_all(&directory).unwrap();
        // Its workers may run as another user.
        let root = directory.display();
        fs::write(directory.join("page"), "x".repeat(1000)).unwrap();
        let config = format!(
            "daemon off; pid {root}/pid; error_log stderr; worker_processes 1; {user}
             events {{}}
             http {{ access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
                     fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
                     server {{ listen {address}; root {root}; {settings} }} }}",
            user = "user root;",
        );
        let file = directory.join("nginx.conf");
        fs::write(&file, config).unwrap();
        let process = Command::new("nginx")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["-e", "stderr", "-c"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed: ./dev test sees to that");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            thread::yield_now();
        }
        Nginx {
            process,
            directory,
            address,
        }
    }

    fn get(&self, path: &str, count: u32) -> String {
        get(&self.address, path, count)
    }
}

/// What the example says after so many requests.
fn get(address: &str, path: &str, count: u32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_get"))
        .args([address, path, &count.to_string()])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// Reads a request's head. False if the client has closed.
fn read_request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM lets the master end its workers; a kill would leave them.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn one_connection_serves_as_many_requests_as_the_server_allows() {
    let nginx = Nginx::start("keepalive_requests 100;");
    assert_eq!(
        nginx.get("/page", 250),
        "250 requests, 250000 bytes, 3 connections, 0 closed by the server\n"
    );
}

#[test]
fn a_server_that_closes_after_each_answer_is_obeyed() {
    let nginx = Nginx::start("keepalive_timeout 0;");
    assert_eq!(
        nginx.get("/page", 5),
        "5 requests, 5000 bytes, 5 connections, 0 closed by the server\n"
    );
}

#[test]
fn chunked_answers_leave_the_connection_usable() {
    let nginx = Nginx::start("ssi on; ssi_types *;");
    assert_eq!(
        nginx.get("/page", 5),
        "5 requests, 5000 bytes, 1 connections, 0 closed by the server\n"
    );
}

#[test]
fn a_connection_that_the_server_has_closed_is_noticed_before_a_request_is_sent_on_it() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let unserved = thread::spawn(move || {
        for stream in server.incoming().take(100) {
            let mut stream = stream.unwrap();
            assert!(read_request(&mut stream));
            // Held back until the close: the answer's last byte and the close arrive as one.
            set_tcp_cork(&stream, true).unwrap();
            stream.write_all(ANSWER).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            assert!(
                !read_request(&mut stream),
                "a request was sent on a closed connection"
            );
        }
    });
    let said = get(&address, "/", 100);
    unserved.join().unwrap();
    // Whether the close of the last one is noticed before the program ends is open.
    let expected = |closed| {
        format!("100 requests, 500 bytes, 100 connections, {closed} closed by the server\n")
    };
    assert!(said == expected(99) || said == expected(100), "{said}");
}

#[test]
fn a_request_that_the_server_closed_upon_is_sent_once_more_in_its_place() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut first, _) = server.accept().unwrap();
        assert!(read_request(&mut first));
        first.write_all(ANSWER).unwrap();
        assert!(read_request(&mut first));
        drop(first);
        let (mut second, _) = server.accept().unwrap();
        while read_request(&mut second) {
            second.write_all(ANSWER).unwrap();
        }
    });
    assert_eq!(
        get(&address, "/", 3),
        "3 requests, 15 bytes, 2 connections, 0 closed by the server\n"
    );
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_get"))
        .args([&address.to_string(), "/", "1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("refused")
    );
}
