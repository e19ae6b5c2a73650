//! The client against a real nginx, plain and by TLS, on tokio's executor of one thread and on that of many.

use std::collections::HashSet;
use std::fs;
use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use leasehold_example_hyper::{Client, ClientError, Timeouts};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::rustls::RootCertStore;

/// Longer than anything takes, on a busy machine too.
const LONG: Duration = Duration::from_secs(60);

/// nginx in a folder of its own, with a certificate of its own. Stopped when it is dropped.
struct Nginx {
    folder: PathBuf,
    process: Option<Child>,
    roots: RootCertStore,
    plain: u16,
    tls: u16,
}

impl Nginx {
    fn start() -> Nginx {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("nginx-{number}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("files")).unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("certificate.pem"), certified.cert.pem()).unwrap();
        fs::write(
            folder.join("key.pem"),
            certified.signing_key.serialize_pem(),
        )
        .unwrap();
        fs::write(folder.join("files/long"), vec![b'x'; 1 << 20]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certified.cert.der().clone()).unwrap();
        let [plain, tls] = free_ports();
        // Each answer says on which connection it comes.
        let server = "
            location /connection { return 200 $connection; }
            location /files/ { }
            location /closing { keepalive_timeout 0; return 200 $connection; }
        ";
        let text = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log errors.log;
             events {{ worker_connections 512; }}
             http {{
                 access_log off; keepalive_requests 100000; root .;
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                 uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                 server {{ listen 127.0.0.1:{plain}; {server} }}
                 server {{
                     listen 127.0.0.1:{tls} ssl;
                     ssl_certificate certificate.pem; ssl_certificate_key key.pem; {server}
                 }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
        let mut nginx = Nginx {
            folder,
            process: None,
            roots,
            plain,
            tls,
        };
        nginx.run();
        nginx
    }

    fn run(&mut self) {
        // Debian's is not on the path of those who are not root.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("nginx");
        command.env("PATH", path).stderr(Stdio::null());
        command
            .arg("-p")
            .arg(&self.folder)
            .args(["-c", "nginx.conf"]);
        self.process = Some(command.spawn().expect("nginx is installed"));
        let deadline = Instant::now() + LONG;
        while [self.plain, self.tls]
            .iter()
            .any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err())
        {
            assert!(Instant::now() < deadline, "nginx has not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes every connection at once.
    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Its master stops the workers, as it would not if it were killed.
            let id = process.id().to_string();
            Command::new("kill").args(["-TERM", &id]).status().unwrap();
            process.wait().unwrap();
        }
    }

    fn urls(&self) -> [String; 2] {
        [
            format!("http://127.0.0.1:{}", self.plain),
            format!("https://localhost:{}", self.tls),
        ]
    }

    fn client(&self, max_per_host: u32, max_idle_time: Duration) -> Client {
        let timeouts = Timeouts {
            response: LONG,
            lease: LONG,
            connect: LONG,
        };
        Client::new(self.roots.clone(), max_per_host, max_idle_time, timeouts)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ports of the loopback that nobody has.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn executors() -> [Runtime; 2] {
    let many = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    [
        Builder::new_current_thread().enable_all().build().unwrap(),
        many.unwrap(),
    ]
}

/// Runs a test on each of tokio's executors, plain and by TLS.
fn everywhere<F: Future<Output = ()>>(nginx: &Nginx, test: impl Fn(String) -> F) {
    for executor in executors() {
        for url in nginx.urls() {
            executor.block_on(test(url));
        }
    }
}

async fn text(client: &Client, url: &str) -> String {
    let response = client.get(url).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn many_tasks_share_as_many_connections_as_may_be() {
    let nginx = Nginx::start();
    everywhere(&nginx, |url| {
        let client = nginx.client(4, LONG);
        async move {
            let tasks: Vec<_> = (0..32)
                .map(|_| {
                    let (client, url) = (client.clone(), format!("{url}/connection"));
                    tokio::spawn(async move {
                        let mut seen = Vec::new();
                        for _ in 0..20 {
                            seen.push(text(&client, &url).await);
                        }
                        seen
                    })
                })
                .collect();
            let mut seen = HashSet::new();
            for task in tasks {
                seen.extend(task.await.unwrap());
            }
            assert!(seen.len() <= 4, "{seen:?}");
            let stats = client.pool().stats();
            assert_eq!(
                (stats.leased, stats.pending, stats.available),
                (0, 0, seen.len() as u32)
            );
        }
    });
}

#[test]
fn a_body_has_its_connection_until_its_last_byte() {
    let nginx = Nginx::start();
    everywhere(&nginx, |url| {
        let client = nginx.client(1, LONG);
        async move {
            let long = format!("{url}/files/long");
            let response = client.get(&long).await.unwrap();
            let stats = client.pool().stats();
            assert_eq!((stats.leased, stats.available), (1, 0));
            // Who comes now waits for the last byte.
            let (waiting, other) = (client.clone(), format!("{url}/connection"));
            let waiting = tokio::spawn(async move { text(&waiting, &other).await });
            eventually("it waits", || client.pool().stats().pending == 1).await;
            assert_eq!(
                response
                    .into_body()
                    .collect()
                    .await
                    .unwrap()
                    .to_bytes()
                    .len(),
                1 << 20
            );
            let first = waiting.await.unwrap();

            // A body that is dropped half read takes its connection with it.
            let mut body = client.get(&long).await.unwrap().into_body();
            assert!(body.frame().await.unwrap().is_ok());
            drop(body);
            assert_ne!(text(&client, &format!("{url}/connection")).await, first);
        }
    });
}

#[test]
fn a_connection_that_the_server_does_not_keep_is_not_kept_here() {
    let nginx = Nginx::start();
    everywhere(&nginx, |url| {
        let client = nginx.client(1, LONG);
        async move {
            let closing = format!("{url}/closing");
            assert_ne!(text(&client, &closing).await, text(&client, &closing).await);
            assert_eq!(client.pool().stats().available, 0);
        }
    });
}

#[test]
fn no_request_is_lost_to_a_server_that_was_restarted() {
    for executor in executors() {
        for which in [0, 1] {
            let mut nginx = Nginx::start();
            let client = nginx.client(8, LONG);
            let url = format!("{}/connection", nginx.urls()[which]);
            for _ in 0..3 {
                executor.block_on(text(&client, &url));
                // Nothing of the executor's runs meanwhile: it learns of the closes together with the next request.
                nginx.stop();
                nginx.run();
                let post = Request::post(&url).body(Full::from("x")).unwrap();
                let sent = executor.block_on(client.send(post));
                // nginx's answer to a POST of a text that is not a file's is one like any other.
                assert_eq!(sent.unwrap().status(), StatusCode::OK);
                assert!(!executor.block_on(text(&client, &url)).is_empty());
            }
        }
    }
}

#[test]
fn what_the_server_closes_is_closed_here_with_no_request() {
    for executor in executors() {
        let mut nginx = Nginx::start();
        let client = nginx.client(8, LONG);
        for url in nginx.urls() {
            executor.block_on(text(&client, &format!("{url}/connection")));
        }
        assert_eq!(client.pool().stats().available, 2);
        nginx.stop();
        let closed = || client.pool().counters().closed_by_peer == 2;
        executor.block_on(eventually("they are closed", closed));
        assert_eq!(client.pool().stats().available, 0);
    }
}

#[test]
fn what_nobody_has_used_for_long_is_closed() {
    let nginx = Nginx::start();
    everywhere(&nginx, |url| {
        let client = nginx.client(1, Duration::from_millis(1));
        async move {
            text(&client, &format!("{url}/connection")).await;
            eventually("it is closed", || client.pool().counters().idle == 1).await;
            assert_eq!(client.pool().stats().available, 0);
        }
    });
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_no_longer_than_was_said() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    for executor in executors() {
        let timeouts = Timeouts {
            lease: Duration::from_millis(20),
            connect: LONG,
            response: Duration::from_millis(200),
        };
        let client = Client::new(RootCertStore::empty(), 1, LONG, timeouts);
        let timed_out = |error: Box<dyn std::error::Error + Send + Sync>| match error.downcast_ref()
        {
            Some(ClientError::Timeout(what)) => *what,
            _ => panic!("{error}"),
        };
        executor.block_on(async {
            let (first, second) = tokio::join!(client.get(&url), client.get(&url));
            assert_eq!(timed_out(first.unwrap_err()), "a response");
            assert_eq!(timed_out(second.unwrap_err()), "a connection of the pool's");
        });
        let stats = client.pool().stats();
        assert_eq!((stats.leased, stats.pending, stats.available), (0, 0, 0));
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_and_loses_no_place() {
    let nginx = Nginx::start();
    let client = Client::new(RootCertStore::empty(), 1, LONG, Timeouts::default());
    for executor in executors() {
        let [_, url] = nginx.urls();
        let refused = executor.block_on(client.get(&url)).unwrap_err();
        let refused = refused.downcast::<io::Error>().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        assert_eq!(client.pool().stats().leased, 0);
    }
}
