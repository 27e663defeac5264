//! Listeners and connections.
//!
//! Enters: bound listeners, with or without TLS. Leaves: served connections, until the shutdown future resolves; then open calls may end within
//! [`GRACE`]. Invariant: each connection has a seat and lives in one set that [`serve`] owns; none may idle or dribble its
//! headers for longer than [`HEADERS_TIMEOUT`], nor keep others out by it (`seats`).

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Api;
use crate::dispatch::OverTls;
use crate::seats::{Seat, Seats};

/// How long open calls may go on after shutdown was asked for.
pub const GRACE: Duration = Duration::from_secs(10);

/// How long the headers of a request may take, waiting for the next request included.
pub const HEADERS_TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes of the headers of a request at most.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Pause after the system refused to accept (out of file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener that is bound.
pub struct Bound {
    /// Where it listens.
    pub listener: TcpListener,
    /// With TLS.
    pub tls: Option<TlsAcceptor>,
    /// One of `admin.listeners`.
    pub is_admin: bool,
}

/// Serves until `shutdown` resolves, then up to [`GRACE`] longer. Error: a listener ended.
pub async fn serve(listeners: Vec<Bound>, api: Api, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let seats = Seats::new(api.connections_max);
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept(listener, api.clone(), Arc::clone(&seats), stopped.clone()));
    }
    drop(stopped);
    let mut shutdown = pin!(shutdown);
    let early = tokio::select! {
        () = &mut shutdown => None,
        ended = loops.join_next() => ended,
    };
    stop.send_replace(true);
    while loops.join_next().await.is_some() {}
    match early {
        Some(Err(defect)) => Err(io::Error::other(defect)),
        _ => Ok(()),
    }
}

/// Accepts until stopped, then waits for its connections.
async fn accept(bound: Bound, api: Api, seats: Arc<Seats>, mut stopped: watch::Receiver<bool>) {
    let Bound { listener, tls, is_admin } = bound;
    let router = if is_admin { api.admin } else { api.main };
    let router = if tls.is_some() { router.layer(Extension(OverTls)) } else { router };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop_asked(&mut stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let seat = tokio::select! {
                    seat = seats.sit() => seat,
                    () = stop_asked(&mut stopped) => None,
                };
                let Some(seat) = seat else { break };
                connections.spawn(greet(stream, tls.clone(), router.clone(), seat, stopped.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::warn!(seconds = GRACE.as_secs(), "calls were still open at the end of the grace period");
    }
}

/// A sender that is gone means stop, too.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}

/// One connection, from its handshake on, until it is over or has to give way.
async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    seat: Seat,
    stopped: watch::Receiver<bool>,
) {
    let router = router.layer(from_fn(seat.watch()));
    tokio::select! {
        () = handshake(stream, tls, router, stopped) => {}
        () = seat.told_to_leave() => tracing::debug!("a connection that did nothing gives way to another"),
    }
}

async fn handshake(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, stopped: watch::Receiver<bool>) {
    drop(stream.set_nodelay(true)); // slower without, not wrong
    let Some(tls) = tls else {
        return connection(stream, router, stopped).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, router, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake did not end in time"),
    }
}

async fn connection<S>(stream: S, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT).max_buf_size(HEADER_BYTES_MAX);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let early = tokio::select! {
        outcome = served.as_mut() => Some(outcome),
        () = stop_asked(&mut stopped) => None,
    };
    let outcome = if let Some(outcome) = early {
        outcome
    } else {
        served.as_mut().graceful_shutdown();
        served.await
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}
