//! Places for connections: so many and no more, and nobody keeps one without need while others wait.
//!
//! Enters: connections that were accepted. Leaves: a [`Seat`] for each. Invariant: at most `max` seats are taken. When all are,
//! the connection that has been without a complete request for the longest gives way: one that idles or dribbles its headers
//! at once, one that dribbles a body after [`BODY_GRACE`]. One whose request is being answered never does.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long a body may take to arrive while others wait for a seat.
pub const BODY_GRACE: Duration = Duration::from_secs(5);

/// How long an answer may take to be written before its connection counts as idle.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Between two looks for somebody who could give way.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// All seats of a worker.
#[derive(Debug)]
pub struct Seats {
    free: Arc<Semaphore>,
    taken: Mutex<BTreeMap<u64, Arc<Place>>>,
    next: Mutex<u64>,
}

/// What one connection does.
#[derive(Debug)]
struct Place {
    doing: Mutex<Doing>,
    leave: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// No request has begun, since when.
    Waiting(Instant),
    /// A body is arriving, since when.
    Receiving(Instant),
    /// The whole request is here.
    Answering,
    /// An answer was given, when.
    Answered(Instant),
    /// It was told to give way.
    Leaving,
}

impl Doing {
    /// Since when it has been without need, if it may be told to go.
    fn idle_since(self, now: Instant) -> Option<Instant> {
        let after = |since: Instant, grace| (now.saturating_duration_since(since) >= grace).then_some(since);
        match self {
            Self::Waiting(since) => Some(since),
            Self::Receiving(since) => after(since, BODY_GRACE),
            Self::Answered(since) => after(since, ANSWER_GRACE),
            Self::Answering | Self::Leaving => None,
        }
    }
}

/// A connection's seat; dropped, it is free.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    number: u64,
    place: Arc<Place>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Seats {
    /// So many.
    pub fn new(max: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(max.max(1)));
        Arc::new(Self { free, taken: Mutex::default(), next: Mutex::default() })
    }

    /// A seat, as soon as one is free or somebody gives way. `None`: the worker ends.
    pub async fn sit(self: &Arc<Self>) -> Option<Seat> {
        let permit = loop {
            if self.free.available_permits() == 0 {
                self.make_room(Instant::now());
            }
            let free = Arc::clone(&self.free).acquire_owned();
            if let Ok(permit) = tokio::time::timeout(LOOK_EVERY, free).await {
                break permit.ok()?;
            }
        };
        let number = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        let place = Arc::new(Place { doing: Mutex::new(Doing::Waiting(Instant::now())), leave: Notify::new() });
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&place));
        Some(Seat { seats: Arc::clone(self), number, place, _permit: permit })
    }

    /// Tells the one that has been idle for the longest to go, if nobody is on the way out already.
    fn make_room(&self, now: Instant) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let doing = |place: &Place| *place.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().any(|place| doing(place) == Doing::Leaving) {
            return;
        }
        let idle = taken.values().filter_map(|place| Some((doing(place).idle_since(now)?, place)));
        let Some((_, place)) = idle.min_by_key(|(since, _)| *since) else { return };
        let mut doing = place.doing.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have got its request together in between.
        if doing.idle_since(now).is_some() {
            *doing = Doing::Leaving;
            place.leave.notify_one();
        }
    }
}

impl Seat {
    /// Resolves when it is to give way.
    pub fn told_to_leave(&self) -> impl Future<Output = ()> + Send + 'static {
        let place = Arc::clone(&self.place);
        async move { place.leave.notified().await }
    }

    /// What a request of this connection goes through.
    pub fn watch(
        &self,
    ) -> impl Fn(Request, Next) -> Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static {
        let place = Arc::clone(&self.place);
        move |request, next| {
            let place = Arc::clone(&place);
            Box::pin(async move {
                place.enter(Doing::Receiving(Instant::now()));
                let arriving = |body| Body::new(Arriving { body, place: Arc::clone(&place) });
                let response = next.run(request.map(arriving)).await;
                place.enter(Doing::Answered(Instant::now()));
                response
            })
        }
    }
}

impl Place {
    fn enter(&self, doing: Doing) {
        let mut now = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if *now != Doing::Leaving {
            *now = doing;
        }
    }

    fn arrived(&self) {
        let mut now = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*now, Doing::Receiving(_)) {
            *now = Doing::Answering;
        }
    }
}

/// A body on its way in: whole when it ended, or when nobody wants more of it.
struct Arriving {
    body: Body,
    place: Arc<Place>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.place.arrived();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.place.arrived();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(seat: &Seat, doing: impl FnOnce(Doing) -> bool) -> bool {
        doing(*seat.place.doing.lock().unwrap())
    }

    #[tokio::test]
    async fn the_one_that_has_idled_longest_gives_way_and_one_at_work_never_does() {
        let seats = Seats::new(3);
        let (worker, oldest, newest) =
            (seats.sit().await.unwrap(), seats.sit().await.unwrap(), seats.sit().await.unwrap());
        worker.place.enter(Doing::Answering);
        let mut next = Box::pin(seats.sit());
        tokio::select! {
            _ = &mut next => panic!("there is no room"),
            () = oldest.told_to_leave() => {}
        }
        assert!(is(&newest, |doing| matches!(doing, Doing::Waiting(_))), "one at a time");
        drop(oldest);
        let seated = next.await.unwrap();
        seats.make_room(Instant::now());
        assert!(is(&newest, |doing| doing == Doing::Leaving) && is(&worker, |doing| doing == Doing::Answering));
        assert!(is(&seated, |doing| matches!(doing, Doing::Waiting(_))));
    }

    #[test]
    fn a_body_that_dribbles_gives_way_after_its_grace() {
        let (now, later) = (Instant::now(), Instant::now() + BODY_GRACE * 2);
        let receiving = Doing::Receiving(now);
        assert_eq!((receiving.idle_since(now), receiving.idle_since(later)), (None, Some(now)));
        assert_eq!(Doing::Answered(now).idle_since(later), Some(now));
        assert_eq!((Doing::Answering.idle_since(later), Doing::Leaving.idle_since(later)), (None, None));
    }
}
