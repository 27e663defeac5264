//! Requests to a small server on loopback, and to places that are not granted.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::grants::Policy;
use crate::spec::TaskSpec;
use http_body_util::Empty;
use lockgate_model::TaskId;
use lockgate_model::package::Request as Wish;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn egress(http: &str, private: &str, connections_max: u32) -> Arc<Shared> {
    let policy = Policy::parse(http, "", "", "", private).unwrap();
    let grants = policy.effective(&[Wish::Http("*".into())], &[]).0;
    let id = TaskId { tenant: "t".into(), connector: "c".into(), task: 0 };
    let gate = Arc::new(LogGate::new(&TaskSpec::new(id, "c")));
    Egress::new(Arc::new(grants), gate, Arc::default(), connections_max).0
}

async fn get(egress: &Arc<Shared>, url: &str, options: RequestOptions) -> Result<(u16, Bytes), Error> {
    let body = Empty::<Bytes>::new().map_err(|e| match e {}).boxed_unsync();
    let host = url.parse::<Uri>().unwrap().authority().unwrap().to_string();
    let request = Request::get(url).header("host", host).body(body).unwrap();
    let (response, _) = Arc::clone(egress).send(request, options).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// Answers every request on every connection; gives its port and the number of connections so far.
async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (port, connections)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn a_granted_literal_is_reached_and_its_connection_used_again() {
    let (port, connections) = server(OK).await;
    let egress = egress(&format!("127.0.0.1:{port}"), "", 2);
    for _ in 0..3 {
        let answer = get(&egress, &format!("http://127.0.0.1:{port}/x"), RequestOptions::default()).await.unwrap();
        assert_eq!(answer, (200, Bytes::from_static(b"hi")));
    }
    assert_eq!(connections.load(SeqCst), 1);
}

#[tokio::test]
async fn what_no_grant_covers_is_never_dialled() {
    let (port, connections) = server(OK).await;
    let other = egress(&format!("127.0.0.1:{}", port ^ 1), "", 2);
    let ask = |url: String| {
        let other = Arc::clone(&other);
        async move { get(&other, &url, RequestOptions::default()).await.unwrap_err() }
    };
    assert!(matches!(ask(format!("http://127.0.0.1:{port}/")).await, Error::HttpRequestDenied));
    assert!(matches!(ask(format!("http://[::ffff:127.0.0.1]:{port}/")).await, Error::HttpRequestDenied));
    let everything = egress("*", "", 2);
    for host in ["127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let error = get(&everything, &format!("http://{host}:{port}/"), RequestOptions::default()).await.unwrap_err();
        let refused = matches!(error, Error::DestinationIpProhibited | Error::DnsError { .. });
        assert!(refused, "{host}: {error}");
    }
    assert_eq!(connections.load(SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_needs_the_range() {
    let (port, _) = server(OK).await;
    let granted = egress(&format!("localhost:{port}"), "127.0.0.0/8", 2);
    let url = format!("http://localhost:{port}/");
    assert_eq!(get(&granted, &url, RequestOptions::default()).await.unwrap().0, 200);
}

#[tokio::test]
async fn redirects_are_handed_to_the_guest() {
    let (port, connections) =
        server("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n").await;
    let egress = egress(&format!("127.0.0.1:{port}"), "", 2);
    let answer = get(&egress, &format!("http://127.0.0.1:{port}/"), RequestOptions::default()).await.unwrap();
    assert_eq!((answer.0, connections.load(SeqCst)), (302, 1));
}

#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_deadline() {
    let options = |first, between| RequestOptions {
        connect_timeout: None,
        first_byte_timeout: Some(Duration::from_millis(first)),
        between_bytes_timeout: Some(Duration::from_millis(between)),
    };
    let (silent, _) = server("").await;
    let (endless, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi").await;
    let egress = egress("127.0.0.1", "", 2);
    let error = get(&egress, &format!("http://127.0.0.1:{silent}/"), options(50, 50)).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
    let error = get(&egress, &format!("http://127.0.0.1:{endless}/"), options(5_000, 50)).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
}

#[tokio::test]
async fn connections_over_the_cap_are_refused() {
    let (port, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi").await;
    let egress = egress("127.0.0.1", "", 1);
    let url = format!("http://127.0.0.1:{port}/");
    let body = Empty::<Bytes>::new().map_err(|e| match e {}).boxed_unsync();
    let request = Request::get(&url).body(body).unwrap();
    let held = Arc::clone(&egress).send(request, RequestOptions::default()).await.unwrap();
    let error = get(&egress, &url, RequestOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLimitReached), "{error}");
    drop(held);
}
