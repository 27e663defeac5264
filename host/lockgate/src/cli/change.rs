//! What must happen so that a cluster becomes a folder.
//!
//! Enters: the connectors that files want and those that are there. Leaves: one step for each name, in the order of names.
//! Invariant: pure; a connector whose settings are the same is never touched.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::{Config, Wanted};

/// What happens to one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is not there.
    Create(Wanted),
    /// It is there with other settings.
    Update(Wanted, Vec<Difference>),
    /// It is as wanted.
    Keep(String),
    /// No file wants it.
    Delete(String, Config),
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its key.
    pub key: String,
    /// The value that is there.
    pub before: Option<String>,
    /// The value that is wanted.
    pub after: Option<String>,
}

impl Step {
    /// The connector.
    pub fn name(&self) -> &str {
        match self {
            Self::Create(wanted) | Self::Update(wanted, _) => &wanted.name,
            Self::Keep(name) | Self::Delete(name, _) => name,
        }
    }

    /// What has happened, once it has.
    pub const fn deed(&self) -> &'static str {
        match self {
            Self::Create(_) => "created",
            Self::Update(..) => "updated",
            Self::Keep(_) => "unchanged",
            Self::Delete(..) => "deleted",
        }
    }

    /// The settings that the step is about, in the order of keys.
    pub fn differences(&self) -> Vec<Difference> {
        match self {
            Self::Create(wanted) => differences(&Config::new(), &wanted.config),
            Self::Update(_, differences) => differences.clone(),
            Self::Keep(_) => Vec::new(),
            Self::Delete(_, config) => differences(config, &Config::new()),
        }
    }
}

/// All steps. With `prune`, what no file wants is deleted.
pub fn steps(wanted: Vec<Wanted>, mut actual: BTreeMap<String, Config>, prune: bool) -> Vec<Step> {
    let mut steps = BTreeMap::new();
    for wanted in wanted {
        let name = wanted.name.clone();
        let step = match actual.remove(&name) {
            None => Step::Create(wanted),
            Some(config) => {
                let found = differences(&config, &wanted.config);
                if found.is_empty() { Step::Keep(name.clone()) } else { Step::Update(wanted, found) }
            }
        };
        steps.insert(name, step);
    }
    if prune {
        steps.extend(actual.into_iter().map(|(name, config)| (name.clone(), Step::Delete(name, config))));
    }
    steps.into_values().collect()
}

fn differences(before: &Config, after: &Config) -> Vec<Difference> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|key| *key != "name").collect();
    let differs = |key: &&String| before.get(*key) != after.get(*key);
    let difference = |key: &String| Difference {
        key: key.clone(),
        before: before.get(key).cloned(),
        after: after.get(key).cloned(),
    };
    keys.into_iter().filter(differs).map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn wanted(name: &str, pairs: &[(&str, &str)]) -> Wanted {
        Wanted { name: name.to_owned(), config: config(pairs), initial_state: None, file: String::new() }
    }

    fn deeds(prune: bool) -> Vec<(String, &'static str)> {
        let actual = [("a", "1"), ("b", "1"), ("d", "1")];
        let actual = actual.map(|(name, x)| (name.to_owned(), config(&[("name", name), ("x", x)])));
        let files = vec![wanted("c", &[("x", "1")]), wanted("b", &[("x", "2")]), wanted("a", &[("x", "1")])];
        let steps = steps(files, actual.into(), prune);
        steps.iter().map(|step| (step.name().to_owned(), step.deed())).collect()
    }

    #[test]
    fn each_name_gets_one_step_in_the_order_of_names() {
        let of = |pairs: &[(&str, &'static str)]| pairs.iter().map(|(n, d)| ((*n).to_owned(), *d)).collect::<Vec<_>>();
        assert_eq!(deeds(false), of(&[("a", "unchanged"), ("b", "updated"), ("c", "created")]));
        assert_eq!(deeds(true), of(&[("a", "unchanged"), ("b", "updated"), ("c", "created"), ("d", "deleted")]));
    }

    #[test]
    fn a_difference_is_a_key_that_came_went_or_changed() {
        let found =
            differences(&config(&[("a", "1"), ("b", "1"), ("c", "1")]), &config(&[("b", "1"), ("c", "2"), ("d", "1")]));
        let text = |d: &Difference| format!("{} {:?} {:?}", d.key, d.before, d.after);
        let texts: Vec<String> = found.iter().map(text).collect();
        assert_eq!(texts, ["a Some(\"1\") None", "c Some(\"1\") Some(\"2\")", "d None Some(\"1\")"]);
    }
}
