//! Outbound HTTP of a guest: the only place where a request leaves the sandbox.
//!
//! Enters: `wasi:http` requests. Leaves: requests to granted hosts, at addresses that were checked after resolving and are
//! dialled as they were checked. Invariant: no redirect is followed, no proxy variable is read, every wait has a deadline,
//! and at most [`crate::Limits::connections_max`] connections are open.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi::runtime::AbortOnDropJoinHandle;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::far_end::{self, Deadlines, FarEnd};
use crate::grants::Grants;
use crate::request_body::Drained;
use crate::spec::LogLevel;
use crate::trust::Trust;
use crate::volume::LogGate;

/// Default deadline of resolving, connecting and the TLS handshake together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Default deadline of the response's head, and of each piece of its body.
const BYTES_DEADLINE: Duration = Duration::from_mins(1);
/// Idle connections kept for one instance.
const IDLE_MAX: usize = 8;
/// How long an idle connection is trusted to be still open.
const IDLE_AGE_MAX: Duration = Duration::from_secs(20);
/// How long an idle connection may take to be ready for its next request.
const IDLE_READY_DEADLINE: Duration = Duration::from_millis(50);
/// Bytes of a response's head at most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The hooks of one instance.
pub(crate) struct Egress(Arc<Shared>);

struct Shared {
    grants: Arc<Grants>,
    gate: Arc<LogGate>,
    trust: Arc<Trust>,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    /// Who answers in place of the outside, in tests of plugins.
    far_end: Option<Arc<dyn FarEnd>>,
}

/// Where a connection leads.
#[derive(Clone, PartialEq, Eq)]
struct Target {
    tls: bool,
    host: String,
    port: u16,
}

struct Idle {
    target: Target,
    since: Instant,
    connection: Connection,
}

/// A connection with the task that moves its bytes; both end together.
struct Connection {
    sender: SendRequest<WasiBody>,
    _task: AbortOnDropJoinHandle<()>,
}

type Answer = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Egress {
    pub(crate) fn new(grants: Arc<Grants>, gate: Arc<LogGate>, trust: Arc<Trust>, connections_max: u32) -> Self {
        let permits = Arc::new(Semaphore::new(connections_max as usize));
        Self(Arc::new(Shared { grants, gate, trust, permits, idle: Mutex::default(), far_end: None }))
    }

    /// Somebody answers in place of the outside.
    pub(crate) fn with_far_end(mut self, far_end: Option<Arc<dyn FarEnd>>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.far_end = far_end;
        }
        self
    }
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let shared = Arc::clone(&self.0);
        let request = request.map(Drained::wrap);
        Box::new(async move { shared.send(request, options.unwrap_or_default()).await })
    }
}

impl Shared {
    async fn send(self: Arc<Self>, request: Request<WasiBody>, options: RequestOptions) -> Answer {
        let target = target(request.uri())?;
        if request.method() == http::Method::CONNECT {
            return Err(self.refuse(&target, "CONNECT is not for guests", Error::HttpRequestMethodInvalid));
        }
        if !self.grants.http.iter().any(|grant| grant.allows(&target.host, target.port)) {
            return Err(self.refuse(&target, "no grant covers it", Error::HttpRequestDenied));
        }
        let Some(far_end) = self.far_end.clone() else { return self.send_out(request, target, options).await };
        let first_byte = options.first_byte_timeout.unwrap_or(BYTES_DEADLINE);
        let between = options.between_bytes_timeout.unwrap_or(BYTES_DEADLINE);
        let out = |request| async move { self.send_out(request, target, options).await.map(|(response, _)| response) };
        let answer = far_end::answer(&*far_end, request, Deadlines { first_byte, between }, out).await?;
        Ok((answer, Box::new(std::future::ready(Ok(())))))
    }

    /// Sends what may go.
    async fn send_out(
        self: Arc<Self>,
        mut request: Request<WasiBody>,
        target: Target,
        options: RequestOptions,
    ) -> Answer {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        *request.uri_mut() = Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)?;
        let first_byte = options.first_byte_timeout.unwrap_or(BYTES_DEADLINE);
        let between = options.between_bytes_timeout.unwrap_or(BYTES_DEADLINE).max(Duration::from_nanos(1));
        let mut connection = self.take_idle(&target);
        if let Some(idle) = &mut connection {
            // The task that owns it may still be putting the last answer away.
            let ready = tokio::time::timeout(IDLE_READY_DEADLINE, idle.sender.ready()).await;
            if !matches!(ready, Ok(Ok(()))) {
                connection = None;
            }
        }
        loop {
            let reused = connection.is_some();
            let mut live = match connection.take() {
                Some(live) => live,
                None => self.connect(&target, options.connect_timeout.unwrap_or(CONNECT_DEADLINE)).await?,
            };
            let sent = tokio::time::timeout(first_byte, live.sender.try_send_request(request)).await;
            match sent.map_err(|_| Error::ConnectionReadTimeout)? {
                Ok(response) => return Ok(self.answer(response, live, target, between)),
                // The far end closed an idle connection before it saw anything of the request: once more on a new one.
                Err(mut e) => match e.take_message() {
                    Some(unsent) if reused => request = unsent,
                    _ => return Err(Error::from(e.into_error())),
                },
            }
        }
    }

    fn answer(
        self: &Arc<Self>,
        response: Response<Incoming>,
        connection: Connection,
        target: Target,
        between: Duration,
    ) -> (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>) {
        let back = Some((connection, target, Arc::clone(self)));
        let response = response.map(|incoming| {
            let deadline = Box::pin(tokio::time::sleep(between));
            ResponseBody { incoming, between, deadline, back }.boxed_unsync()
        });
        (response, Box::new(std::future::ready(Ok(()))))
    }

    async fn connect(&self, target: &Target, deadline: Duration) -> Result<Connection, Error> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let permit = if let Ok(permit) = permit {
            permit
        } else {
            // Idle ones may be what stands in the way.
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            let permit = Arc::clone(&self.permits).try_acquire_owned();
            permit.map_err(|_| self.refuse(target, "too many connections are open", Error::ConnectionLimitReached))?
        };
        let connecting = tokio::time::timeout(deadline, self.dial(target, permit)).await;
        connecting.map_err(|_| Error::ConnectionTimeout)?
    }

    async fn dial(&self, target: &Target, permit: OwnedSemaphorePermit) -> Result<Connection, Error> {
        let addresses = self.resolve(target).await?;
        let mut last = Error::DestinationNotFound;
        for address in addresses {
            // The very address that was checked: no second look-up.
            let stream = match TcpStream::connect(address).await {
                Ok(stream) => stream,
                Err(e) => {
                    last = Error::Connect(e);
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            if !target.tls {
                return handshake(stream, permit).await;
            }
            let name = match target.host.parse::<IpAddr>() {
                Ok(ip) => rustls::pki_types::ServerName::from(ip),
                Err(_) => rustls::pki_types::ServerName::try_from(target.host.clone())?,
            };
            return match self.trust.connector().connect(name, stream).await {
                Ok(stream) => handshake(stream, permit).await,
                Err(e) => {
                    let why = format!("{e}; lockgate.http.ca.file names certificates to trust beside the web's");
                    Err(self.refuse(target, &why, Error::Tls(e)))
                }
            };
        }
        Err(last)
    }

    /// Addresses that may be dialled; an error if there is none.
    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, Error> {
        let found: Vec<SocketAddr> = if let Ok(ip) = target.host.parse::<IpAddr>() {
            vec![SocketAddr::new(ip, target.port)]
        } else {
            let lookup = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
            let failed = |_| Error::DnsError { rcode: Some("name not resolved".to_owned()), info_code: None };
            lookup.map_err(failed)?.collect()
        };
        let mut refusal = "it has no address".to_owned();
        let mut allowed = |address: &SocketAddr| match self.grants.check_address(address.ip(), address.port()) {
            Ok(()) => true,
            Err(why) => {
                refusal = why;
                false
            }
        };
        let usable: Vec<_> = found.into_iter().filter(|address| allowed(address)).collect();
        if usable.is_empty() {
            return Err(self.refuse(target, &refusal, Error::DestinationIpProhibited));
        }
        Ok(usable)
    }

    fn take_idle(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|i| !i.connection.sender.is_closed() && i.since.elapsed() < IDLE_AGE_MAX);
        let at = idle.iter().position(|i| i.target == *target)?;
        Some(idle.swap_remove(at).connection)
    }

    fn keep(&self, connection: Connection, target: Target) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && !connection.sender.is_closed() {
            idle.push(Idle { target, since: Instant::now(), connection });
        }
    }

    /// Tells the connector's owner why, since the guest only sees a code.
    fn refuse(&self, target: &Target, why: &str, error: Error) -> Error {
        let scheme = if target.tls { "https" } else { "http" };
        let line = format!("refused {scheme}://{}:{}: {why}", target.host, target.port);
        self.gate.line(LogLevel::Warn, line.as_bytes());
        error
    }
}

fn target(uri: &Uri) -> Result<Target, Error> {
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    if authority.as_str().contains('@') {
        return Err(Error::HttpRequestUriInvalid);
    }
    let tls = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    if host.is_empty() {
        return Err(Error::HttpRequestUriInvalid);
    }
    let port = match authority.port() {
        Some(port) => port.as_u16(),
        None if authority.as_str().ends_with(':') => return Err(Error::HttpRequestUriInvalid),
        None => {
            if tls {
                443
            } else {
                80
            }
        }
    };
    Ok(Target { tls, host: host.to_ascii_lowercase(), port })
}

async fn handshake<S>(stream: S, permit: OwnedSemaphorePermit) -> Result<Connection, Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let builder = http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).clone();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let task = wasmtime_wasi::runtime::spawn(async move {
        // Its error reaches the guest through the request or the body that it broke.
        let _ = connection.await;
        drop(permit);
    });
    Ok(Connection { sender, _task: task })
}

/// A body with a deadline for each piece, that gives its connection back at its end.
struct ResponseBody {
    incoming: Incoming,
    between: Duration,
    deadline: Pin<Box<tokio::time::Sleep>>,
    back: Option<(Connection, Target, Arc<Shared>)>,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let next = tokio::time::Instant::now() + self.between;
                self.deadline.as_mut().reset(next);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(e))) => Poll::Ready(Some(Err(Error::from(e)))),
            Poll::Ready(None) => {
                if let Some((connection, target, shared)) = self.back.take() {
                    shared.keep(connection, target);
                }
                Poll::Ready(None)
            }
            Poll::Pending => {
                let expired = self.deadline.as_mut().poll(cx);
                expired.map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // Asked again until the connection was given back.
        self.incoming.is_end_stream() && self.back.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
