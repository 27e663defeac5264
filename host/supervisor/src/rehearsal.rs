//! Plugins tried against scenarios, in the sandbox of a task and without Kafka: `lockgate package test`.
//!
//! Enters: a package, scenarios. Leaves: a verdict for each, with the step, the difference, what the guest did wrong and what to
//! change. Invariant: host, limits, grants and egress are a task's own; a scenario ends within its deadline; nothing of the
//! outside is reached but granted TCP and, when answers are recorded, granted HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::package::{PackageInfo, PluginKind};
use lockgate_wasm::{Engine, EngineOptions, Package};
use serde_json::Value;

use crate::preview::PreviewError;

mod action;
mod chains;
mod compare;
mod exchange;
mod explain;
mod judge;
mod recording;
mod records;
mod rig;
mod scenario;
mod script;
mod sinks;
mod sources;

pub use exchange::ExchangeSpec;
pub use recording::write as write_recording;
pub use scenario::{NoScenario, Scenario, Written, read, schema};

use action::Action;
use chains::ChainPlay;
use judge::Judge;
use rig::{Came, Rig, Trouble};
use scenario::Step;
use sinks::{SinkPlay, came};
use sources::SourcePlay;

/// Wall-clock time of one scenario.
const DEADLINE: Duration = Duration::from_mins(2);

/// A package on the bench.
#[derive(Debug)]
pub struct Bench {
    package: Arc<Package>,
}

/// How a scenario ended.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it is called.
    pub name: String,
    /// Why it failed; `None` = it did not.
    pub failure: Option<Failure>,
    /// What the plugin logged, `LEVEL text`.
    pub log: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// What the outside said, if answers are recorded.
    pub recorded: Vec<ExchangeSpec>,
}

/// Why a scenario failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which step, from 1; `None` = before the first or after the last.
    pub step: Option<usize>,
    /// Where: the action and the step's name.
    pub place: String,
    /// What is wrong, line by line.
    pub lines: Vec<String>,
}

impl Bench {
    /// Loads a package, compiled once and kept.
    ///
    /// # Errors
    /// The engine cannot start; the file cannot be read or is no package.
    pub async fn open(engine: EngineOptions, file: &Path) -> Result<Self, PreviewError> {
        let bytes = std::fs::read(file).map_err(|cause| PreviewError::Read { path: file.to_owned(), cause })?;
        let loaded = Engine::new(engine)?.load(bytes.into()).await;
        let package = loaded.map_err(|cause| PreviewError::Load { path: file.to_owned(), cause })?;
        Ok(Self { package })
    }

    /// What the package says of itself.
    pub fn info(&self) -> &PackageInfo {
        self.package.info()
    }

    /// Plays a scenario. With `recording` requests go out to where they are granted.
    pub async fn play(&self, written: &Written, recording: bool) -> Verdict {
        let (began, scenario) = (Instant::now(), &written.scenario);
        let mut verdict = Verdict {
            name: written.name.clone(),
            failure: None,
            log: Vec::new(),
            took: Duration::ZERO,
            recorded: Vec::new(),
        };
        match Rig::new(&self.package, scenario, recording) {
            Err(why) => verdict.failure = Some(Failure::general("the scenario", vec![why])),
            Ok(rig) => {
                let mut judge = Judge::new(&rig);
                let played = tokio::time::timeout(DEADLINE, play(&rig, scenario, &mut judge)).await;
                let late =
                    || Err(Failure::general("the scenario", vec![format!("it did not end within {DEADLINE:?}")]));
                verdict.failure = played.unwrap_or_else(|_| late()).err();
                verdict.log = rig.lines.since(0).into_iter().map(|(level, text)| format!("{level} {text}")).collect();
                verdict.recorded = rig.script.recorded();
            }
        }
        verdict.took = began.elapsed();
        verdict
    }
}

impl Failure {
    fn general(place: &str, lines: Vec<String>) -> Self {
        Self { step: None, place: place.to_owned(), lines }
    }

    /// Where it failed, on one line.
    pub fn title(&self) -> String {
        self.step.map_or_else(|| self.place.clone(), |step| format!("step {step}: {}", self.place))
    }
}

async fn play(rig: &Rig, scenario: &Scenario, judge: &mut Judge<'_>) -> Result<(), Failure> {
    if scenario.steps.is_empty() {
        return Err(Failure::general("the scenario", vec!["it has no steps".to_owned()]));
    }
    let mut play = Play::Nothing;
    for (at, step) in scenario.steps.iter().enumerate() {
        let action = step.action().map_err(|why| Failure::general("the scenario", vec![why]))?;
        judge.begin(at + 1, action, step);
        let outcome = play.act(action, step, rig, scenario).await;
        judge.step(outcome, step, &play)?;
    }
    judge.begin_end();
    let closed = play.close().await;
    judge.end(closed, scenario, &play)
}

/// What is played.
enum Play {
    Nothing,
    Sink(Box<SinkPlay>),
    Source(Box<SourcePlay>),
    Chain(Box<ChainPlay>),
}

impl Play {
    async fn act(&mut self, action: Action<'_>, step: &Step, rig: &Rig, scenario: &Scenario) -> Result<Came, Trouble> {
        match action {
            Action::Validate => return Ok(came([("errors", Value::Object(rig.problems().await?))])),
            Action::Tasks(spec) => {
                let tasks = rig.tasks(spec.max.unwrap_or(rig.tasks_max)).await?;
                let task = |pairs: Vec<(String, String)>| {
                    Value::Object(pairs.into_iter().map(|(key, value)| (key, Value::from(value))).collect())
                };
                return Ok(came([("tasks", tasks.into_iter().map(task).collect())]));
            }
            _ => {}
        }
        if matches!(self, Self::Nothing) {
            *self = Self::open(step, rig, scenario).await?;
        }
        match self {
            Self::Sink(sink) => sink.act(action, rig).await,
            Self::Source(source) => source.act(action, rig).await,
            Self::Chain(chain) => chain.act(action).await,
            Self::Nothing => Ok(Came::new()),
        }
    }

    async fn open(step: &Step, rig: &Rig, scenario: &Scenario) -> Result<Self, Trouble> {
        let kind = rig.plugin.kind;
        if matches!(kind, PluginKind::Transform | PluginKind::Predicate) {
            return Ok(Self::Chain(Box::new(ChainPlay::new(rig, scenario))));
        }
        // A worker would not even store it.
        let problems = rig.problems().await?;
        if !problems.is_empty() {
            return Err(judge::refused(&problems, step));
        }
        Ok(match kind {
            PluginKind::Sink => Self::Sink(Box::new(SinkPlay::new(rig, scenario).await?)),
            _ => Self::Source(Box::new(SourcePlay::new(rig, scenario).await?)),
        })
    }

    async fn close(&mut self) -> Result<Came, Trouble> {
        match self {
            Self::Sink(sink) => sink.close().await?,
            Self::Source(source) => source.close().await?,
            Self::Chain(chain) => chain.close().await,
            Self::Nothing => {}
        }
        Ok(Came::new())
    }
}
