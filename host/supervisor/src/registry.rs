//! Which packages are installed, and which of them a class name means.
//!
//! Enters: loaded packages. Leaves: a plugin with its package for a class or alias and a version wish. Invariant: one
//! digest for each name and version; the newest version wins unless another was asked for; readers never wait for a
//! compilation, as packages come in here only when they are ready.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use lockgate_model::package::{PackageInfo, PluginInfo, PluginKind};

use crate::desired::Config;
use crate::version::{Version, Wish};

/// An installed package; `P` is the loaded component.
#[derive(Clone, Debug)]
pub(crate) struct Installed<P> {
    pub info: Arc<PackageInfo>,
    pub package: P,
    /// It came with the worker.
    pub bundled: bool,
}

/// A plugin of an installed package.
#[derive(Clone, Debug)]
pub(crate) struct Found<P> {
    pub installed: Installed<P>,
    pub plugin: Arc<PluginInfo>,
}

/// Newest first within one name.
pub(crate) struct Packages<P> {
    installed: RwLock<Vec<Installed<P>>>,
}

/// What the worker holds.
pub(crate) type Registry = Packages<Arc<lockgate_wasm::Package>>;

/// What installing would mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not there yet.
    New,
    /// The same bytes are installed.
    Same,
    /// Other bytes are installed under this name and version.
    Other { digest: String },
}

/// A class that cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFound {
    #[error("Failed to find any class that implements {wanted} and which name matches {class}, available are: {}", known.join(", "))]
    Class { wanted: &'static str, class: String, known: Vec<String> },
    #[error("Plugin {class} not found that matches the version range {wish}, available versions: [{}]", available.join(", "))]
    Version { class: String, wish: String, available: Vec<String> },
    #[error("Invalid value {wish} for the version of {class}: {why}")]
    Wish { class: String, wish: String, why: String },
}

impl<P> std::fmt::Debug for Packages<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packages").finish_non_exhaustive()
    }
}

impl<P> Default for Packages<P> {
    fn default() -> Self {
        Self { installed: RwLock::default() }
    }
}

impl<P: Clone> Packages<P> {
    pub(crate) fn standing(&self, info: &PackageInfo) -> Standing {
        let same = |p: &&Installed<P>| p.info.name == info.name && p.info.version == info.version;
        match self.read().iter().find(same) {
            None => Standing::New,
            Some(p) if p.info.digest == info.digest => Standing::Same,
            Some(p) => Standing::Other { digest: p.info.digest.clone() },
        }
    }

    /// Installs, unless its name and version are taken; the answer says how it stood before.
    pub(crate) fn install(&self, package: Installed<P>) -> Standing {
        let mut installed = self.installed.write().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &&Installed<P>| p.info.name == package.info.name && p.info.version == package.info.version;
        if let Some(there) = installed.iter().find(same) {
            let equal = there.info.digest == package.info.digest;
            return if equal { Standing::Same } else { Standing::Other { digest: there.info.digest.clone() } };
        }
        installed.push(package);
        installed.sort_by(|a, b| {
            let newest_first = || Version::parse(&b.info.version).cmp(&Version::parse(&a.info.version));
            a.info.name.cmp(&b.info.name).then_with(newest_first)
        });
        Standing::New
    }

    pub(crate) fn remove(&self, name: &str, version: &str) -> Option<Installed<P>> {
        let mut installed = self.installed.write().unwrap_or_else(PoisonError::into_inner);
        let at = installed.iter().position(|p| p.info.name == name && p.info.version == version)?;
        Some(installed.remove(at))
    }

    pub(crate) fn exact(&self, name: &str, version: &str) -> Option<Installed<P>> {
        self.read().iter().find(|p| p.info.name == name && p.info.version == version).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Installed<P>> {
        self.read().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.read().len()
    }

    /// The plugin that a class or alias means.
    pub(crate) fn find(&self, class: &str, kinds: &[PluginKind], wish: Option<&str>) -> Result<Found<P>, NotFound> {
        let wish_text = wish.unwrap_or("latest");
        let why = |why| NotFound::Wish { class: class.to_owned(), wish: wish_text.to_owned(), why };
        let wish = Wish::parse(wish_text).map_err(why)?;
        let mut found: Vec<Found<P>> = self.matching(class, kinds);
        if found.is_empty() {
            let wanted = if kinds.contains(&PluginKind::Sink) { "Connector" } else { "Transformation" };
            return Err(NotFound::Class { wanted, class: class.to_owned(), known: self.classes(kinds) });
        }
        let version_of = |f: &Found<P>| Version::parse(&f.installed.info.version);
        found.sort_by_key(|f| std::cmp::Reverse(version_of(f)));
        if let Some(found) = found.iter().find(|f| wish.takes(&version_of(f))) {
            return Ok(found.clone());
        }
        let available = found.iter().map(|f| f.installed.info.version.clone()).collect();
        let class = found.first().map_or(class, |f| &f.plugin.class).to_owned();
        Err(NotFound::Version { class, wish: range_text(wish_text), available })
    }

    /// The plugin of a connector's configuration.
    pub(crate) fn connector(&self, config: &Config) -> Result<Found<P>, NotFound> {
        let class = config.get("connector.class").map_or("", String::as_str);
        let wish = config.get("connector.plugin.version").map(String::as_str);
        self.find(class, &CONNECTORS, wish)
    }

    pub(crate) fn kind_of(&self, config: &Config) -> Option<PluginKind> {
        self.connector(config).ok().map(|f| f.plugin.kind)
    }

    pub(crate) fn version_of(&self, config: &Config) -> Option<String> {
        self.connector(config).ok().map(|f| f.installed.info.version.clone())
    }

    fn matching(&self, class: &str, kinds: &[PluginKind]) -> Vec<Found<P>> {
        let installed = self.read();
        let plugins = installed.iter().flat_map(|p| p.info.plugins.iter().map(move |plugin| (p, plugin)));
        let fitting = plugins.filter(|(_, plugin)| kinds.contains(&plugin.kind) && answers_to(plugin, class));
        let found: Vec<_> = fitting.collect();
        let nearest = found.iter().map(|(_, plugin)| distance(plugin, class)).min();
        let meant = found.into_iter().filter(|(_, plugin)| Some(distance(plugin, class)) == nearest);
        meant.map(|(p, plugin)| Found { installed: p.clone(), plugin: Arc::clone(plugin) }).collect()
    }

    pub(crate) fn classes(&self, kinds: &[PluginKind]) -> Vec<String> {
        let installed = self.read();
        let plugins = installed.iter().flat_map(|p| &p.info.plugins).filter(|p| kinds.contains(&p.kind));
        let mut classes: Vec<String> = plugins.map(|p| p.class.clone()).collect();
        classes.sort();
        classes.dedup();
        classes
    }

    /// Installed versions of a class, newest first.
    pub(crate) fn versions(&self, class: &str, kinds: &[PluginKind]) -> Vec<String> {
        let mut versions: Vec<String> =
            self.matching(class, kinds).into_iter().map(|found| found.installed.info.version.clone()).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(Version::parse(version)));
        versions.dedup();
        versions
    }

    /// Source or sink, in whatever version.
    pub(crate) fn any_kind(&self, class: &str) -> Option<PluginKind> {
        self.matching(class, &CONNECTORS).first().map(|found| found.plugin.kind)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Installed<P>>> {
        self.installed.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The version of a converter, all of which come with the worker; an error if another one was asked for.
pub(crate) fn built_in_version(class: &str, wish: Option<&str>) -> Result<String, NotFound> {
    let (version, wish_text) = (env!("CARGO_PKG_VERSION"), wish.unwrap_or("latest"));
    let why = |why| NotFound::Wish { class: class.to_owned(), wish: wish_text.to_owned(), why };
    if Wish::parse(wish_text).map_err(why)?.takes(&Version::parse(version)) {
        return Ok(version.to_owned());
    }
    let available = vec![version.to_owned()];
    Err(NotFound::Version { class: class.to_owned(), wish: range_text(wish_text), available })
}

/// A bare version is the range that holds nothing else: so Kafka Connect's texts show it.
fn range_text(wish: &str) -> String {
    if wish.starts_with(['[', '(']) { wish.to_owned() } else { format!("[{wish},{wish}]") }
}

/// The kinds that `connector.class` may name.
pub(crate) const CONNECTORS: [PluginKind; 2] = [PluginKind::Source, PluginKind::Sink];

/// A class is named in full, by an alias, or, as in Kafka Connect, by the last part of either with or without
/// `Connector`. `Key` and `Value` alone name nothing: many classes end so.
pub(crate) fn answers_to(plugin: &PluginInfo, name: &str) -> bool {
    let names = std::iter::once(&plugin.class).chain(&plugin.aliases);
    names.into_iter().any(|class| {
        let simple = class.rsplit('.').next().unwrap_or(class);
        class == name || simple == name || simple.strip_suffix("Connector") == Some(name)
    })
}

/// Of several classes that a short name fits: 0 = it is the name in full, 1 = it is short for one of Apache Kafka's own, 2 = for
/// another. So `Filter` means Kafka's, whatever else is installed.
fn distance(plugin: &PluginInfo, name: &str) -> u8 {
    let mut names = std::iter::once(&plugin.class).chain(&plugin.aliases);
    if names.any(|class| class == name) {
        return 0;
    }
    if plugin.class.starts_with("org.apache.kafka.") { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn package(name: &str, version: &str, digest: &str, classes: &[(&str, PluginKind)]) -> Installed<()> {
        let plugin = |(class, kind): &(&str, PluginKind)| {
            Arc::new(PluginInfo {
                class: (*class).to_owned(),
                kind: *kind,
                aliases: vec!["org.apache.kafka.connect.file.FileStreamSinkConnector".to_owned()],
                documentation: String::new(),
                config: Vec::new(),
                encodings: vec![lockgate_model::Encoding::Bytes],
                requests: Vec::new(),
            })
        };
        let info = PackageInfo {
            name: name.to_owned(),
            version: version.to_owned(),
            digest: digest.to_owned(),
            documentation: String::new(),
            size_bytes: 1,
            plugins: classes.iter().map(plugin).collect(),
            imports: Vec::new(),
            exports: Vec::new(),
            toolchain: Vec::new(),
        };
        Installed { info: Arc::new(info), package: (), bundled: false }
    }

    fn with(versions: &[&str]) -> Packages<()> {
        let packages = Packages::default();
        for version in versions {
            packages.install(package("file", version, version, &[("FileSink", PluginKind::Sink)]));
        }
        packages
    }

    #[test]
    fn the_same_bytes_are_the_same_and_other_bytes_under_the_same_version_are_refused() {
        let packages = with(&["1.0.0"]);
        let again = package("file", "1.0.0", "1.0.0", &[]);
        assert_eq!(packages.install(again), Standing::Same);
        let other = package("file", "1.0.0", "other", &[]);
        assert_eq!(packages.standing(&other.info), Standing::Other { digest: "1.0.0".to_owned() });
        assert_eq!(packages.install(other), Standing::Other { digest: "1.0.0".to_owned() });
        assert_eq!((packages.count(), packages.install(package("file", "1.0.1", "d", &[]))), (1, Standing::New));
    }

    #[test]
    fn the_newest_version_wins_unless_another_is_asked_for() {
        let packages = with(&["1.2.0", "1.10.0", "1.9.0"]);
        let version = |wish| {
            let found = packages.find("FileSink", &CONNECTORS, wish).map_err(|e| e.to_string());
            found.map(|f| f.installed.info.version.clone())
        };
        assert_eq!(version(None).unwrap(), "1.10.0");
        assert_eq!(version(Some("[1.0,1.10.0)")).unwrap(), "1.9.0");
        assert_eq!(version(Some("1.2.0")).unwrap(), "1.2.0");
        let error = version(Some("[2.0,)")).unwrap_err();
        assert_eq!(
            error,
            "Plugin FileSink not found that matches the version range [2.0,), available versions: [1.10.0, 1.9.0, 1.2.0]"
        );
    }

    #[test]
    fn a_class_answers_to_its_aliases_and_to_kafka_connects_short_forms() {
        let packages = with(&["1.0.0"]);
        let known = ["FileSink", "FileStreamSinkConnector", "FileStreamSink"];
        for name in known.iter().chain(&["org.apache.kafka.connect.file.FileStreamSinkConnector"]) {
            assert!(packages.find(name, &CONNECTORS, None).is_ok(), "{name}");
        }
        let error = packages.find("Other", &CONNECTORS, None).unwrap_err().to_string();
        assert!(error.ends_with("which name matches Other, available are: FileSink"), "{error}");
        assert!(packages.find("FileSink", &[PluginKind::Transform], None).is_err());
    }

    #[test]
    fn a_short_name_means_kafkas_own_class_and_a_full_name_only_itself() {
        let packages = Packages::default();
        let (theirs, kafkas) = ("io.debezium.transforms.Filter", "org.apache.kafka.connect.transforms.Filter");
        packages.install(package("expr", "9.0.0", "a", &[(theirs, PluginKind::Transform)]));
        packages.install(package("transforms", "1.0.0", "b", &[(kafkas, PluginKind::Transform)]));
        let class = |name| packages.find(name, &[PluginKind::Transform], None).unwrap().plugin.class.clone();
        assert_eq!((class("Filter"), class(theirs), class(kafkas)), (kafkas.into(), theirs.into(), kafkas.into()));
    }
}
