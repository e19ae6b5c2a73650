//! An HTTP/1.1 client on tokio, hyper and rustls, with Leasehold for its pool.
//!
//! hyper speaks HTTP on one connection and has a task for it, which notices the server's close, but not before the executor comes to run
//! it: a request that comes first would be lost. So the pool has the connection's socket, too, by a descriptor of its own, watches it and
//! asks it at each lease. What no pool can know is whether a server closes while a request travels: such a request is sent once more.
//!
//! A response is given to the caller as soon as its head is there. Its [`Body`] has the lease with it, and ends it: with the last byte the
//! connection goes back, a body that is dropped before has its connection closed.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use leasehold::{Connected, Connection, Lease, Pool, Reuse, Vacancy, Watching};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What a request may fail with beside what the pool, hyper, rustls and the system say.
#[derive(Debug)]
pub enum ClientError {
    /// The URL is none that this client can go to.
    Url(&'static str),
    /// What was waited for, which did not come in time.
    Timeout(&'static str),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Url(what) => write!(f, "the URL has {what}"),
            ClientError::Timeout(what) => write!(f, "timed out waiting for {what}"),
        }
    }
}

impl Error for ClientError {}

type BoxError = Box<dyn Error + Send + Sync>;

/// For how long a request waits for each part of what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection of the pool's, or the right to open one.
    pub lease: Duration,
    /// For a new connection, its TLS included.
    pub connect: Duration,
    /// For the head of the response, from the moment there is a connection.
    pub response: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            lease: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            response: Duration::from_secs(60),
        }
    }
}

/// What a connection goes to: the pool's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    is_tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Result<Self, ClientError> {
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(ClientError::Url("a scheme that is neither http nor https")),
        };
        let host = uri.host().ok_or(ClientError::Url("no host"))?;
        Ok(Origin {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
        })
    }
}

/// What is pooled: hyper's end of a connection. The other end is a task, which ends when this is dropped.
#[derive(Debug)]
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
    /// The connection's socket, by a descriptor beside the one that the task has: a borrowed one could be another's by the time it is used.
    socket: OwnedFd,
    is_tls: bool,
}

/// The client. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    pool: Pool<Origin, Http>,
    tls: TlsConnector,
    timeouts: Timeouts,
}

impl Client {
    /// A client that believes those who are certified by `roots`.
    pub fn new(
        roots: RootCertStore,
        max_per_host: u32,
        max_idle_time: Duration,
        timeouts: Timeouts,
    ) -> Self {
        let tls = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let pool = Pool::builder()
            .max_per_route(max_per_host)
            .watch_by(Watching::Both, |http: &Http| Some(http.socket.as_fd()))
            .is_usable(|http| !http.sender.is_closed())
            // TLS has messages of its own, a session ticket for example, which the task has not read yet.
            .usable_when_readable(|http| http.is_tls)
            // What the server has promised to keep for so long, and what nobody has used for long.
            .evict_expired(true)
            .evict_idle(max_idle_time)
            // The last clone may be dropped in a task, which is not to wait for the pool's threads.
            .wait_at_end(false)
            .build();
        Client {
            pool,
            tls: TlsConnector::from(Arc::new(tls)),
            timeouts,
        }
    }

    /// The client's pool, for its numbers.
    pub fn pool(&self) -> &Pool<Origin, Http> {
        &self.pool
    }

    /// Gets a URL.
    pub async fn get(&self, url: &str) -> Result<Response<Body>, BoxError> {
        self.send(Request::get(url).body(Full::default())?).await
    }

    /// Sends a request whose URI is absolute.
    ///
    /// On a connection that was used before it is sent once more, on a fresh one, where hyper has not begun to send it, or where it fails
    /// before any of its answer has come and its method may be repeated.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, BoxError> {
        let origin = Origin::of(request.uri())?;
        let mut request = in_origin_form(request)?;
        let lease = self.pool.lease_async(&origin);
        let lease = within(self.timeouts.lease, "a connection of the pool's", lease).await??;
        let mut connection = self.connection_of(lease, &origin).await?;
        loop {
            let copy = request.method().is_idempotent().then(|| request.clone());
            // Whatever ends this call from here on drops the guard, and so closes the connection.
            let exchange = exchange(&mut connection.sender, request);
            match within(self.timeouts.response, "a response", exchange).await? {
                Ok(response) => return Ok(Body::of(response, connection)),
                Err(Failure { error, unsent }) => match unsent.or(copy) {
                    Some(again) if Connection::is_reused(&connection) && !error.is_parse() => {
                        // In its place, which is kept: the request does not go to the end of the queue.
                        let (dead, vacancy) = Connection::replace(connection)?;
                        drop(dead);
                        connection = self.open(&origin, vacancy).await?;
                        request = again;
                    }
                    _ => return Err(error.into()),
                },
            }
        }
    }

    /// The connection of a lease, an open one, or whichever comes first: one that is opened, or one that another request gives back.
    async fn connection_of(
        &self,
        lease: Lease<Origin, Http>,
        origin: &Origin,
    ) -> Result<Leased, BoxError> {
        let (client, origin) = (self.clone(), origin.clone());
        let connected = lease.or_connect_async(|| async move { client.connect(&origin).await });
        let Connected {
            connection,
            unfinished,
        } = connected.await?;
        if let Some(unfinished) = unfinished {
            // What was begun is for the next request.
            tokio::spawn(async move {
                if let Ok(connection) = unfinished.await {
                    Connection::keep(connection);
                }
            });
        }
        Ok(connection)
    }

    /// Opens a connection in the place of one that was dead.
    async fn open(
        &self,
        origin: &Origin,
        vacancy: Vacancy<Origin, Http>,
    ) -> Result<Leased, BoxError> {
        Ok(vacancy.fill(self.connect(origin).await?))
    }

    async fn connect(&self, origin: &Origin) -> Result<Http, BoxError> {
        let opening = self.connect_at_leisure(origin);
        within(self.timeouts.connect, "a new connection", opening).await?
    }

    async fn connect_at_leisure(&self, origin: &Origin) -> Result<Http, BoxError> {
        let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await?;
        stream.set_nodelay(true)?;
        let socket = stream.as_fd().try_clone_to_owned()?;
        let is_tls = origin.is_tls;
        let sender = if is_tls {
            let name = ServerName::try_from(origin.host.clone())?;
            speak_http(self.tls.connect(name, stream).await?).await?
        } else {
            speak_http(stream).await?
        };
        Ok(Http {
            sender,
            socket,
            is_tls,
        })
    }
}

/// A connection of the pool's in a lease.
type Leased = Connection<Origin, Http>;

async fn within<F: Future>(
    time: Duration,
    what: &'static str,
    future: F,
) -> Result<F::Output, ClientError> {
    let outcome = timeout(time, future).await;
    outcome.map_err(|_| ClientError::Timeout(what))
}

/// Has hyper speak HTTP on a stream, in a task that ends with the stream or the sender.
async fn speak_http(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> hyper::Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // How it ends is told to who uses the sender.
        let _ = connection.await;
    });
    Ok(sender)
}

/// A request that got no answer.
struct Failure {
    error: hyper::Error,
    /// The request, where nothing of it was sent.
    unsent: Option<Request<Full<Bytes>>>,
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    // The task may still be at the end of the last response, or has just seen that the server has closed.
    if let Err(error) = sender.ready().await {
        return Err(Failure {
            error,
            unsent: Some(request),
        });
    }
    let sent = sender.try_send_request(request).await;
    sent.map_err(|mut failed| Failure {
        unsent: failed.take_message(),
        error: failed.into_error(),
    })
}

/// What a server is sent: the path alone, and the host in a header.
fn in_origin_form(mut request: Request<Full<Bytes>>) -> Result<Request<Full<Bytes>>, BoxError> {
    let uri = request.uri();
    let authority = uri.authority().ok_or(ClientError::Url("no host"))?.as_str();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = path.parse()?;
    request.headers_mut().entry(HOST).or_insert(host);
    *request.uri_mut() = path;
    Ok(request)
}

/// The body of a response, and the lease of the connection that it comes on.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    /// Taken by what ends the lease: the end of the body, or an error.
    lease: Option<(Leased, Reuse)>,
}

impl Body {
    fn of(response: Response<Incoming>, connection: Leased) -> Response<Self> {
        let lines = |name: HeaderName| {
            let values = response.headers().get_all(name).into_iter();
            values.filter_map(|value| value.to_str().ok())
        };
        let minor_version = u8::from(response.version() != Version::HTTP_10);
        let reuse = Reuse::of_http1(minor_version, lines(CONNECTION), lines(KEEP_ALIVE));
        response.map(|incoming| {
            let mut body = Body {
                incoming,
                lease: Some((connection, reuse)),
            };
            body.end_at_last_byte();
            body
        })
    }

    /// Gives the connection back where nothing more comes, and so before the caller asks whether anything does.
    fn end_at_last_byte(&mut self) {
        if self.incoming.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some((connection, reuse)) = self.lease.take() {
            Connection::release(connection, reuse);
        }
    }
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(context));
        match &frame {
            Some(Ok(_)) => self.end_at_last_byte(),
            // Closes the connection, on which the rest might still come.
            Some(Err(_)) => self.lease = None,
            None => self.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
