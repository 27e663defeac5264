//! Which converter a part of a record has, and which encoding the plugin gets.
//!
//! Enters: class name and settings of a converter, prefix cut off. Leaves: a checked [`Converter`]. Invariant: a converter
//! that was configured cannot fail for reasons of configuration later.

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_model::batch::Encoding;

use crate::registry::SchemaRegistry;
use crate::registry_options::{self, RegistryOptions};
use crate::schema::Schema;

/// Which part of a record a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Keys.
    Key,
    /// Values.
    Value,
    /// Header values.
    Header,
}

/// How `JsonConverter` writes Decimals (`decimal.format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DecimalFormat {
    /// Base64 of the unscaled bytes.
    #[default]
    Base64,
    /// A JSON number.
    Numeric,
}

/// Settings of `JsonConverter`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonOptions {
    /// `schemas.enable`, default true: envelope in both directions.
    pub schemas_enable: bool,
    /// `schemas.cache.size`, default 1000: translated schemas kept, in each direction.
    pub schemas_cache_size: usize,
    /// `schema.content`: a schema for every incoming message, whose bytes are then the bare payload.
    pub schema_content: Option<Arc<Schema>>,
    /// `decimal.format`, output only.
    pub decimal_format: DecimalFormat,
    /// `replace.null.with.default`, default true.
    pub replace_null_with_default: bool,
}

/// Character sets of `StringConverter` (`converter.encoding`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, the default.
    Utf8,
    /// ISO-8859-1.
    Latin1,
    /// US-ASCII.
    Ascii,
    /// UTF-16: big-endian with a byte-order mark when written; the mark decides when read.
    Utf16,
    /// UTF-16BE.
    Utf16Be,
    /// UTF-16LE.
    Utf16Le,
    /// UTF-32 and UTF-32BE.
    Utf32Be,
    /// UTF-32LE.
    Utf32Le,
    /// Those that came before Unicode, by the WHATWG Encoding Standard: windows-125x, ISO-8859-x, `Shift_JIS`, GBK, ...
    Legacy(&'static encoding_rs::Encoding),
}

/// The converters of Apache Kafka, and those of a registry.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `org.apache.kafka.connect.storage.StringConverter`
    String(Charset),
    /// `org.apache.kafka.connect.converters.ByteArrayConverter`
    ByteArray,
    /// `org.apache.kafka.connect.json.JsonConverter`
    Json(JsonOptions),
    /// `...converters.BooleanConverter`
    Boolean,
    /// `...converters.ShortConverter`
    Short,
    /// `...converters.IntegerConverter`
    Integer,
    /// `...converters.LongConverter`
    Long,
    /// `...converters.FloatConverter`
    Float,
    /// `...converters.DoubleConverter`
    Double,
    /// `...storage.SimpleHeaderConverter`, for headers only.
    SimpleHeader,
    /// A converter whose schemas live in a registry, for keys and values.
    Registry(Arc<RegistryOptions>),
}

/// A configured converter. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Converter {
    kind: Arc<Kind>,
    role: Role,
    registry: Option<Arc<dyn SchemaRegistry>>,
}

impl PartialEq for Converter {
    /// What was configured; the connection to a registry does not count.
    fn eq(&self, other: &Self) -> bool {
        (&self.kind, self.role) == (&other.kind, other.role)
    }
}

/// Why a converter cannot be configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertConfigError {
    /// No such class. Code `converter.unknown`.
    #[error("Class {class} could not be found; known converters: {known}")]
    UnknownClass {
        /// As the user wrote it.
        class: String,
        /// What there is.
        known: String,
    },
    /// The class is not for this part of a record. Code `converter.role`.
    #[error("{class} converts headers only; use a converter for keys and values here, such as JsonConverter")]
    WrongRole {
        /// As the user wrote it.
        class: String,
    },
    /// The class is not for headers. Code `converter.role`.
    #[error("{class} is not a HeaderConverter; use one for header values here, such as SimpleHeaderConverter")]
    NotForHeaders {
        /// As the user wrote it.
        class: String,
    },
    /// Settings that cannot be accepted, all of them. Code `converter.settings`.
    #[error("{}", .0.iter().map(|(k, p)| format!("{k}: {p}")).collect::<Vec<_>>().join("; "))]
    Settings(Vec<(String, String)>),
}

impl ConvertConfigError {
    /// Dotted and stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownClass { .. } => "converter.unknown",
            Self::WrongRole { .. } | Self::NotForHeaders { .. } => "converter.role",
            Self::Settings(_) => "converter.settings",
        }
    }
}

const CLASSES: [(&str, &str); 10] = [
    ("org.apache.kafka.connect.json.", "JsonConverter"),
    ("org.apache.kafka.connect.storage.", "StringConverter"),
    ("org.apache.kafka.connect.converters.", "ByteArrayConverter"),
    ("org.apache.kafka.connect.converters.", "BooleanConverter"),
    ("org.apache.kafka.connect.converters.", "ShortConverter"),
    ("org.apache.kafka.connect.converters.", "IntegerConverter"),
    ("org.apache.kafka.connect.converters.", "LongConverter"),
    ("org.apache.kafka.connect.converters.", "FloatConverter"),
    ("org.apache.kafka.connect.converters.", "DoubleConverter"),
    ("org.apache.kafka.connect.storage.", "SimpleHeaderConverter"),
];

impl Converter {
    /// Configures a converter. Class names are Apache's, in full (`org.apache.kafka.connect.json.JsonConverter`), simple
    /// (`JsonConverter`) or pruned (`Json`). Unknown settings are ignored, as Kafka Connect does.
    ///
    /// # Errors
    /// All problems of the settings at once; an unknown class; a header converter for a key or value.
    pub fn configure(class: &str, settings: &IndexMap<String, String>, role: Role) -> Result<Self, ConvertConfigError> {
        if let Some(options) = RegistryOptions::parse(class, settings)? {
            if role == Role::Header {
                return Err(ConvertConfigError::NotForHeaders { class: class.to_owned() });
            }
            return Ok(Self { kind: Arc::new(Kind::Registry(Arc::new(options))), role, registry: None });
        }
        let found = CLASSES.iter().find(|(package, name)| {
            class == *name || class.strip_prefix(package) == Some(name) || name.strip_suffix("Converter") == Some(class)
        });
        let Some((_, name)) = found else {
            let names = CLASSES.iter().map(|(_, name)| *name).chain(registry_options::names());
            let known = names.collect::<Vec<_>>().join(", ");
            return Err(ConvertConfigError::UnknownClass { class: class.to_owned(), known });
        };
        let kind = match *name {
            "JsonConverter" => Kind::Json(JsonOptions::parse(settings)?),
            "StringConverter" => Kind::String(charset(settings)?),
            "ByteArrayConverter" => Kind::ByteArray,
            "BooleanConverter" => Kind::Boolean,
            "ShortConverter" => Kind::Short,
            "IntegerConverter" => Kind::Integer,
            "LongConverter" => Kind::Long,
            "FloatConverter" => Kind::Float,
            "DoubleConverter" => Kind::Double,
            _ if role == Role::Header => Kind::SimpleHeader,
            _ => return Err(ConvertConfigError::WrongRole { class: class.to_owned() }),
        };
        Ok(Self { kind: Arc::new(kind), role, registry: None })
    }

    /// The same converter, with the registry that its options name. Without one every record of a registry converter fails.
    #[must_use]
    pub fn connected(self, registry: Arc<dyn SchemaRegistry>) -> Self {
        Self { registry: Some(registry), ..self }
    }

    /// What [`Self::connected`] gave it.
    pub fn registry(&self) -> Option<&Arc<dyn SchemaRegistry>> {
        self.registry.as_ref()
    }

    /// Settings of a registry converter: where the registry is, and how to talk to it.
    pub fn registry_options(&self) -> Option<&RegistryOptions> {
        if let Kind::Registry(options) = self.kind() { Some(options) } else { None }
    }

    /// Which converter it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Which part of a record it is for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The full class name.
    pub fn class(&self) -> String {
        let index = match &*self.kind {
            Kind::Registry(options) => return options.class.clone(),
            Kind::Json(_) => 0,
            Kind::String(_) => 1,
            Kind::ByteArray => 2,
            Kind::Boolean => 3,
            Kind::Short => 4,
            Kind::Integer => 5,
            Kind::Long => 6,
            Kind::Float => 7,
            Kind::Double => 8,
            Kind::SimpleHeader => 9,
        };
        format!("{}{}", CLASSES[index].0, CLASSES[index].1)
    }
}

/// The encoding between a converter and a plugin that accepts these, the preferred one first. `ByteArray` and `String` give
/// Bytes where that is accepted, `JsonConverter` gives Json; where only Bytes is accepted topic bytes stay untouched;
/// otherwise the first accepted of Json and Cbor. `SimpleHeaderConverter` follows the plugin's preference.
pub fn negotiate(converter: &Converter, accepted: &[Encoding]) -> Encoding {
    let takes = |encoding| accepted.contains(&encoding);
    let typed = accepted.iter().copied().find(|e| *e != Encoding::Bytes);
    match converter.kind() {
        Kind::ByteArray | Kind::String(_) if takes(Encoding::Bytes) => Encoding::Bytes,
        Kind::Json(_) if takes(Encoding::Json) => Encoding::Json,
        Kind::SimpleHeader => accepted.first().copied().unwrap_or(Encoding::Bytes),
        _ => typed.unwrap_or(Encoding::Bytes),
    }
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            schemas_enable: true,
            schemas_cache_size: 1000,
            schema_content: None,
            decimal_format: DecimalFormat::Base64,
            replace_null_with_default: true,
        }
    }
}

impl JsonOptions {
    fn parse(settings: &IndexMap<String, String>) -> Result<Self, ConvertConfigError> {
        let mut options = Self::default();
        let mut problems = Vec::new();
        for (key, value) in settings {
            let value = value.trim();
            let problem = match key.as_str() {
                "schemas.enable" => set(&mut options.schemas_enable, boolean(value), BOOLEAN),
                "replace.null.with.default" => set(&mut options.replace_null_with_default, boolean(value), BOOLEAN),
                "schemas.cache.size" => {
                    let parsed = value.parse::<i32>().ok().map(|n| usize::try_from(n).unwrap_or(0));
                    set(&mut options.schemas_cache_size, parsed, "Not a number of type INT")
                }
                "decimal.format" => {
                    let parsed = match value.to_ascii_uppercase().as_str() {
                        "BASE64" => Some(DecimalFormat::Base64),
                        "NUMERIC" => Some(DecimalFormat::Numeric),
                        _ => None,
                    };
                    set(&mut options.decimal_format, parsed, "String must be one of: BASE64, NUMERIC")
                }
                "schema.content" if !value.is_empty() => match Schema::parse(value) {
                    Ok(schema) => {
                        options.schema_content = Some(Arc::new(schema));
                        None
                    }
                    Err(fault) => Some(format!("Failed to parse schema in converter config: {}", fault.message)),
                },
                _ => None,
            };
            problems.extend(problem.map(|problem| (key.clone(), problem)));
        }
        if problems.is_empty() { Ok(options) } else { Err(ConvertConfigError::Settings(problems)) }
    }
}

pub(crate) const BOOLEAN: &str = "Expected value to be either true or false";

fn set<T>(slot: &mut T, parsed: Option<T>, problem: &str) -> Option<String> {
    match parsed {
        Some(value) => {
            *slot = value;
            None
        }
        None => Some(problem.to_owned()),
    }
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn charset(settings: &IndexMap<String, String>) -> Result<Charset, ConvertConfigError> {
    let name = settings.get("converter.encoding").map_or("UTF-8", |s| s.trim());
    Ok(match name.to_ascii_uppercase().replace('_', "-").as_str() {
        "UTF-8" | "UTF8" => Charset::Utf8,
        "ISO-8859-1" | "ISO8859-1" | "LATIN1" => Charset::Latin1,
        "US-ASCII" | "ASCII" => Charset::Ascii,
        "UTF-16" | "UTF16" => Charset::Utf16,
        "UTF-16BE" => Charset::Utf16Be,
        "UTF-16LE" => Charset::Utf16Le,
        "UTF-32" | "UTF-32BE" => Charset::Utf32Be,
        "UTF-32LE" => Charset::Utf32Le,
        _ => match encoding_rs::Encoding::for_label(name.as_bytes()) {
            Some(legacy) if !matches!(legacy.name(), "replacement" | "x-user-defined") => Charset::Legacy(legacy),
            _ => {
                let problem = "unsupported character set; use UTF-8, or another one of the WHATWG Encoding Standard";
                return Err(ConvertConfigError::Settings(vec![("converter.encoding".to_owned(), problem.to_owned())]));
            }
        },
    })
}

#[cfg(test)]
mod tests;
