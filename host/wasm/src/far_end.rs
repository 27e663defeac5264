//! Somebody who stands in for the outside while a plugin is tested.
//!
//! Enters: HTTP requests that the grants allow. Leaves: answers that were written down, or the request itself on its real way.
//! Invariant: grants and deadlines are those of every request; nothing is resolved or dialled for an answer that was written
//! down; bodies are bounded.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::Frame;
use wasmtime_wasi_http::{Error, WasiBody};

/// Bytes of a body at most, of a request or of an answer that is recorded.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// In upper case.
    pub method: String,
    /// Scheme, host, path and query.
    pub url: String,
    /// Names in lower case; values that are no text are cut to what is.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it comes.
    pub body: Bytes,
    /// Before the head comes.
    pub delay: Duration,
    /// Between the two halves of the body.
    pub body_delay: Duration,
    /// The connection breaks behind `body`.
    pub truncated: bool,
}

/// No answer at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// Nobody listens there.
    Refused,
    /// The connection breaks after the request.
    Reset,
    /// The name is not known.
    Dns,
    /// Nothing comes until the deadline; it is over at once, so that a test need not wait for it.
    Timeout,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// This answer.
    Answer(HttpAnswer),
    /// None.
    Fault(HttpFault),
    /// It goes out; what comes back is told to [`FarEnd::came_back`].
    Through,
}

/// Answers in place of the outside. Called on the task's own thread of control: return at once.
pub trait FarEnd: Send + Sync {
    /// What becomes of it.
    fn asked(&self, request: &HttpRequest) -> Scripted;

    /// What the outside said.
    fn came_back(&self, request: &HttpRequest, answer: &HttpAnswer);
}

/// The deadlines of one request.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    /// Of the head.
    pub(crate) first_byte: Duration,
    /// Of each piece of the body.
    pub(crate) between: Duration,
}

/// Answers a request; `out` sends it on its real way.
pub(crate) async fn answer<F>(
    far_end: &dyn FarEnd,
    request: Request<WasiBody>,
    deadlines: Deadlines,
    out: impl FnOnce(Request<WasiBody>) -> F + Send,
) -> Result<Response<WasiBody>, Error>
where
    F: Future<Output = Result<Response<WasiBody>, Error>> + Send,
{
    let (head, body) = request.into_parts();
    let body = whole(body).await?;
    let asked = HttpRequest {
        method: head.method.as_str().to_owned(),
        url: head.uri.to_string(),
        headers: texts(&head.headers),
        body: body.clone(),
    };
    match far_end.asked(&asked) {
        Scripted::Answer(answer) => written_down(answer, deadlines).await,
        Scripted::Fault(HttpFault::Refused) => Err(Error::Connect(io::ErrorKind::ConnectionRefused.into())),
        Scripted::Fault(HttpFault::Reset) => Err(Error::ConnectionTerminated),
        Scripted::Fault(HttpFault::Timeout) => Err(Error::ConnectionReadTimeout),
        Scripted::Fault(HttpFault::Dns) => {
            Err(Error::DnsError { rcode: Some("name not resolved".to_owned()), info_code: None })
        }
        Scripted::Through => {
            let (head, body) = out(Request::from_parts(head, full(body))).await?.into_parts();
            let body = whole(body).await?;
            let came = HttpAnswer {
                status: head.status.as_u16(),
                headers: texts(&head.headers),
                body,
                ..HttpAnswer::default()
            };
            far_end.came_back(&asked, &came);
            Ok(Response::from_parts(head, full(came.body)))
        }
    }
}

async fn written_down(answer: HttpAnswer, deadlines: Deadlines) -> Result<Response<WasiBody>, Error> {
    tokio::time::sleep(answer.delay.min(deadlines.first_byte)).await;
    if answer.delay > deadlines.first_byte {
        return Err(Error::ConnectionReadTimeout);
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let wrong = |e: http::Error| Error::InternalError(Some(e.to_string()));
    if answer.body_delay.is_zero() && !answer.truncated {
        return response.body(full(answer.body)).map_err(wrong);
    }
    let half = answer.body.len().div_ceil(2);
    let (first, second) = (answer.body.slice(..half), answer.body.slice(half..));
    let (wait, late) = (answer.body_delay.min(deadlines.between), answer.body_delay > deadlines.between);
    let end = answer.truncated.then_some(Piece::Broken);
    let pieces = [Piece::Bytes(first), Piece::Wait(wait, late), Piece::Bytes(second)].into_iter().chain(end);
    let frames = stream::unfold(pieces, |mut pieces| async {
        loop {
            let frame = match pieces.next()? {
                Piece::Bytes(bytes) if bytes.is_empty() => continue,
                Piece::Bytes(bytes) => Ok(Frame::data(bytes)),
                Piece::Wait(wait, late) => {
                    tokio::time::sleep(wait).await;
                    if !late {
                        continue;
                    }
                    Err(Error::ConnectionReadTimeout)
                }
                Piece::Broken => Err(Error::HttpResponseIncomplete),
            };
            return Some((frame, pieces));
        }
    });
    response.body(StreamBody::new(frames).boxed_unsync()).map_err(wrong)
}

/// What a slow or broken body is made of.
enum Piece {
    Bytes(Bytes),
    /// How long, and whether that is too long.
    Wait(Duration, bool),
    Broken,
}

async fn whole(body: WasiBody) -> Result<Bytes, Error> {
    let collected = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let failed = |e: Box<dyn std::error::Error + Send + Sync>| match e.downcast::<Error>() {
        Ok(own) => *own,
        Err(_) => Error::HttpRequestBodySize(Some(BODY_BYTES_MAX as u64)),
    };
    collected.map(http_body_util::Collected::to_bytes).map_err(failed)
}

fn full(body: Bytes) -> WasiBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn texts(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
