//! Settings of the converters whose schemas live in a registry.
//!
//! Enters: class name and settings of a converter, prefix cut off. Leaves: checked options: where the registry is, how subjects
//! are named, how schemas are written, and the format. Invariant: credentials leave only as request headers and are in no
//! text of an error or of `Debug`.

mod connection;

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::avro::AvroOptions;
use crate::converter::{BOOLEAN, ConvertConfigError, Role, boolean};
use crate::fault::{DataFault, Result};
use crate::registry::{Format, Writing};

pub use connection::{Connection, Endpoint, Scheme};

/// Makes a format of its settings; problems go into the settings.
type MakeFormat = fn(&mut Settings<'_>) -> Arc<dyn Format>;

/// Package, class, format. Short names are made of the class: `AvroConverter`, `Avro`.
const FORMATS: &[(&str, &str, MakeFormat)] = &[
    ("io.confluent.connect.avro.", "AvroConverter", AvroOptions::parse),
    (APICURIO, "AvroConverter", AvroOptions::parse),
    ("io.confluent.connect.protobuf.", "ProtobufConverter", crate::protobuf::make),
    ("io.confluent.connect.json.", "JsonSchemaConverter", crate::json_schema::make),
];

/// Package of Apicurio's own converters. Its Avro means what Confluent's does, with four bytes of id.
const APICURIO: &str = "io.apicurio.registry.utils.converter.";

/// Settings of one converter.
#[derive(PartialEq)]
pub struct RegistryOptions {
    /// The class, in full.
    pub class: String,
    /// Where the registry is and how to log in there.
    pub connection: Connection,
    pub(crate) format: ByClass,
    pub(crate) naming: Naming,
    pub(crate) writing: Writing,
    /// `normalize.schemas`
    pub(crate) normalize: bool,
    /// `schemas.cache.config`: compiled schemas kept, in each direction.
    pub(crate) cache_size: usize,
    /// `ignore.default.for.nullables`
    pub(crate) ignore_default_for_nullables: bool,
}

/// A format that equals another if class and settings of the converter do; those are compared beside it.
pub(crate) struct ByClass {
    format: Arc<dyn Format>,
    settings: IndexMap<String, String>,
}

impl PartialEq for ByClass {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl std::ops::Deref for ByClass {
    type Target = Arc<dyn Format>;

    fn deref(&self) -> &Self::Target {
        &self.format
    }
}

impl fmt::Debug for RegistryOptions {
    /// Without settings: they may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryOptions").field("class", &self.class).finish_non_exhaustive()
    }
}

/// How subjects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    key: Strategy,
    value: Strategy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    Topic,
    Record,
    TopicRecord,
}

impl Naming {
    /// The subject of a datum in a topic.
    pub(crate) fn subject(self, topic: &str, role: Role, record: impl FnOnce() -> Option<String>) -> Result<Arc<str>> {
        let (strategy, part) = match role {
            Role::Key => (self.key, "key"),
            _ => (self.value, "value"),
        };
        let named = || {
            record().ok_or_else(|| {
                let why =
                    format!("{strategy:?}NameStrategy needs a record with a name, but the {part}'s schema has none");
                DataFault::new("registry.subject", why)
            })
        };
        Ok(match strategy {
            Strategy::Topic => format!("{topic}-{part}").into(),
            Strategy::Record => named()?.into(),
            Strategy::TopicRecord => format!("{topic}-{}", named()?).into(),
        })
    }
}

/// Simple class names of all registry converters.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().filter(|(package, ..)| *package != APICURIO).map(|(_, name, _)| *name)
}

/// Full class names of all registry converters.
pub fn registry_classes() -> impl Iterator<Item = String> {
    FORMATS.iter().map(|(package, name, _)| format!("{package}{name}"))
}

impl RegistryOptions {
    /// None if the class is none of a registry's.
    pub(crate) fn parse(
        class: &str,
        given: &IndexMap<String, String>,
    ) -> std::result::Result<Option<Self>, ConvertConfigError> {
        let found = FORMATS.iter().find(|(package, name, _)| {
            class == *name || class.strip_prefix(package) == Some(name) || name.strip_suffix("Converter") == Some(class)
        });
        let Some((package, name, make)) = found else { return Ok(None) };
        let given = &if *package == APICURIO { confluents(given) } else { given.clone() };
        let mut settings = Settings::new(given);
        let format = ByClass { format: make(&mut settings), settings: given.clone() };
        let connection = connection::read(&mut settings);
        let naming = Naming {
            key: strategy(&mut settings, "key.subject.name.strategy"),
            value: strategy(&mut settings, "value.subject.name.strategy"),
        };
        let writing = writing(&mut settings);
        let options = Self {
            class: format!("{package}{name}"),
            connection,
            format,
            naming,
            writing,
            normalize: settings.flag("normalize.schemas", false),
            cache_size: usize::try_from(settings.number("schemas.cache.config", 1000, 0)).unwrap_or(usize::MAX),
            ignore_default_for_nullables: settings.flag("ignore.default.for.nullables", false),
        };
        if settings.problems.is_empty() {
            Ok(Some(options))
        } else {
            Err(ConvertConfigError::Settings(settings.problems))
        }
    }
}

/// Apicurio's own settings under the names that Confluent's converters have for them. It does not register by default.
fn confluents(given: &IndexMap<String, String>) -> IndexMap<String, String> {
    let mut all = given.clone();
    let own = |key: &str| given.get(&format!("apicurio.registry.{key}")).map(|value| value.trim().to_owned());
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            all.entry(key.to_owned()).or_insert(value);
        }
    };
    let api = |url: String| match url.find("/apis/registry/") {
        Some(at) => format!("{}/apis/ccompat/v7", &url[..at]),
        None => url,
    };
    put("schema.registry.url", own("url").map(api));
    put("auto.register.schemas", own("auto-register").or(Some("false".to_owned())));
    put("use.latest.version", own("find-latest"));
    if let (Some(user), Some(password)) = (own("auth.username"), own("auth.password")) {
        put("basic.auth.credentials.source", Some("USER_INFO".to_owned()));
        put("basic.auth.user.info", Some(format!("{user}:{password}")));
    }
    all
}

/// Settings on their way to types; problems are collected.
pub(crate) struct Settings<'a> {
    given: &'a IndexMap<String, String>,
    problems: Vec<(String, String)>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(given: &'a IndexMap<String, String>) -> Self {
        Self { given, problems: Vec::new() }
    }

    /// What is wrong, key by key.
    #[cfg(test)]
    pub(crate) fn into_problems(self) -> Vec<(String, String)> {
        self.problems
    }

    /// A value that is not blank, trimmed.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.given.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.text(key) else { return default };
        boolean(value).unwrap_or_else(|| {
            self.problem(key, BOOLEAN);
            default
        })
    }

    /// A whole number, at least `least`.
    pub(crate) fn number(&mut self, key: &str, default: i64, least: i64) -> i64 {
        let Some(value) = self.text(key) else { return default };
        value.parse().ok().filter(|n| *n >= least && *n <= i64::from(i32::MAX)).unwrap_or_else(|| {
            self.problem(key, format!("Value must be an integer, at least {least}"));
            default
        })
    }

    pub(crate) fn problem(&mut self, key: &str, text: impl Into<String>) {
        self.problems.push((key.to_owned(), text.into()));
    }
}

fn strategy(settings: &mut Settings<'_>, key: &str) -> Strategy {
    let Some(class) = settings.text(key) else { return Strategy::Topic };
    match class.rsplit('.').next().unwrap_or(class) {
        // Associations are a registry's own extension; without one the topic decides.
        "TopicNameStrategy" | "AssociatedNameStrategy" => Strategy::Topic,
        "RecordNameStrategy" => Strategy::Record,
        "TopicRecordNameStrategy" => Strategy::TopicRecord,
        _ => {
            let known = "TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy";
            settings.problem(key, format!("Class could not be found; use {known}"));
            Strategy::Topic
        }
    }
}

fn writing(settings: &mut Settings<'_>) -> Writing {
    let register = settings.flag("auto.register.schemas", true);
    let id = settings.number("use.schema.id", -1, -1);
    let guid = settings.text("use.schema.guid").map(|text| {
        guid(text).unwrap_or_else(|| {
            settings.problem("use.schema.guid", "Value must be a UUID");
            [0; 16]
        })
    });
    let latest = settings.flag("use.latest.version", false);
    if settings.text("use.latest.with.metadata").is_some() {
        settings.problem("use.latest.with.metadata", "metadata of schemas is not supported; use use.latest.version");
    }
    match (u32::try_from(id), guid) {
        _ if register => Writing::Register,
        (Ok(id), _) => Writing::Id(id),
        (_, Some(guid)) => Writing::Guid(guid),
        _ if latest => Writing::Latest,
        _ => Writing::Lookup,
    }
}

fn guid(text: &str) -> Option<[u8; 16]> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 32)?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests;
