//! Crashes: a task that is dropped in the middle.
//!
//! Enters: a future and a number of polls. Leaves: its output, or nothing. Invariant: dropped between two polls, so at
//! whatever await it happens to be.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs a future for so many polls, then drops it.
pub struct Until<T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    polls: u32,
}

impl<T> Until<T> {
    pub fn polls(polls: u32, future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), polls }
    }
}

impl<T> Future for Until<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match &mut self.future {
            Some(future) => future.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}
