//! A source, step by step.
//!
//! Enters: actions. Leaves: what came of them. Invariant: records count as delivered, positions as stored only by a `commit`;
//! a new instance gets what is stored, as in a task.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lockgate_model::ports::{BatchLimits, Next, OpenSource, SourcePort};
use lockgate_model::{Batch, GuestError, Position};
use lockgate_wasm::{Source, SourceInstance};
use serde_json::{Value, json};

use super::action::Action;
use super::records::{Way, converters, empty};
use super::rig::{Came, Rig, Stored, Trouble, shown};
use super::scenario::{PollSpec, Scenario};
use super::sinks::{came, is_retriable};

/// How long `until` polls if nothing else is said.
const WITHIN: Duration = Duration::from_secs(10);

/// A source that is played.
pub(super) struct SourcePlay {
    source: Source,
    live: Option<SourceInstance>,
    way: Way,
    batch: Batch,
    pub(super) stored: Stored,
    /// Came and not stored.
    pending: Vec<Position>,
}

impl SourcePlay {
    pub(super) async fn new(rig: &Rig, scenario: &Scenario) -> Result<Self, Trouble> {
        let mut task = rig.task().await?;
        let trio = converters(&rig.config, false)?;
        task.formats = trio.formats(&rig.plugin.encodings);
        let way = Way::new(trio, task.formats, task.schemas.clone(), String::new())?;
        let batch = empty(&task.schemas);
        let stored = Stored::of(scenario);
        Ok(Self { source: rig.package.source(task), live: None, way, batch, stored, pending: Vec::new() })
    }

    pub(super) async fn act(&mut self, action: Action<'_>, rig: &Rig) -> Result<Came, Trouble> {
        match action {
            Action::Open => self.open().await.map(|_| Came::new()),
            Action::Poll(spec) => self.poll(spec).await,
            Action::Commit(_) => {
                self.commit().await?;
                Ok(came([("positions", self.stored.positions())]))
            }
            Action::Crash => {
                (self.live, self.pending) = (None, Vec::new());
                self.open().await.map(|_| Came::new())
            }
            Action::Restart => {
                self.commit().await?;
                self.close().await?;
                self.open().await.map(|_| Came::new())
            }
            Action::Cancel => {
                rig.cancel.store(true, Relaxed);
                Ok(Came::new())
            }
            Action::Close => self.close().await.map(|()| Came::new()),
            other => Err(Trouble::Scenario(format!("`{}` is not for a source", other.name()))),
        }
    }

    /// Ends the instance, if there is one.
    pub(super) async fn close(&mut self) -> Result<(), Trouble> {
        if let Some(live) = self.live.take() {
            live.close().await?;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<&mut SourceInstance, Trouble> {
        if self.live.is_none() {
            self.live = Some(self.source.open(&self.stored.0).await?);
        }
        self.live.as_mut().ok_or_else(|| Trouble::Scenario("there is no instance".to_owned()))
    }

    async fn poll(&mut self, spec: PollSpec) -> Result<Came, Trouble> {
        let default = BatchLimits::default();
        let limits = BatchLimits {
            records_max: spec.records_max.unwrap_or(default.records_max),
            bytes_max: spec.bytes_max.unwrap_or(default.bytes_max),
        };
        let end = Instant::now() + spec.within_ms.map_or(WITHIN, Duration::from_millis);
        let (mut records, mut positions) = (Vec::new(), Vec::new());
        loop {
            let mut batch = std::mem::replace(&mut self.batch, empty(&self.way.schemas()));
            let live = self.open().await?;
            let outcome = live.poll(&mut batch, limits).await;
            let polled = self.ended(outcome)?;
            let before = records.len();
            records.extend(self.way.received(&batch)?);
            self.batch = batch;
            let row = |row: u32| if row == u32::MAX { row } else { row + u32::try_from(before).unwrap_or(u32::MAX) };
            positions.extend(polled.positions.iter().map(|(position, after)| shown(position, Some(row(*after)))));
            self.pending.extend(polled.positions.into_iter().map(|(position, _)| position));
            let left = end.saturating_duration_since(Instant::now());
            let wait = match polled.next {
                Next::Now => Duration::ZERO,
                Next::After(ms) => Duration::from_millis(u64::from(ms)),
                Next::Done => Duration::MAX,
            };
            let enough = spec.until.is_none_or(|until| records.len() >= until) || wait > left || left.is_zero();
            if enough {
                let next = match polled.next {
                    Next::Now => json!("now"),
                    Next::After(ms) => json!({"after_ms": ms}),
                    Next::Done => json!("done"),
                };
                return Ok(came([
                    ("records", Value::from(records)),
                    ("positions", Value::from(positions)),
                    ("next", next),
                ]));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Everything that came is stored, and the plugin hears of it.
    async fn commit(&mut self) -> Result<(), Trouble> {
        let pending = std::mem::take(&mut self.pending);
        if let Some(live) = &mut self.live {
            let state = live.take_state();
            self.stored.take(pending.iter().cloned().chain(state));
            if !pending.is_empty() {
                let outcome = live.committed(&pending).await;
                self.ended(outcome)?;
            }
        }
        Ok(())
    }

    fn ended<T>(&mut self, outcome: Result<T, GuestError>) -> Result<T, Trouble> {
        outcome.map_err(|error| {
            if !is_retriable(&error) {
                self.live = None;
            }
            error.into()
        })
    }
}
