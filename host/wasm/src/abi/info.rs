//! What a package says of itself.
//!
//! Enters: a lifted `describe` or `validate`. Leaves: the model's words. Invariant: names, counts and sizes are within the
//! contract's bounds; all problems are found at once.

use std::collections::HashSet;
use std::sync::Arc;

use lockgate_model::Encoding;
use lockgate_model::package::{
    ConfigAdvice, ConfigDefinition, ConfigType, Constraint, Importance, PackageInfo, PluginInfo, PluginKind, Request,
    Width,
};

use super::exports::plugin as wit;
use super::{cut, imports::batches};

const PLUGINS_MAX: usize = 200;
const KEYS_MAX: usize = 1_000;
const LIST_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 255;
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Problems shown at most.
const PROBLEMS_MAX: usize = 50;

/// What the host knows of the package without asking it.
#[expect(clippy::struct_excessive_bools, reason = "each is an export of its own")]
pub(crate) struct Facts {
    pub(crate) digest: String,
    pub(crate) size_bytes: u64,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) toolchain: Vec<String>,
    /// Which of the kinds' interfaces are exported.
    pub(crate) source: bool,
    pub(crate) sink: bool,
    pub(crate) transform: bool,
    /// Sources are asked before their offsets are altered.
    pub(crate) offsets: bool,
    /// What stands behind its version.
    pub(crate) pre_release: Option<String>,
}

/// Checks and takes over a description.
pub(crate) fn lift(mut info: wit::PackageInfo, facts: Facts) -> Result<PackageInfo, Vec<String>> {
    let mut check = Check::default();
    if let Some(pre_release) = &facts.pre_release {
        let version = info.version.split('+').next().unwrap_or_default();
        let separator = if version.contains('-') { '.' } else { '-' };
        info.version = format!("{version}{separator}{pre_release}");
    }
    let part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if info.name.is_empty() || info.name.len() > 64 || !info.name.bytes().all(part) {
        check.problem(format!("the name {:?} is not 1 to 64 of a-z, 0-9 and -", shown(&info.name)));
    }
    if !is_version(&info.version) {
        check.problem(format!("the version {:?} is not a semantic version such as 1.2.3", shown(&info.version)));
    }
    if info.plugins.is_empty() || info.plugins.len() > PLUGINS_MAX {
        check.problem(format!("{} plugins are described, allowed are 1 to {PLUGINS_MAX}", info.plugins.len()));
    }
    let plugins = info.plugins.into_iter().take(PLUGINS_MAX).map(|p| Arc::new(check.plugin(p, &facts))).collect();
    if !check.problems.is_empty() {
        return Err(check.problems);
    }
    Ok(PackageInfo {
        name: info.name,
        version: info.version,
        digest: facts.digest,
        documentation: text(info.documentation),
        size_bytes: facts.size_bytes,
        plugins,
        imports: facts.imports,
        exports: facts.exports,
        toolchain: facts.toolchain,
    })
}

/// Takes over what a plugin says about a configuration.
pub(crate) fn lift_advice(values: Vec<wit::ConfigValue>) -> Vec<ConfigAdvice> {
    let list = |texts: Vec<String>| texts.into_iter().take(LIST_MAX).map(text).collect();
    let advice = |v: wit::ConfigValue| ConfigAdvice {
        name: text(v.name),
        recommended: list(v.recommended),
        errors: list(v.errors),
        visible: v.visible,
    };
    values.into_iter().take(KEYS_MAX).map(advice).collect()
}

#[derive(Default)]
struct Check {
    problems: Vec<String>,
    names: HashSet<(String, u8)>,
}

impl Check {
    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn plugin(&mut self, plugin: wit::PluginInfo, facts: &Facts) -> PluginInfo {
        let (kind, exported) = match plugin.kind {
            wit::Kind::Source => (PluginKind::Source, facts.source),
            wit::Kind::Sink => (PluginKind::Sink, facts.sink),
            wit::Kind::Transform => (PluginKind::Transform, facts.transform),
            wit::Kind::Predicate => (PluginKind::Predicate, facts.transform),
        };
        let class = shown(&plugin.class);
        if !exported {
            self.problem(format!("{class} is a {kind:?}, but the component does not export that interface"));
        }
        for name in std::iter::once(&plugin.class).chain(&plugin.aliases) {
            if !is_class(name) {
                self.problem(format!(
                    "the class {:?} is not 1 to {NAME_BYTES_MAX} of a-z, A-Z, 0-9, . _ $ -",
                    shown(name)
                ));
            }
            if !self.names.insert((name.clone(), kind as u8)) {
                self.problem(format!("the class {:?} is described twice", shown(name)));
            }
        }
        for (what, count) in [("aliases", plugin.aliases.len()), ("requests", plugin.requests.len())] {
            if count > LIST_MAX {
                self.problem(format!("{class} has {count} {what}, allowed are {LIST_MAX}"));
            }
        }
        if plugin.encodings.is_empty() || plugin.encodings.len() > 3 {
            self.problem(format!("{class} names {} encodings, allowed are 1 to 3", plugin.encodings.len()));
        }
        if plugin.config.len() > KEYS_MAX {
            self.problem(format!("{class} has {} config keys, allowed are {KEYS_MAX}", plugin.config.len()));
        }
        let mut keys = HashSet::new();
        for definition in &plugin.config {
            let name = &definition.name;
            if !is_class(name) || !keys.insert(name.as_str()) {
                self.problem(format!("{class}: the config key {:?} is not a key, or there twice", shown(name)));
            }
        }
        PluginInfo {
            class: plugin.class,
            kind,
            aliases: plugin.aliases,
            documentation: text(plugin.documentation),
            config: plugin.config.into_iter().take(KEYS_MAX).map(lift_definition).collect(),
            encodings: plugin.encodings.into_iter().take(3).map(lift_encoding).collect(),
            requests: plugin.requests.into_iter().take(LIST_MAX).map(lift_request).collect(),
        }
    }
}

fn lift_definition(d: wit::ConfigDefinition) -> ConfigDefinition {
    ConfigDefinition {
        name: d.name,
        config_type: match d.config_type {
            wit::ConfigType::Boolean => ConfigType::Boolean,
            wit::ConfigType::String => ConfigType::String,
            wit::ConfigType::Int => ConfigType::Int,
            wit::ConfigType::Short => ConfigType::Short,
            wit::ConfigType::Long => ConfigType::Long,
            wit::ConfigType::Double => ConfigType::Double,
            wit::ConfigType::List => ConfigType::List,
            wit::ConfigType::Class => ConfigType::Class,
            wit::ConfigType::Password => ConfigType::Password,
        },
        required: d.required,
        default_value: d.default_value.map(text),
        constraint: match d.constraint {
            wit::Constraint::Any => Constraint::Any,
            wit::Constraint::NonEmpty => Constraint::NonEmpty,
            wit::Constraint::OneOf(values) => Constraint::OneOf(values.into_iter().take(LIST_MAX).map(text).collect()),
            wit::Constraint::Between((low, high)) => Constraint::Between(low, high),
        },
        importance: match d.importance {
            wit::Importance::High => Importance::High,
            wit::Importance::Medium => Importance::Medium,
            wit::Importance::Low => Importance::Low,
        },
        documentation: text(d.documentation),
        group: text(d.group),
        display_name: text(d.display_name),
        width: match d.width {
            wit::Width::None => Width::None,
            wit::Width::Short => Width::Short,
            wit::Width::Medium => Width::Medium,
            wit::Width::Long => Width::Long,
        },
        dependents: d.dependents.into_iter().take(LIST_MAX).map(text).collect(),
    }
}

const fn lift_encoding(encoding: batches::Encoding) -> Encoding {
    match encoding {
        batches::Encoding::Bytes => Encoding::Bytes,
        batches::Encoding::Json => Encoding::Json,
        batches::Encoding::Cbor => Encoding::Cbor,
    }
}

fn lift_request(request: wit::Request) -> Request {
    match request {
        wit::Request::Http(t) => Request::Http(text(t)),
        wit::Request::Tcp(t) => Request::Tcp(text(t)),
        wit::Request::Read(t) => Request::Read(text(t)),
        wit::Request::Write(t) => Request::Write(text(t)),
    }
}

/// Texts for people: bounded, and without control characters other than line breaks and tabs.
fn text(mut text: String) -> String {
    cut(&mut text, TEXT_BYTES_MAX);
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        text = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    }
    text
}

/// A name in an error.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

fn is_class(name: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || b"._$-".contains(&b);
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(part) && !name.contains("..")
}

fn is_version(version: &str) -> bool {
    let (rest, build) = version.split_once('+').map_or((version, None), |(r, b)| (r, Some(b)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(c, p)| (c, Some(p)));
    let number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && (n == "0" || !n.starts_with('0'));
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let labels = |t: Option<&str>| t.is_none_or(|t| t.split('.').all(label));
    version.len() <= 64 && core.split('.').count() == 3 && core.split('.').all(number) && labels(pre) && labels(build)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facts() -> Facts {
        let (digest, imports, exports, toolchain) = ("sha256:00".to_owned(), Vec::new(), Vec::new(), Vec::new());
        let (source, sink, transform, offsets, pre_release) = (false, true, false, false, None);
        Facts { digest, size_bytes: 1, imports, exports, toolchain, source, sink, transform, offsets, pre_release }
    }

    fn plugin(class: &str) -> wit::PluginInfo {
        wit::PluginInfo {
            class: class.to_owned(),
            kind: wit::Kind::Sink,
            aliases: Vec::new(),
            documentation: "d\u{1b}[31m".to_owned(),
            config: Vec::new(),
            encodings: vec![batches::Encoding::Bytes],
            requests: Vec::new(),
        }
    }

    fn package(name: &str, version: &str, plugins: Vec<wit::PluginInfo>) -> wit::PackageInfo {
        let (name, version, documentation) = (name.to_owned(), version.to_owned(), String::new());
        wit::PackageInfo { name, version, documentation, plugins }
    }

    #[test]
    fn a_good_description_is_taken_over() {
        let info = lift(package("acme-sinks", "1.0.0-rc.1+b2", vec![plugin("acme.Sink")]), facts()).unwrap();
        assert_eq!((info.plugins[0].class.as_str(), info.plugins[0].documentation.as_str()), ("acme.Sink", "d[31m"));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let mut source = plugin("x");
        source.kind = wit::Kind::Source;
        source.encodings.clear();
        let bad = package("../up", "1.0", vec![plugin("a/b"), plugin("same"), plugin("same"), source]);
        let problems = lift(bad, facts()).unwrap_err();
        for part in ["name", "version", "a/b", "twice", "Source", "encodings"] {
            assert!(problems.iter().any(|p| p.contains(part)), "{part}: {problems:?}");
        }
        assert!(lift(package(&"n".repeat(10 << 20), "1.0.0", vec![]), facts()).unwrap_err()[0].len() < 300);
    }

    #[test]
    fn versions_follow_semver() {
        for good in ["0.0.1", "1.2.3", "10.20.30-alpha.1", "1.0.0+build.5"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3 ", "v1.2.3", "1.2.3.4"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
