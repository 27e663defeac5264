//! Settings of the converters whose schemas live in a registry, as the usual ones define them.
//!
//! Enters: a converter's class. Leaves: definitions, names without the converter's prefix. Invariant: names, types and
//! defaults are those of Confluent's converters; credentials are passwords, so no answer shows them.

use lockgate_model::package::{ConfigType, Importance};

use ConfigType::{Boolean, Int, List, Long, Password, String as Text};
use Importance::{High, Low, Medium};

use crate::definitions::Known;

/// A format's own switches: name, default, meaning.
type Switches = &'static [(&'static str, bool, &'static str)];

const AVRO: Switches = &[
    ("enhanced.avro.schema.support", false, "Enums stay enums, and unions name records in full."),
    ("connect.meta.data", true, "Connect's attributes are written as connect.* properties."),
    ("scrub.invalid.names", false, "Characters that Avro does not take in names become underscores."),
    ("allow.optional.map.keys", false, "Maps with optional text keys are Avro maps."),
    ("flatten.singleton.unions", true, "A union of one type is that type."),
    ("discard.type.doc.default", false, "Doc and default of types are not written."),
];
const PROTOBUF: Switches = &[
    ("enhanced.protobuf.schema.support", false, "Names of schemas are full names."),
    ("scrub.invalid.names", false, "Characters that Protobuf does not take in names become underscores."),
    ("int.for.enums", false, "Enums are numbers."),
    ("optional.for.nullables", false, "Optional fields are written with the label optional."),
    ("optional.for.proto2", true, "Optional fields of proto2 are optional."),
    ("wrapper.for.nullables", false, "Optional fields are written as wrapper messages."),
    ("wrapper.for.raw.primitives", true, "Wrapper messages at the root are plain values."),
    ("generate.struct.for.nulls", false, "A default struct stands for a null message."),
    ("generate.index.for.unions", true, "Fields of unions end with a number."),
    ("flatten.unions", false, "Members of unions are fields of their parent."),
];
const JSON_SCHEMA: Switches = &[
    ("object.additional.properties", true, "Objects may have properties that the schema does not name."),
    ("use.optional.for.nonrequired", false, "Properties that are not required are optional."),
    ("flatten.singleton.unions", true, "A union of one type is that type."),
    ("ignore.modern.dialects", false, "Newer dialects are read as draft 7."),
    ("preserve.additional.properties", false, "Undeclared properties are kept."),
    ("json.fail.invalid.schema", false, "Data that does not fit its schema fails."),
];

/// Definitions of the class; none if it is no registry's.
pub(super) fn keys(class: &str) -> Vec<Known> {
    let switches = match class.rsplit('.').next().unwrap_or(class) {
        "AvroConverter" | "Avro" => AVRO,
        "ProtobufConverter" | "Protobuf" => PROTOBUF,
        "JsonSchemaConverter" | "JsonSchema" => JSON_SCHEMA,
        _ => return Vec::new(),
    };
    let mut keys = [place(), writing()].concat();
    keys.extend(switches.iter().map(|(name, default, text)| flag(name, *default, text)));
    if switches.as_ptr() == JSON_SCHEMA.as_ptr() {
        let text = "How decimals are written: BASE64 or NUMERIC.";
        keys.push(Known::new("decimal.format", Text, Some("BASE64"), Low, text));
    }
    keys
}

/// Those of all formats, for the reference.
pub(crate) fn shared() -> Vec<Known> {
    [place(), writing()].concat()
}

fn flag(name: &str, default: bool, text: &str) -> Known {
    Known::new(name, Boolean, Some(if default { "true" } else { "false" }), Low, text)
}

/// Where the registry is, and how to log in there.
fn place() -> Vec<Known> {
    let tls = |name: &str, kind, text: &str| Known::new(&format!("schema.registry.ssl.{name}"), kind, None, Low, text);
    let ms = |name: &str, default: &str, text: &str| Known::new(name, Long, Some(default), Low, text).at_least(1.0);
    vec![
        Known::new("schema.registry.url", List, None, High, "Base URLs of the registry, tried in turn.").required(),
        Known::new("basic.auth.credentials.source", Text, Some("URL"), Medium, "URL, or USER_INFO."),
        Known::new("basic.auth.user.info", Password, None, Medium, "user:password, for USER_INFO."),
        Known::new("bearer.auth.credentials.source", Text, None, Medium, "STATIC_TOKEN, or nothing."),
        Known::new("bearer.auth.token", Password, None, Medium, "The token, for STATIC_TOKEN."),
        tls("truststore.type", Text, "PEM is the only one."),
        tls("truststore.location", Text, "PEM file of certificates to trust; else those of the web are trusted."),
        tls("truststore.certificates", Password, "The certificates themselves."),
        tls("keystore.type", Text, "PEM is the only one."),
        tls("keystore.location", Text, "PEM file with certificate chain and private key of this client."),
        tls("keystore.certificate.chain", Password, "The chain itself."),
        tls("keystore.key", Password, "The key itself, not encrypted."),
        ms("http.connect.timeout.ms", "10000", "Milliseconds to connect."),
        ms("http.read.timeout.ms", "10000", "Milliseconds for an answer."),
        Known::new("max.retries", Int, Some("3"), Low, "Repeats while the registry is not available.").at_least(0.0),
        ms("retries.wait.ms", "1000", "Milliseconds before the first repeat; doubled each time."),
        ms("retries.max.wait.ms", "20000", "Milliseconds before a repeat at most."),
    ]
}

/// Subjects, and how schemas get there.
fn writing() -> Vec<Known> {
    let strategy = "TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy.";
    let topic = Some("io.confluent.kafka.serializers.subject.TopicNameStrategy");
    let cache = "Schemas kept, in each direction.";
    vec![
        Known::new("key.subject.name.strategy", Text, topic, Medium, strategy),
        Known::new("value.subject.name.strategy", Text, topic, Medium, strategy),
        Known::new(
            "auto.register.schemas",
            Boolean,
            Some("true"),
            Medium,
            "Whether schemas of records are registered.",
        ),
        Known::new("use.schema.id", Int, Some("-1"), Low, "Write with the schema of this id.").at_least(-1.0),
        Known::new("use.schema.guid", Text, None, Low, "Write with the schema of this GUID."),
        flag("use.latest.version", false, "Write with the subject's newest schema."),
        flag(
            "latest.compatibility.strict",
            true,
            "Accepted; fields are matched by name, and a record that the newest schema cannot hold is an error either way.",
        ),
        flag("normalize.schemas", false, "The registry normalises schemas."),
        Known::new("schemas.cache.config", Int, Some("1000"), Low, cache).at_least(0.0),
        flag("generalized.sum.type.support", false, "Unions and enums in the form that all formats share."),
        flag("ignore.default.for.nullables", false, "Null stays null where the schema has a default."),
    ]
}
