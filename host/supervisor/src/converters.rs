//! The converters of this worker: which there are, and how a configuration becomes one.
//!
//! Enters: class and settings as the worker or a connector named them. Leaves: a converter, connected to its registry if it
//! has one, or what is wrong. Invariant: a registry, and a file, that a connector names itself is one that the worker allows.

use lockgate_config::{ConverterSpec, Part, WorkerConfig};
use lockgate_convert::{ConvertConfigError, Converter, Role, registry_classes};
use lockgate_registry::{Allowed, Registries};

/// Classes for a part of a record, under Kafka Connect's names.
pub(crate) fn classes(part: Part) -> Vec<String> {
    let mut classes: Vec<String> = CONVERTERS.iter().map(|class| (*class).to_owned()).collect();
    if part == Part::Header {
        classes.push(HEADER_CONVERTER.to_owned());
    } else {
        classes.extend(registry_classes());
    }
    classes.sort();
    classes
}

/// The clients of the worker's tenant.
///
/// # Errors
/// `lockgate.registry.allowed.urls` cannot be read.
pub(crate) fn registries(worker: &WorkerConfig) -> Result<Registries, String> {
    let own = Part::ALL.into_iter().filter_map(|part| configure(worker.converters.of(part), part).ok());
    let trusted = own.filter_map(|converter| Some(converter.registry_options()?.connection.endpoints.clone()));
    let allowed = Allowed::new(&worker.registry_allowed_urls, trusted.flatten().collect());
    let allowed = allowed.map(|allowed| allowed.with_folders(&worker.registry_allowed_paths));
    allowed.map(Registries::new).map_err(|why| format!("lockgate.registry.allowed.urls: {why}"))
}

/// A converter for a task.
pub(crate) fn connected(spec: &ConverterSpec, part: Part, registries: &Registries) -> Result<Converter, String> {
    let converter = configure(spec, part).map_err(|e| e.to_string())?;
    let Some(options) = converter.registry_options() else { return Ok(converter) };
    let registry = registries.connect(&options.connection, spec.own).map_err(|e| e.to_string())?;
    Ok(converter.connected(registry))
}

/// What is wrong with a converter that a connector names: setting and problem; no setting if it is the class.
pub(crate) fn check(spec: &ConverterSpec, part: Part, allowed: &Allowed) -> Result<(), Vec<(String, String)>> {
    let converter = configure(spec, part).map_err(|error| match error {
        ConvertConfigError::Settings(problems) => problems,
        ConvertConfigError::UnknownClass { class, .. } => {
            vec![(String::new(), format!("Class {class} could not be found."))]
        }
        other => vec![(String::new(), other.to_string())],
    })?;
    let Some(options) = converter.registry_options().filter(|_| spec.own) else { return Ok(()) };
    let urls = allowed.check(&options.connection.endpoints);
    let urls = urls.map_err(|error| ("schema.registry.url".to_owned(), error.to_string()));
    let files = allowed.check_files(&options.connection.tls);
    let files = files.map_err(|error| (format!("schema.registry.ssl.{}", error.setting), error.to_string()));
    let problems: Vec<_> = [urls, files].into_iter().filter_map(Result::err).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn configure(spec: &ConverterSpec, part: Part) -> Result<Converter, ConvertConfigError> {
    let role = match part {
        Part::Key => Role::Key,
        Part::Value => Role::Value,
        Part::Header => Role::Header,
    };
    Converter::configure(&spec.class, &spec.settings, role)
}

/// What `convert` knows, under Kafka Connect's names.
const CONVERTERS: [&str; 9] = [
    "org.apache.kafka.connect.converters.BooleanConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter",
    "org.apache.kafka.connect.converters.DoubleConverter",
    "org.apache.kafka.connect.converters.FloatConverter",
    "org.apache.kafka.connect.converters.IntegerConverter",
    "org.apache.kafka.connect.converters.LongConverter",
    "org.apache.kafka.connect.converters.ShortConverter",
    "org.apache.kafka.connect.json.JsonConverter",
    "org.apache.kafka.connect.storage.StringConverter",
];

/// Kafka Connect's default for headers, which is offered nowhere else.
const HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
