//! Values of config providers that hold for a time: looked up again when it is over (`config.action.reload`).
//!
//! Enters: connectors whose configuration was resolved with such values. Leaves: the name of a connector whose values have
//! changed, once. Invariant: a value that did not change, or that cannot be looked up just now, restarts nothing; a
//! connector is watched at most once, and no longer when it is gone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lockgate_config::{Hidden, Providers, Resolved};
use tokio::sync::Notify;

use crate::desired::Config;
use crate::secrets;

/// What is watched.
#[derive(Debug)]
struct Watch {
    config: Config,
    hidden: Hidden,
    ttl: Duration,
    due: Instant,
}

/// All watched connectors of a worker.
#[derive(Debug)]
pub(crate) struct Reloads {
    providers: Providers,
    watched: Mutex<BTreeMap<String, Watch>>,
    changed: Notify,
}

impl Reloads {
    pub(crate) fn new(providers: Providers) -> Self {
        Self { providers, watched: Mutex::default(), changed: Notify::new() }
    }

    /// A connector starts with these values.
    pub(crate) fn watch(&self, name: &str, config: &Config, resolved: &Resolved) {
        let is_wanted = config.get("config.action.reload").is_none_or(|action| action.trim() != "none");
        match resolved.ttl.filter(|_| is_wanted) {
            None => self.forget(name),
            Some(ttl) => {
                let (config, hidden) = (config.clone(), resolved.hidden.clone());
                let watch = Watch { config, hidden, ttl, due: Instant::now() + ttl };
                self.lock().insert(name.to_owned(), watch);
                self.changed.notify_one();
            }
        }
    }

    /// A connector is gone.
    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Waits for a connector whose values changed. To be kept while other things happen: what it has begun goes with it.
    pub(crate) async fn next(&self) -> String {
        loop {
            let due = self.lock().values().map(|watch| watch.due).min();
            let Some(due) = due else {
                self.changed.notified().await;
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = self.changed.notified() => continue,
            }
            if let Some(name) = self.look().await {
                return name;
            }
        }
    }

    /// Looks at one connector that is due.
    async fn look(&self) -> Option<String> {
        let now = Instant::now();
        let due = self.lock().iter().find(|(_, w)| w.due <= now).map(|(name, w)| (name.clone(), w.config.clone()));
        let (name, config) = due?;
        let resolved = secrets::resolve_stored(&self.providers, &config).await;
        if let Some(problem) = resolved.problem() {
            tracing::warn!(connector = name, "values are kept as they are: {problem}");
        }
        let mut watched = self.lock();
        let watch = watched.get_mut(&name).filter(|watch| watch.config == config)?;
        if resolved.errors.is_empty() && !resolved.hidden.same_values(&watch.hidden) {
            watched.remove(&name);
            return Some(name);
        }
        watch.due = now + resolved.ttl.unwrap_or(watch.ttl).max(TTL_MIN);
        None
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Watch>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values are not looked up more often than this.
const TTL_MIN: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[tokio::test]
    async fn a_changed_value_is_told_once_and_an_unchanged_or_missing_one_never() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("s");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write("k=one-value\n");
        let entries = [pair("config.providers", "file"), pair("config.providers.file.param.ttl.ms", "1")];
        let providers = Providers::read(&entries.into(), "t", &mut Vec::new());
        let reloads = Reloads::new(providers.clone());
        let reference = format!("${{file:{}:k}}", file.display());
        let config = Config::from([pair("password", &reference)]);
        let resolved = secrets::resolve_stored(&providers, &config).await;
        reloads.watch("c", &config, &resolved);
        let quiet = Config::from([pair("password", &reference), pair("config.action.reload", "none")]);
        reloads.watch("quiet", &quiet, &resolved);
        let soon = Duration::from_millis(300);
        assert!(tokio::time::timeout(soon, reloads.next()).await.is_err(), "nothing changed");
        std::fs::remove_file(&file).unwrap();
        assert!(tokio::time::timeout(soon, reloads.next()).await.is_err(), "there is nothing to change to");
        write("k=another-value\n");
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), reloads.next()).await.unwrap(), "c");
        assert!(tokio::time::timeout(soon, reloads.next()).await.is_err(), "told once");
    }
}
