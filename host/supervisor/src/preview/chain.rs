//! What is tried, planned as a task's chain.
//!
//! Enters: a configuration. Leaves: segments, or Kafka Connect's `ConfigException` in words. Invariant: settings are judged
//! one plugin after the other, the first problem is the answer, as `configure` does it.

use lockgate_config::definitions::of_plugin;
use lockgate_config::reading::check;
use lockgate_config::{RawConfig, transforms};

use super::Subject;
use crate::chain::{Plan, plan as plan_segments};
use crate::registry::Registry;

/// A chain, and what its answers mean.
#[derive(Clone)]
pub(super) struct Planned {
    pub plans: Vec<Plan>,
    /// Dropped means true.
    pub predicate: bool,
}

/// The transform that a predicate is tried with: what it holds for is dropped.
const FILTER: &str = "org.apache.kafka.connect.transforms.Filter";

pub(super) fn plan(subject: &Subject, config: &RawConfig, registry: &Registry) -> Result<Planned, String> {
    let (config, predicate) = match subject {
        Subject::Chain => (config.clone(), false),
        Subject::Predicate(wanted) => (guarded(wanted.as_deref(), config)?, true),
    };
    let null = config.iter().find(|(_, value)| value.is_none()).map(|(key, _)| key);
    if let Some(key) = null {
        return Err(format!(
            "Invalid value null for configuration {key}: Null value can not be supplied as the value."
        ));
    }
    let specs = transforms::chain(&config).map_err(|errors| match errors.0.first() {
        Some(first) => first.message.clone(),
        None => errors.to_string(),
    })?;
    let plans = plan_segments(&specs, registry)?;
    for (plugin, settings) in plans.iter().flat_map(Plan::settings) {
        for known in of_plugin("", plugin) {
            let name = &known.definition.name;
            let given = settings.iter().find(|(key, _)| key == name).map(|(_, value)| Some(value.clone()));
            if let Some(error) = check(&known, given.as_ref()).errors.first() {
                return Err(error.message.clone());
            }
        }
    }
    Ok(Planned { plans, predicate })
}

/// The configuration of a chain of one `Filter` with the predicate.
fn guarded(wanted: Option<&str>, config: &RawConfig) -> Result<RawConfig, String> {
    let text = |key: &str| config.get(key).and_then(Option::as_deref).map(str::trim).filter(|text| !text.is_empty());
    let aliases: Vec<&str> =
        text("predicates").map(|list| list.split(',').map(str::trim).collect()).unwrap_or_default();
    let mut chain = config.clone();
    chain.retain(|key, _| key != "transforms" && !key.starts_with("transforms."));
    let alias = match (wanted, &aliases[..]) {
        (Some(wanted), all) if all.contains(&wanted) => wanted.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (None, [_, _, ..]) => {
            return Err(format!("there are several predicates ({}); name one: --predicate ALIAS", aliases.join(", ")));
        }
        (wanted, _) => {
            let class = wanted.or(text("type")).ok_or("the configuration has no predicates")?.to_owned();
            let own = config.iter().filter(|(key, _)| *key != "type");
            chain = own.map(|(key, value)| (format!("predicates.p.{key}"), value.clone())).collect();
            chain.insert("predicates".to_owned(), Some("p".to_owned()));
            chain.insert("predicates.p.type".to_owned(), Some(class));
            "p".to_owned()
        }
    };
    let filter = [("transforms", "t"), ("transforms.t.type", FILTER), ("transforms.t.predicate", &alias)];
    chain.extend(filter.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))));
    Ok(chain)
}
