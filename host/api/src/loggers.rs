//! `/admin/loggers`: what the worker logs, seen and changed while it runs.
//!
//! Enters: names of loggers (targets of `tracing`, `root` for the rest) and levels in Log4j's words. Leaves: levels as Kafka
//! Connect shows them, and every change at once in force. Invariant: at most [`LOGGERS_MAX`] loggers; levels last as long as
//! the process. Rules: KIP-495, KIP-976.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, StatusCode};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use tracing::level_filters::LevelFilter;

use crate::answer::{Outcome, Refusal, json};
use crate::body::{self, JSON_BYTES_MAX};
use crate::dispatch::{Call, Desk, done};
use crate::route::Route;

/// Loggers at most, those that were made by naming them included.
pub const LOGGERS_MAX: usize = 1_000;
/// Bytes of a logger's name at most.
const NAME_MAX: usize = 256;

/// What stands for every logger that has no level of its own.
pub const ROOT: &str = "root";

/// Takes levels into force: all of them, `root` among them.
pub type ApplyLevels = Arc<dyn Fn(&[(String, LevelFilter)]) + Send + Sync>;

/// The loggers of the process. Clones are one.
#[derive(Clone)]
pub struct Loggers {
    levels: Arc<Mutex<BTreeMap<String, Entry>>>,
    apply: ApplyLevels,
}

impl fmt::Debug for Loggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loggers").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    level: Level,
    last_modified: Option<i64>,
}

/// Log4j's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    name: &'static str,
    filter: LevelFilter,
}

const LEVELS: [Level; 8] = [
    Level { name: "OFF", filter: LevelFilter::OFF },
    Level { name: "ERROR", filter: LevelFilter::ERROR },
    Level { name: "FATAL", filter: LevelFilter::ERROR },
    Level { name: "WARN", filter: LevelFilter::WARN },
    Level { name: "INFO", filter: LevelFilter::INFO },
    Level { name: "DEBUG", filter: LevelFilter::DEBUG },
    Level { name: "TRACE", filter: LevelFilter::TRACE },
    Level { name: "ALL", filter: LevelFilter::TRACE },
];

/// A logger as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoggerLevel {
    /// `OFF`, `ERROR`, `WARN`, ...
    pub level: String,
    /// When it was changed here, epoch milliseconds; null = never.
    pub last_modified: Option<i64>,
}

impl From<&Entry> for LoggerLevel {
    fn from(entry: &Entry) -> Self {
        Self { level: entry.level.name.to_owned(), last_modified: entry.last_modified }
    }
}

impl Loggers {
    /// Loggers with the levels that are in force; `root` should be among them.
    pub fn new(levels: impl IntoIterator<Item = (String, LevelFilter)>, apply: ApplyLevels) -> Self {
        let entry = |filter| {
            let level = LEVELS.into_iter().find(|level| level.filter == filter).unwrap_or(LEVELS[0]);
            Entry { level, last_modified: None }
        };
        let levels = levels.into_iter().map(|(name, filter)| (name, entry(filter))).collect();
        Self { levels: Arc::new(Mutex::new(levels)), apply }
    }

    fn all(&self) -> IndexMap<String, LoggerLevel> {
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = levels.iter().filter(|(_, entry)| entry.level.filter != LevelFilter::OFF);
        shown.map(|(name, entry)| (name.clone(), entry.into())).collect()
    }

    fn one(&self, name: &str) -> Option<LoggerLevel> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(Into::into)
    }

    /// Whether this logger may have a level: it has one, or there is room for one more.
    fn admit(&self, name: &str) -> Result<(), Refusal> {
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        admit(&levels, name)
    }

    /// Sets the level of a logger and of those below it; the names of those that changed.
    fn set(&self, name: &str, level: Level) -> Result<Vec<String>, Refusal> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        admit(&levels, name)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let fresh = Entry { level, last_modified: i64::try_from(now).ok() };
        let mut changed = Vec::new();
        for (known, entry) in levels.iter_mut().filter(|(known, _)| is_below(known, name)) {
            if entry.level != level {
                *entry = fresh;
                changed.push(known.clone());
            }
        }
        if !levels.contains_key(name) {
            levels.insert(name.to_owned(), fresh);
            changed.push(name.to_owned());
            changed.sort();
        }
        let filters: Vec<_> = levels.iter().map(|(name, entry)| (name.clone(), entry.level.filter)).collect();
        (self.apply)(&filters);
        Ok(changed)
    }
}

fn admit(levels: &BTreeMap<String, Entry>, name: &str) -> Result<(), Refusal> {
    if !levels.contains_key(name) && (levels.len() >= LOGGERS_MAX || name.len() > NAME_MAX) {
        let text = format!("there may be {LOGGERS_MAX} loggers with names of at most {NAME_MAX} bytes");
        return Err(Refusal::bad_request(text));
    }
    Ok(())
}

/// `a::b` and `a.b` are below `a`; everything is below `root`.
fn is_below(known: &str, name: &str) -> bool {
    name == ROOT
        || known
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('.'))
}

impl Desk {
    /// Answers for loggers.
    pub async fn loggers(&self, mut call: Call, headers: &HeaderMap) -> Outcome {
        let loggers = &self.options.loggers;
        match &call.route {
            Route::Loggers => Ok(json(StatusCode::OK, &loggers.all())),
            Route::Logger(name) if call.method == Method::GET => {
                let missing = || Refusal::new(StatusCode::NOT_FOUND, format!("Logger {name} not found."));
                Ok(json(StatusCode::OK, &loggers.one(name).ok_or_else(missing)?))
            }
            Route::Logger(name) => {
                let bytes =
                    body::read(headers, std::mem::take(&mut call.body), JSON_BYTES_MAX, "the JSON body").await?;
                let wanted = body::level(&bytes)?;
                let found = LEVELS.into_iter().find(|level| level.name.eq_ignore_ascii_case(&wanted));
                let unknown = || Refusal::new(StatusCode::NOT_FOUND, format!("invalid log level '{wanted}'."));
                let level = found.ok_or_else(unknown)?;
                loggers.admit(name)?;
                let scope = call.query.value("scope").unwrap_or("worker");
                if scope.eq_ignore_ascii_case("cluster") {
                    self.handle.put_logger_level(name, level.name).await?;
                    loggers.set(name, level)?;
                    return done(StatusCode::NO_CONTENT);
                }
                let changed = loggers.set(name, level)?;
                if !scope.eq_ignore_ascii_case("worker") {
                    tracing::warn!(scope, "unknown scope of a log level: taken as `worker`");
                }
                Ok(json(StatusCode::OK, &changed))
            }
            _ => Err(Refusal::http(StatusCode::NOT_FOUND)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Applied = Arc<Mutex<Vec<(String, LevelFilter)>>>;

    fn loggers() -> (Loggers, Applied) {
        let applied = Applied::default();
        let sink = Arc::clone(&applied);
        let apply: ApplyLevels = Arc::new(move |levels| *sink.lock().unwrap() = levels.to_vec());
        let levels = [("root", LevelFilter::ERROR), ("a", LevelFilter::INFO), ("a::b", LevelFilter::OFF)];
        (Loggers::new(levels.map(|(n, l)| (n.to_owned(), l)), apply), applied)
    }

    fn level(name: &str) -> Level {
        LEVELS.into_iter().find(|level| level.name == name).unwrap()
    }

    #[test]
    fn a_level_holds_for_what_is_below_and_is_in_force_at_once() {
        let (loggers, applied) = loggers();
        assert_eq!(loggers.set("a", level("DEBUG")).unwrap(), ["a", "a::b"]);
        assert_eq!(loggers.set("a", level("DEBUG")).unwrap(), Vec::<String>::new());
        assert_eq!(loggers.one("root").unwrap().last_modified, None);
        assert!(loggers.one("a").unwrap().last_modified.is_some());
        assert!(applied.lock().unwrap().contains(&("a::b".to_owned(), LevelFilter::DEBUG)));
        assert_eq!(loggers.set("root", level("ALL")).unwrap(), ["a", "a::b", "root"]);
        assert_eq!(loggers.one("a").unwrap().level, "ALL");
    }

    #[test]
    fn a_logger_is_made_by_naming_it_and_off_is_not_listed() {
        let (loggers, _) = loggers();
        assert_eq!(loggers.set("org.apache.kafka", level("WARN")).unwrap(), ["org.apache.kafka"]);
        assert_eq!(loggers.all().keys().collect::<Vec<_>>(), ["a", "org.apache.kafka", "root"]);
        assert_eq!(loggers.one("a::b").unwrap().level, "OFF");
        assert_eq!(loggers.one("ab"), None);
        assert!(loggers.set(&"x".repeat(300), level("WARN")).is_err());
    }
}
