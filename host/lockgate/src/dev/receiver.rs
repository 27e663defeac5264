//! The far end of the demonstration: an HTTP server that keeps what it is sent.
//!
//! Enters: requests with a body. Leaves: a file with one line a body, and a count at `GET /`. Invariant: a request is
//! answered with 200 only after its body is synced to the file: what it confirmed it has.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Bytes of one body at most.
const BODY_MAX: usize = 8 << 20;
/// Connections at the same time; beyond that new ones wait.
const CONNECTIONS_MAX: usize = 64;

/// Where bodies go.
#[derive(Debug)]
struct Store {
    path: PathBuf,
    file: Mutex<(File, u64)>,
}

/// Serves until it is dropped. `listener` is bound already, so that a port that is taken was noticed before.
pub async fn serve(listener: TcpListener, path: PathBuf) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(&path)?;
    let lines = count_lines(&path)?;
    let store = Arc::new(Store { path, file: Mutex::new((file, lines)) });
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < CONNECTIONS_MAX;
        tokio::select! {
            accepted = listener.accept(), if room => {
                let Ok((stream, _)) = accepted else { continue };
                let store = Arc::clone(&store);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&store), request));
                    let http = hyper::server::conn::http1::Builder::new();
                    // A client that goes away is no matter here.
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(store: Arc<Store>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let count = store.file.lock().unwrap_or_else(PoisonError::into_inner).1;
        return Ok(respond(
            StatusCode::OK,
            format!("{{\"received\":{count},\"file\":\"{}\"}}\n", store.path.display()),
        ));
    }
    let Ok(body) = Limited::new(request.into_body(), BODY_MAX).collect().await else {
        return Ok(respond(StatusCode::BAD_REQUEST, "the body is too large or was cut off\n".to_owned()));
    };
    let body = body.to_bytes();
    let kept = tokio::task::spawn_blocking(move || store.keep(&body)).await;
    Ok(match kept {
        Ok(Ok(())) => respond(StatusCode::OK, "{}\n".to_owned()),
        Ok(Err(error)) => respond(StatusCode::SERVICE_UNAVAILABLE, format!("cannot keep it: {error}\n")),
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, "cannot keep it\n".to_owned()),
    })
}

impl Store {
    fn keep(&self, body: &[u8]) -> io::Result<()> {
        let mut kept = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = body.to_vec();
        line.push(b'\n');
        kept.0.write_all(&line)?;
        kept.0.sync_data()?;
        kept.1 += 1;
        Ok(())
    }
}

fn respond(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}

fn count_lines(path: &Path) -> io::Result<u64> {
    io::BufReader::new(std::fs::File::open(path)?).split(b'\n').try_fold(0, |lines, line| line.map(|_| lines + 1))
}
