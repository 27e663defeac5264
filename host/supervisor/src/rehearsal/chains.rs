//! A transform, a predicate or a chain, step by step.
//!
//! Enters: records. Leaves: one answer for each, as `lockgate transform` gives it. Invariant: the chain is planned, opened and
//! run by the code of a task.

use indexmap::IndexMap;
use lockgate_model::package::PluginKind;
use lockgate_wasm::TaskSpec;
use serde_json::{Value, json};

use super::action::Action;
use super::rig::{Came, Rig, Trouble};
use super::scenario::{Scenario, Side};
use super::sinks::came;
use crate::preview::{RecordKind, Subject, Trial, Workbench};

/// A chain that is played.
pub(super) struct ChainPlay {
    bench: Workbench,
    subject: Subject,
    config: IndexMap<String, Option<String>>,
    kind: RecordKind,
    open: Option<Trial>,
}

impl ChainPlay {
    pub(super) fn new(rig: &Rig, scenario: &Scenario) -> Self {
        let mut config: IndexMap<String, Option<String>> =
            rig.config.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        let whole = config.contains_key("transforms");
        let subject = match rig.plugin.kind {
            PluginKind::Predicate if !whole => Subject::Predicate(Some(rig.plugin.class.clone())),
            _ => Subject::Chain,
        };
        if subject == Subject::Chain && !whole {
            let own = config.into_iter().map(|(key, value)| (format!("transforms.t.{key}"), value));
            let head = [("transforms", "t"), ("transforms.t.type", rig.plugin.class.as_str())];
            let head = head.map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
            config = head.into_iter().chain(own).collect();
        }
        let kind = match scenario.records {
            Side::Source => RecordKind::Source,
            Side::Sink => RecordKind::Sink,
        };
        let task = TaskSpec { class: "scenario".to_owned(), ..rig.spec.clone() };
        let bench = Workbench::of_package(&rig.package, rig.policy.clone(), task);
        Self { bench, subject, config, kind, open: None }
    }

    pub(super) async fn act(&mut self, action: Action<'_>) -> Result<Came, Trouble> {
        match action {
            Action::Open => {
                self.trial().await;
                Ok(Came::new())
            }
            Action::Apply(records) => {
                let lines: Vec<String> =
                    records.iter().map(|record| Value::Object(record.clone()).to_string()).collect();
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                let answers = self.trial().await.answer(&lines).await;
                let answer = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
                Ok(came([("records", answers.iter().map(answer).collect())]))
            }
            Action::Crash => {
                self.open = None;
                Ok(Came::new())
            }
            Action::Restart | Action::Close => {
                self.close().await;
                Ok(Came::new())
            }
            other => Err(Trouble::Scenario(format!("`{}` is not for transforms; there is `apply`", other.name()))),
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close().await;
        }
    }

    async fn trial(&mut self) -> &mut Trial {
        if self.open.is_none() {
            self.open = Some(self.bench.trial(&self.subject, &self.config, self.kind).await);
        }
        self.open.get_or_insert_with(|| Trial::refused("there is no chain")) // it was just opened
    }
}
