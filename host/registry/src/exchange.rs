//! One request, one connection.
//!
//! Enters: an endpoint, a path, perhaps a body. Leaves: status and body. Invariant: the addresses that are dialled are those
//! that were checked; connecting and answering have a deadline each; an answer has at most [`ANSWER_BYTES_MAX`]. Schemas
//! are kept, so connections are not: nothing is left open between two questions.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use lockgate_convert::registry::Unavailable;
use lockgate_convert::{Connection, Endpoint, Scheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::allowed::Grant;

/// Bytes of an answer's body at most.
pub(crate) const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Bytes of an answer's head at most.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The registry API's own media type, then plain JSON.
const MEDIA_TYPES: &str = "application/vnd.schemaregistry.v1+json, application/json;q=0.8";
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// What is asked of any of the endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) method: Method,
    /// Behind the base URL, encoded, with its query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
}

/// Asks one endpoint.
pub(crate) async fn ask(
    endpoint: &Endpoint,
    grant: Grant,
    connection: &Connection,
    tls: &TlsConnector,
    question: &Question,
) -> Result<(u16, Bytes), Unavailable> {
    let unreachable = |why: String| Unavailable {
        code: "registry.unreachable",
        message: format!("the schema registry {endpoint} cannot be reached: {why}"),
    };
    let late = |what: &str, ms: u64| Unavailable {
        code: "registry.timeout",
        message: format!("the schema registry {endpoint} did not {what} within {ms} ms"),
    };
    let request = request(endpoint, question).map_err(unreachable)?;
    let connect_ms = connection.connect_timeout_ms;
    let connecting = timeout(Duration::from_millis(connect_ms), dial(endpoint, grant));
    let stream = connecting.await.map_err(|_| late("take a connection", connect_ms))?.map_err(unreachable)?;
    let read_ms = connection.read_timeout_ms;
    let answer = async {
        if endpoint.scheme != Scheme::Https {
            return exchange(stream, request).await;
        }
        let name = if let Ok(ip) = endpoint.host.parse::<IpAddr>() {
            rustls::pki_types::ServerName::from(ip)
        } else {
            let name = rustls::pki_types::ServerName::try_from(endpoint.host.clone());
            name.map_err(|e| e.to_string())?
        };
        exchange(tls.connect(name, stream).await.map_err(|e| e.to_string())?, request).await
    };
    let answered = timeout(Duration::from_millis(read_ms), answer);
    answered.await.map_err(|_| late("answer", read_ms))?.map_err(unreachable)
}

fn request(endpoint: &Endpoint, question: &Question) -> Result<Request<Full<Bytes>>, String> {
    let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(format!("{}{}", endpoint.path, question.path))
        .header(HOST, format!("{host}:{}", endpoint.port))
        .header(ACCEPT, MEDIA_TYPES)
        .header(USER_AGENT, concat!("lockgate/", env!("CARGO_PKG_VERSION")));
    if question.body.is_some() {
        request = request.header(CONTENT_TYPE, MEDIA_TYPE);
    }
    if let Some(value) = &endpoint.authorization {
        let mut value = HeaderValue::from_str(value).map_err(|_| "the credentials are no valid header".to_owned())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Full::new(question.body.clone().unwrap_or_default())).map_err(|e| e.to_string())
}

async fn dial(endpoint: &Endpoint, grant: Grant) -> Result<TcpStream, String> {
    let found: Vec<SocketAddr> = if let Ok(ip) = endpoint.host.parse::<IpAddr>() {
        vec![SocketAddr::new(ip, endpoint.port)]
    } else {
        let looked_up = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await;
        looked_up.map_err(|_| "its name cannot be resolved".to_owned())?.collect()
    };
    let mut last = "its name has no address".to_owned();
    for address in found {
        if let Err(why) = grant.check(address.ip()) {
            last = why;
            continue;
        }
        // The very address that was checked: no second look-up.
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e.to_string(),
        }
    }
    Err(last)
}

/// Request and answer over a stream, which is closed behind them.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let text = |e: hyper::Error| e.to_string();
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(text)?;
    let answer = async move {
        let response = sender.send_request(request).await.map_err(text)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| format!("its answer broke off or has more than {ANSWER_BYTES_MAX} bytes: {e}"))?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(answer);
    tokio::pin!(connection);
    beside(answer, connection).await
}

/// The first future's outcome; the second one is driven beside it while it lasts.
async fn beside<T>(mut first: impl Future<Output = T> + Unpin, second: impl Future + Unpin) -> T {
    tokio::select! {
        biased;
        outcome = &mut first => return outcome,
        _ = second => {}
    }
    first.await
}
