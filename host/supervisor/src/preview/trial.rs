//! A chain or predicate on lines.
//!
//! Enters: lines of records. Leaves: one answer for each, in order. Invariant: a line that cannot be answered by the chain is
//! answered by its error; a guest that breaks down costs the line that broke it, found by halving the batch.

use lockgate_convert::{Decode, Encode};
use lockgate_model::batch::{Batch, Encoding};
use lockgate_model::fault::{GuestError, exception_class};
use lockgate_model::{Formats, Schemas};
use lockgate_pipeline::{Outcome, Rehearsal, TaskFailure};
use lockgate_wasm::{Policy, Segment, TaskSpec};

use super::RecordKind;
use super::chain::Planned;
use super::notation::{self, Notation, error};
use crate::chain::links;

/// Something that answers lines.
#[derive(Debug)]
pub struct Trial(State);

enum State {
    /// The answer to every line.
    Refused(String),
    Open(Box<Open>),
}

struct Open {
    blueprint: Blueprint,
    chain: Rehearsal<Segment>,
    schemas: Schemas,
    notation: Notation,
}

/// From which a chain is opened, again once its records have had too many schemas.
struct Blueprint {
    planned: Planned,
    policy: Policy,
    task: TaskSpec,
    kind: RecordKind,
}

const CONFIG: &str = "ConfigException";

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Open(_)) { "Open" } else { "Refused" })
    }
}

impl Trial {
    pub(super) async fn open(
        planned: Result<Planned, String>,
        policy: Policy,
        task: TaskSpec,
        kind: RecordKind,
    ) -> Self {
        let planned = match planned {
            Ok(planned) => planned,
            Err(message) => return Self(State::Refused(error("configure", CONFIG, &message))),
        };
        let blueprint = Blueprint { planned, policy, task, kind };
        match blueprint.open().await {
            Ok((chain, schemas)) => {
                Self(State::Open(Box::new(Open { blueprint, chain, schemas, notation: Notation::default() })))
            }
            Err(refused) => Self(State::Refused(refused)),
        }
    }

    /// A trial whose settings cannot even be read.
    pub fn refused(message: &str) -> Self {
        Self(State::Refused(error("configure", CONFIG, message)))
    }

    /// Answers lines: as many answers, in their order. Keep to [`super::BATCH_RECORDS`] and [`super::BATCH_BYTES`].
    pub async fn answer(&mut self, lines: &[&str]) -> Vec<String> {
        match &mut self.0 {
            State::Refused(answer) => vec![answer.clone(); lines.len()],
            State::Open(open) => open.answer(lines).await,
        }
    }

    /// Ends the guests.
    pub async fn close(self) {
        if let State::Open(open) = self.0 {
            open.chain.close().await;
        }
    }
}

impl Blueprint {
    /// Error: the answer to every line.
    async fn open(&self) -> Result<(Rehearsal<Segment>, Schemas), String> {
        let internal = |message: String| error("configure", "ConnectException", &message);
        let trio = notation::converters().map_err(internal)?;
        // A table of schemas of its own.
        let task = TaskSpec { schemas: Schemas::default(), ..self.task.clone() };
        let plans = &self.planned.plans;
        let json = [Encoding::Json];
        let entry: Formats = trio.formats(plans.first().map_or(&json, |plan| &plan.spoken[..]));
        let schemas = task.schemas.clone();
        let (chain, exit) = links(plans.clone(), &task, entry, &self.policy).map_err(internal)?;
        let before = Decode::new(trio.key.clone(), trio.value.clone(), trio.header.clone(), entry);
        let behind = Encode::new(trio.key, trio.value, trio.header, exit);
        let opened = Rehearsal::open(task.id.clone(), chain, Box::new(before), Box::new(behind)).await;
        opened.map(|chain| (chain, schemas)).map_err(|e| refused(&e))
    }
}

/// What a guest says of its settings: the first problem, as an exception would.
fn refused(refusal: &GuestError) -> String {
    use lockgate_model::fault::FaultKind;
    let GuestError::Fault(fault) = refusal else { return error("configure", "ConnectException", &refusal.to_string()) };
    match &fault.kind {
        FaultKind::Config(problems) => {
            let first = problems.first().map_or(fault.message.as_str(), |(_, problem)| problem);
            error("configure", CONFIG, first)
        }
        _ => error("configure", exception_class(&fault.code), &fault.message),
    }
}

impl Open {
    async fn answer(&mut self, lines: &[&str]) -> Vec<String> {
        if self.schemas.len() > Schemas::MAX / 2
            && let Err(refused) = self.reopen().await
        {
            return vec![refused; lines.len()];
        }
        let mut answers = vec![String::new(); lines.len()];
        // Ranges still to be answered, the next one last.
        let mut open: Vec<_> = std::iter::once(0..lines.len()).collect();
        while let Some(range) = open.pop() {
            let mut batch = Batch::new(self.schemas.clone());
            // Which line each row is, and whether it names a topic.
            let mut origins = Vec::with_capacity(range.len());
            for index in range.clone() {
                match self.notation.read(lines[index], self.blueprint.kind, &mut batch) {
                    Ok(has_topic) => origins.push((index, has_topic)),
                    Err(message) => answers[index] = error("apply", "DataException", &message),
                }
            }
            if batch.is_empty() {
                continue;
            }
            match self.chain.run(&mut batch).await {
                Ok(outcome) => self.write(&batch, &outcome, &origins, &mut answers),
                Err(failure) => {
                    if let Err(refused) = self.reopen().await {
                        let still_open = open.into_iter().flatten();
                        origins.iter().map(|(line, _)| *line).chain(still_open).for_each(|line| {
                            answers[line].clone_from(&refused);
                        });
                        return answers;
                    }
                    let middle = range.start + range.len() / 2;
                    if range.len() == 1 {
                        answers[range.start] = broken(&failure);
                    } else {
                        open.extend([middle..range.end, range.start..middle]);
                    }
                }
            }
        }
        answers
    }

    async fn reopen(&mut self) -> Result<(), String> {
        (self.chain, self.schemas) = self.blueprint.open().await?;
        Ok(())
    }

    fn write(&self, batch: &Batch, outcome: &Outcome, origins: &[(usize, bool)], answers: &mut [String]) {
        let Blueprint { planned, kind, .. } = &self.blueprint;
        let dropped = if planned.predicate { r#"{"result":true}"# } else { r#"{"dropped":true}"# };
        for &(line, _) in origins {
            dropped.clone_into(&mut answers[line]);
        }
        let mut parts: Vec<Vec<String>> = vec![Vec::new(); if planned.predicate { 0 } else { origins.len() }];
        for (row, &origin) in batch.rows.iter().zip(&outcome.origins) {
            let (line, has_topic) = origins[origin as usize];
            if planned.predicate {
                r#"{"result":false}"#.clone_into(&mut answers[line]);
                continue;
            }
            let written = Notation::write(batch, row, *kind, has_topic);
            parts[origin as usize].push(written.unwrap_or_else(|e| error("apply", "DataException", &e)));
        }
        for (origin, mut parts) in parts.into_iter().enumerate() {
            match parts.len() {
                0 => {}
                1 => answers[origins[origin].0] = parts.remove(0),
                // No transform of Kafka Connect makes several records of one.
                _ => answers[origins[origin].0] = format!(r#"{{"records":[{}]}}"#, parts.join(",")),
            }
        }
        for failed in &outcome.failed {
            let class = exception_class(&failed.code);
            answers[origins[failed.row as usize].0] = error("apply", class, &failed.message);
        }
    }
}

fn broken(failure: &TaskFailure) -> String {
    error("apply", "ConnectException", &failure.to_string())
}
