//! The way of a batch through converters and transforms.
//!
//! Enters: a batch as it was consumed or polled. Leaves: the outcome in place, for each of its rows the index of the row it
//! comes from, and the rows that failed. Invariant: rows keep their order (L2), retried ones too; a row that is neither
//! in the outcome nor failed was filtered on purpose.

use std::sync::Arc;

use lockgate_model::batch::Batch;
use lockgate_model::fault::{FaultKind, GuestError, RowFault, Stage};
use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::TaskId;
use lockgate_model::ports::ApplyPort;
use tokio::time::Instant;

use crate::backoff::{Backoff, Random};
use crate::chain::{self, Steps};
use crate::clock::Interrupt;
use crate::failure::TaskFailure;
use crate::readiness::ready;
use crate::recode::Recode;
use crate::rows::{self, count};
use crate::tolerance::{ErrorPolicy, Failed};

/// What every station on the way needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub id: TaskId,
    pub policy: ErrorPolicy,
    pub metrics: Arc<TaskMetrics>,
    pub random: Random,
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// The batch holds the outcome; these rows failed, in the order of their origin.
    Through(Vec<Failed>),
    /// Told to give up; the batch is in an unknown state.
    Interrupted,
}

pub(crate) struct Passage<P> {
    stations: Vec<Station<P>>,
    /// Origin of each row of the outcome; meaningful while `mapped`.
    origins: Vec<u32>,
    mapped: bool,
    before: Batch,
    again: Batch,
}

enum Station<P> {
    Recode(Box<dyn Recode>),
    Segment { port: Option<P>, steps: Steps },
}

/// Rows of one station that failed, by index into its input.
type Faults = Vec<(Stage, RowFault)>;

impl<P: ApplyPort> Passage<P> {
    /// `first` stands before the chain, `last` behind it, `between` before each segment; those that change nothing are
    /// left out.
    pub(crate) fn new(
        first: Option<Box<dyn Recode>>,
        segments: Vec<(P, Steps)>,
        between: Vec<Option<Box<dyn Recode>>>,
        last: Option<Box<dyn Recode>>,
    ) -> Self {
        let mut stations: Vec<Station<P>> =
            first.into_iter().filter(|recode| !recode.is_identity()).map(Station::Recode).collect();
        for ((port, steps), recode) in segments.into_iter().zip(between) {
            stations.extend(recode.into_iter().filter(|recode| !recode.is_identity()).map(Station::Recode));
            stations.push(Station::Segment { port: Some(port), steps });
        }
        stations.extend(last.into_iter().filter(|recode| !recode.is_identity()).map(Station::Recode));
        Self { stations, origins: Vec::new(), mapped: false, before: Batch::default(), again: Batch::default() }
    }

    /// Puts new instances in place of the old ones.
    pub(crate) fn renew(&mut self, segments: Vec<(P, Steps)>) {
        let mut fresh = segments.into_iter();
        for station in &mut self.stations {
            if let Station::Segment { port, .. } = station {
                *port = fresh.next().map(|(port, _)| port);
            }
        }
    }

    pub(crate) async fn close(self) {
        let segments = self.stations.into_iter().filter_map(|station| match station {
            Station::Segment { port: Some(port), steps } => Some((port, steps)),
            _ => None,
        });
        chain::close(segments.collect()).await;
    }

    /// True if no batch is ever changed.
    pub(crate) fn is_identity(&self) -> bool {
        self.stations.is_empty()
    }

    /// The row that row `index` of the outcome comes from.
    pub(crate) fn origin(&self, index: usize) -> u32 {
        if self.mapped { self.origins.get(index).copied().unwrap_or(u32::MAX) } else { count(index) }
    }

    /// For each row of the outcome its origin; `None` = each row is its own.
    pub(crate) fn take_origins(&mut self) -> Option<Vec<u32>> {
        self.mapped.then(|| std::mem::take(&mut self.origins))
    }

    /// Rows of an input of `rows` rows that are neither in the outcome nor among `failed`.
    pub(crate) fn filtered(&self, rows: u32, failed: &[Failed]) -> Vec<u32> {
        if !self.mapped {
            return Vec::new();
        }
        let mut seen = vec![false; rows as usize];
        let origins = self.origins.iter().copied().chain(failed.iter().map(|f| f.origin));
        origins.for_each(|origin| seen[origin as usize] = true);
        (0..rows).zip(seen).filter_map(|(row, seen)| (!seen).then_some(row)).collect()
    }

    /// Takes a batch all the way.
    pub(crate) async fn walk(
        &mut self,
        batch: &mut Batch,
        rules: &Rules,
        interrupt: &mut Interrupt,
    ) -> Result<Walked, TaskFailure> {
        self.mapped = false;
        let mut failed = Vec::new();
        for index in 0..self.stations.len() {
            if batch.is_empty() {
                break;
            }
            match self.pass(index, batch, rules, interrupt).await? {
                Some(more) => failed.extend(more),
                None => return Ok(Walked::Interrupted),
            }
        }
        failed.sort_by_key(|f: &Failed| f.origin);
        // A row that was split may fail in several of its parts; it is one record all the same.
        failed.dedup_by_key(|f| f.origin);
        Ok(Walked::Through(failed))
    }

    /// One station, with retries of single rows. `None` = told to give up.
    async fn pass(
        &mut self,
        index: usize,
        batch: &mut Batch,
        rules: &Rules,
        interrupt: &mut Interrupt,
    ) -> Result<Option<Vec<Failed>>, TaskFailure> {
        let Self { stations, origins, mapped, before, again } = self;
        let station = &mut stations[index];
        let input = batch.len();
        // A segment replaces its input, so retrying one of its rows needs what was there before.
        let is_segment = matches!(station, Station::Segment { .. });
        let keeps_input = is_segment && rules.policy.retries();
        if keeps_input {
            rows::copy(before, batch);
        }
        let Some(faults) = station.call(batch, rules, interrupt).await? else { return Ok(None) };
        check_rows("apply", faults.iter().map(|(_, f)| f.row), input)?;
        let (mut open, mut lost) = split(faults, &rules.policy);
        let mut backoff = Backoff::new(rules.random);
        let began = Instant::now();
        while !open.is_empty() {
            let ErrorPolicy { retry_delay_max, retry_timeout, .. } = rules.policy;
            let Some(delay) = backoff.next_within(retry_delay_max, began.elapsed(), retry_timeout) else { break };
            if !interrupt.sleep(delay).await {
                return Ok(None);
            }
            rules.metrics.total_retries.add(open.len() as u64);
            let asked: Vec<u32> = open.iter().map(|(_, fault)| fault.row).collect();
            rows::select(again, if keeps_input { before } else { batch }, &asked);
            let Some(faults) = station.call(again, rules, interrupt).await? else { return Ok(None) };
            check_rows("apply", faults.iter().map(|(_, f)| f.row), asked.len())?;
            join(batch, again, &asked, &faults, is_segment)?;
            let back = faults.into_iter().map(|(stage, f)| (stage, RowFault { row: asked[f.row as usize], ..f }));
            let (still, more) = split(back.collect(), &rules.policy);
            open = still;
            lost.extend(more);
        }
        lost.extend(open);
        let origin_of = |row: u32| if *mapped { origins[row as usize] } else { row };
        let failed = lost.iter().map(|(stage, fault)| {
            Failed::new(origin_of(fault.row), *stage, station.class(*stage, fault), fault.clone())
        });
        let failed: Vec<Failed> = failed.collect();
        if is_segment {
            if let Some(bad) = batch.rows.iter().find(|r| r.source_row as usize >= input) {
                return Err(TaskFailure::NoSuchRow { call: "apply", row: bad.source_row, rows: input });
            }
            *origins = batch.rows.iter().map(|r| origin_of(r.source_row)).collect();
            *mapped = true;
        } else if !lost.is_empty() {
            if !*mapped {
                *origins = (0..count(input)).collect();
                *mapped = true;
            }
            rows::retain(batch, origins, |i, _| !lost.iter().any(|(_, fault)| fault.row as usize == i));
        }
        Ok(Some(failed))
    }
}

/// Faults that may be retried, and those that are final.
fn split(faults: Faults, policy: &ErrorPolicy) -> (Faults, Faults) {
    faults.into_iter().partition(|(_, fault)| fault.retriable && policy.retries())
}

/// Puts the outcome of a retry where it belongs.
fn join(
    batch: &mut Batch,
    again: &mut Batch,
    asked: &[u32],
    faults: &Faults,
    segment: bool,
) -> Result<(), TaskFailure> {
    if segment {
        for row in &mut again.rows {
            let call = "apply";
            let no_such = TaskFailure::NoSuchRow { call, row: row.source_row, rows: asked.len() };
            row.source_row = *asked.get(row.source_row as usize).ok_or(no_such)?;
        }
        rows::merge(batch, again);
        return Ok(());
    }
    for (index, &row) in asked.iter().enumerate() {
        if !faults.iter().any(|(_, fault)| fault.row as usize == index) {
            let mut converted = rows::copy_row(batch, again, &again.rows[index]);
            converted.source_row = batch.rows[row as usize].source_row;
            batch.rows[row as usize] = converted;
        }
    }
    Ok(())
}

/// A guest may only name rows that it was given.
pub(crate) fn check_rows(
    call: &'static str,
    mut named: impl Iterator<Item = u32>,
    rows: usize,
) -> Result<(), TaskFailure> {
    match named.find(|row| *row as usize >= rows) {
        Some(row) => Err(TaskFailure::NoSuchRow { call, row, rows }),
        None => Ok(()),
    }
}

impl<P: ApplyPort> Station<P> {
    /// The call, repeated within `errors.retry.timeout` while the whole call is refused for now. An instance that failed is
    /// thrown away: it is neither called nor closed any more.
    async fn call(
        &mut self,
        batch: &mut Batch,
        rules: &Rules,
        interrupt: &mut Interrupt,
    ) -> Result<Option<Faults>, TaskFailure> {
        let slot = match self {
            Self::Recode(recode) => {
                let is_ready = ready(recode.as_mut(), batch, rules, interrupt).await?;
                return Ok(is_ready.then(|| recode.batch(batch)));
            }
            Self::Segment { port, .. } => port,
        };
        let Some(port) = slot else { return Err(TaskFailure::Gone) };
        let outcome = apply(port, batch, rules, interrupt).await;
        if outcome.is_err() {
            *slot = None;
        }
        outcome
    }

    fn class(&self, stage: Stage, fault: &RowFault) -> Arc<str> {
        match self {
            Self::Recode(recode) => recode.class(stage).into(),
            Self::Segment { steps, .. } => {
                steps.get(fault.step as usize).map_or_else(|| "".into(), |(_, class)| Arc::clone(class))
            }
        }
    }
}

/// One batch through one segment.
async fn apply<P: ApplyPort>(
    port: &mut P,
    batch: &mut Batch,
    rules: &Rules,
    interrupt: &mut Interrupt,
) -> Result<Option<Faults>, TaskFailure> {
    let mut backoff = Backoff::new(rules.random);
    let began = Instant::now();
    let mut refused = Refused::default();
    loop {
        let answer = port.apply(batch).await;
        let fault = match answer {
            Ok(faults) => return refused.complete(batch, faults).map(Some),
            Err(GuestError::Fault(fault)) => fault,
            Err(error) => return Err(TaskFailure::guest("apply", error)),
        };
        let least = match fault.kind {
            FaultKind::Retriable(delay) => delay,
            FaultKind::Rows(bad) if !bad.is_empty() => {
                refused.remove(batch, bad)?;
                if batch.is_empty() {
                    return Ok(Some(refused.faults));
                }
                continue;
            }
            _ => return Err(TaskFailure::guest("apply", GuestError::Fault(fault))),
        };
        let ErrorPolicy { retry_delay_max, retry_timeout, .. } = rules.policy;
        let Some(delay) = backoff.next_within(retry_delay_max, began.elapsed(), retry_timeout) else {
            return Err(TaskFailure::guest("apply", GuestError::Fault(fault)));
        };
        rules.metrics.total_retries.add(1);
        if !interrupt.sleep(delay.max(least)).await {
            return Ok(None);
        }
    }
}

/// Rows that a segment refused with an error of kind `rows`: nothing of that call is used, so it is made again without them.
#[derive(Default)]
struct Refused {
    /// For each row of the batch its index in the input; `None` = nothing was refused.
    alive: Option<Vec<u32>>,
    faults: Faults,
}

impl Refused {
    fn remove(&mut self, batch: &mut Batch, bad: Vec<RowFault>) -> Result<(), TaskFailure> {
        let bad: Faults = bad.into_iter().map(|f| (Stage::Transformation, f)).collect();
        check_rows("apply", bad.iter().map(|(_, f)| f.row), batch.len())?;
        let mut alive = self.alive.take().unwrap_or_else(|| (0..count(batch.len())).collect());
        let at = |row: u32| alive[row as usize];
        self.faults.extend(bad.iter().map(|(stage, f)| (*stage, RowFault { row: at(f.row), ..f.clone() })));
        rows::retain(batch, &mut alive, |i, _| !bad.iter().any(|(_, fault)| fault.row as usize == i));
        self.alive = Some(alive);
        Ok(())
    }

    fn complete(self, batch: &mut Batch, faults: Vec<RowFault>) -> Result<Faults, TaskFailure> {
        let faults: Faults = faults.into_iter().map(|f| (Stage::Transformation, f)).collect();
        let Self { alive: Some(alive), faults: mut all } = self else { return Ok(faults) };
        check_rows("apply", faults.iter().map(|(_, f)| f.row), alive.len())?;
        all.extend(faults.into_iter().map(|(stage, f)| (stage, RowFault { row: alive[f.row as usize], ..f })));
        for row in &mut batch.rows {
            let (call, rows) = ("apply", alive.len());
            let no_such = TaskFailure::NoSuchRow { call, row: row.source_row, rows };
            row.source_row = *alive.get(row.source_row as usize).ok_or(no_such)?;
        }
        Ok(all)
    }
}
