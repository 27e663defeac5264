//! A build of a project on a worker.
//!
//! Enters: components. Leaves: a connector that runs the newest of them. Invariant: each build has a version of its own, so the
//! former one runs until the worker has taken the new one; former builds are removed; what was there before is put back.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use lockgate_wasm::with_pre_release;
use serde_json::{Value, json};

use crate::cli::documents::Config;
use crate::cli::failure::Failure;
use crate::cli::package::explain;
use crate::cli::remote::{Remote, path};
use crate::cli::status::text;
use crate::cli::table::clean;

/// A connector whose package changes.
pub(super) struct Deployment<'a> {
    remote: &'a Remote,
    name: String,
    config: Config,
    /// What the worker had before; `None` = not asked yet.
    before: Option<Before>,
    /// The bytes of the last build that runs.
    bytes: Vec<u8>,
    /// Packages of ours on the worker, the newest last: name and version.
    packages: Vec<(String, String)>,
    number: u64,
}

/// The connector as it was found.
enum Before {
    Absent,
    There(Value),
}

impl<'a> Deployment<'a> {
    pub(super) fn new(remote: &'a Remote, config: Config) -> Self {
        let name = config.get("name").cloned().unwrap_or_default();
        Self { remote, name, config, before: None, bytes: Vec::new(), packages: Vec::new(), number: 0 }
    }

    pub(super) const fn remote(&self) -> &'a Remote {
        self.remote
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// True once a build of ours runs.
    pub(super) fn is_there(&self) -> bool {
        !self.packages.is_empty()
    }

    /// The version that runs.
    pub(super) fn version(&self) -> Option<&str> {
        self.packages.last().map(|(_, version)| version.as_str())
    }

    /// Uploads a build and moves the connector to it.
    pub(super) fn deploy(&mut self, file: &Path) -> Result<String, Failure> {
        let bytes = std::fs::read(file).map_err(|cause| Failure::File { path: file.to_owned(), cause })?;
        if bytes == self.bytes {
            return Ok("the component is the same as before".to_owned());
        }
        let found = self.remote.find(&path(&["connectors", &self.name, "config"]))?;
        if self.before.is_none() {
            self.before = Some(match found {
                Some(answer) => Before::There(answer.json()?),
                None => Before::Absent,
            });
        }
        let build = with_pre_release(&bytes, &format!("dev.{}", self.next_number()));
        let uploaded = self.remote.upload("/packages", &build).map_err(|failure| match failure {
            Failure::Refused { status, message, hint } => {
                let hint = explain::refusal(&message).or(hint);
                Failure::Refused { status, message, hint }
            }
            other => other,
        });
        let package = uploaded?.json()?;
        let uploaded = (text(&package["name"]), text(&package["version"]));
        let configured = self
            .config_for(&package)
            .and_then(|config| self.remote.send(&Method::PUT, &path(&["connectors", &self.name, "config"]), &config));
        if let Err(failure) = configured {
            // Nothing uses it.
            let _ = self.remote.delete(&path(&["packages", &uploaded.0, &uploaded.1]));
            return Err(failure);
        }
        self.bytes = bytes;
        self.packages.push(uploaded);
        self.remove_former();
        let (name, version) = self.packages.last().map_or(("", ""), |(name, version)| (name, version));
        Ok(format!("{} runs {} {}", clean(&self.name), clean(name), clean(version)))
    }

    /// The connector as it was found, our packages gone.
    pub(super) fn restore(&mut self) -> Result<(), Failure> {
        match self.before.take() {
            _ if self.packages.is_empty() => return Ok(()),
            Some(Before::There(config)) => {
                drop(self.remote.send(&Method::PUT, &path(&["connectors", &self.name, "config"]), &config)?);
            }
            _ => drop(self.remote.delete(&path(&["connectors", &self.name]))?),
        }
        let mut outcome = Ok(());
        for (name, version) in std::mem::take(&mut self.packages) {
            outcome = outcome.and(self.delete(&name, &version));
        }
        outcome
    }

    /// Former builds; one that is still in use goes next time.
    fn remove_former(&mut self) {
        let newest = self.packages.pop();
        let remote = self.remote;
        self.packages.retain(|(name, version)| remote.delete(&path(&["packages", name, version])).is_err());
        self.packages.extend(newest);
    }

    fn delete(&self, name: &str, version: &str) -> Result<(), Failure> {
        match self.remote.delete(&path(&["packages", name, version])) {
            Ok(_) | Err(Failure::Refused { status: 404, .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Larger than any before, here and in earlier sessions.
    fn next_number(&mut self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.number = now.max(self.number + 1);
        self.number
    }

    /// The configuration with this build's version wherever it names one of its plugins.
    fn config_for(&self, package: &Value) -> Result<Value, Failure> {
        let version = text(&package["version"]);
        let plugins = package["plugins"].as_array().map_or(&[][..], Vec::as_slice);
        let is_ours = |class: &str| {
            plugins.iter().any(|plugin| {
                let aliases = plugin["aliases"].as_array().into_iter().flatten();
                plugin["class"] == class || aliases.into_iter().any(|alias| alias == class)
            })
        };
        let mut config = self.config.clone();
        if !config.contains_key("connector.class") {
            let connectors = plugins.iter().filter(|plugin| matches!(plugin["type"].as_str(), Some("source" | "sink")));
            let classes: Vec<String> = connectors.map(|plugin| text(&plugin["class"])).collect();
            let [only] = &classes[..] else {
                return Err(Failure::Invalid(format!(
                    "the connector names no connector.class, and the package has {} ({})",
                    classes.len(),
                    classes.join(", ")
                )));
            };
            config.insert("connector.class".to_owned(), only.clone());
        }
        let mut found = false;
        for (key, class) in config.clone() {
            let version_key = match key.strip_suffix(".type") {
                Some(step) if step.starts_with("transforms.") || step.starts_with("predicates.") => {
                    format!("{step}.plugin.version")
                }
                None if key == "connector.class" => "connector.plugin.version".to_owned(),
                _ => continue,
            };
            if is_ours(&class) {
                found = true;
                config.insert(version_key, version.clone());
            }
        }
        if !found {
            let classes: Vec<String> = plugins.iter().map(|plugin| text(&plugin["class"])).collect();
            let text = format!("the connector uses none of the package's plugins ({})", classes.join(", "));
            return Err(Failure::Invalid(text));
        }
        Ok(json!(config))
    }
}
