//! The body of a guest's request, read to its end even where nobody wants it any more.
//!
//! Enters: what a guest writes. Leaves: the same, for as long as somebody reads it. Invariant: a guest may finish what it began
//! to write: a request that is refused, or answered before its body was sent, is an answer for the guest and no broken pipe,
//! which engines such as `StarlingMonkey` take for the end of the world.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use wasmtime_wasi_http::{Error, WasiBody};

/// Time that a guest has to finish an unwanted body.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Reads what is left once it is dropped. What reads it ends with the guest, at the latest after [`DRAIN_DEADLINE`].
pub(crate) struct Drained(Option<WasiBody>);

impl Drained {
    /// Wraps a body.
    pub(crate) fn wrap(body: WasiBody) -> WasiBody {
        Self(Some(body)).boxed_unsync()
    }
}

impl Body for Drained {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) = (self.0.take().filter(|b| !b.is_end_stream()), Handle::try_current())
        else {
            return;
        };
        // Owned by the guest: its stream ends with its store, and so does this.
        runtime
            .spawn(tokio::time::timeout(DRAIN_DEADLINE, async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http_body_util::StreamBody;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// A body of three pieces; counts those that were taken.
    fn counted() -> (WasiBody, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let pieces = futures::stream::iter((0..3).map(move |_| {
            count.fetch_add(1, SeqCst);
            Ok(Frame::data(Bytes::from_static(b"x")))
        }));
        (StreamBody::new(pieces).boxed_unsync(), taken)
    }

    #[tokio::test]
    async fn what_nobody_wants_is_read_to_its_end() {
        let (body, taken) = counted();
        let mut body = Drained::wrap(body);
        body.frame().await.unwrap().unwrap();
        assert_eq!(taken.load(SeqCst), 1);
        drop(body);
        tokio::time::timeout(Duration::from_secs(5), async {
            while taken.load(SeqCst) < 3 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn what_is_wanted_passes_as_it_is() {
        let whole = Drained::wrap(counted().0).collect().await.unwrap().to_bytes();
        assert_eq!(whole, "xxx");
    }
}
