//! docs/config.md, made from the definitions.
//!
//! Enters: the tables of keys. Leaves: Markdown. Invariant: the committed file equals this (a test compares them).

use std::fmt::Write as _;

use lockgate_model::package::PluginKind;

use crate::converter_keys::registry;
use crate::definitions::{Known, framework, of_alias, of_topic_group};
use crate::reading::allowed;
use crate::rest::TLS_KEYS;
use crate::value::type_name;
use crate::worker_keys::{CLIENT_KEYS, CLIENT_PREFIXES, NOT_APPLICABLE, distributed, standalone, used};

/// The whole document.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    _ = write!(out, "\n## Worker: from the environment\n\n{ENVIRONMENT}\n");
    section(&mut out, "Worker: both modes", WORKER, &used());
    section(&mut out, "Worker: distributed", DISTRIBUTED, &distributed());
    section(&mut out, "Worker: standalone", STANDALONE, &standalone());
    _ = write!(out, "\n## Worker: config providers\n\n{PROVIDERS}\n");
    tls(&mut out);
    pass_through(&mut out);
    not_applicable(&mut out);
    let (sources, sinks) = (framework(PluginKind::Source), framework(PluginKind::Sink));
    let is_shared = |known: &&Known| sources.contains(known) && sinks.contains(known);
    section(&mut out, "Connector: all", CONNECTOR, &sources.iter().filter(is_shared).cloned().collect::<Vec<_>>());
    section(&mut out, "Connector: sources", "", &only(sources, sinks));
    let groups = [of_topic_group("default"), of_topic_group("<group>")].concat();
    section(&mut out, "Connector: sources, topic creation", TOPICS, &groups);
    section(&mut out, "Connector: sinks", "", &only(sinks, sources));
    let aliases = [of_alias(PluginKind::Transform, "<alias>"), of_alias(PluginKind::Predicate, "<alias>")].concat();
    section(&mut out, "Converters with a schema registry", REGISTRY, &registry::shared());
    section(&mut out, "Connector: transforms and predicates", CHAIN, &aliases);
    out
}

fn only(these: &[Known], others: &[Known]) -> Vec<Known> {
    these.iter().filter(|known| !others.contains(known)).cloned().collect()
}

fn section(out: &mut String, title: &str, text: &str, keys: &[Known]) {
    _ = write!(out, "\n## {title}\n\n");
    if !text.is_empty() {
        _ = write!(out, "{text}\n\n");
    }
    out.push_str("| Key | Type | Default | Allowed | Meaning |\n| --- | --- | --- | --- | --- |\n");
    for known in keys {
        let definition = &known.definition;
        let default = match &definition.default_value {
            _ if definition.required => "**required**".to_owned(),
            Some(text) if text.is_empty() => "empty".to_owned(),
            Some(text) => format!("`{text}`"),
            None => "null".to_owned(),
        };
        let (kind, allowed) = (type_name(definition.config_type).to_lowercase(), allowed(known).unwrap_or_default());
        let meaning = definition.documentation.replace('|', "\\|");
        _ = writeln!(out, "| `{}` | {kind} | {default} | {allowed} | {meaning} |", definition.name);
    }
}

fn tls(out: &mut String) {
    _ = write!(out, "\n## Worker: TLS of the REST API\n\n{TLS}\n\n");
    out.push_str("| Key | Meaning |\n| --- | --- |\n");
    for (key, meaning) in TLS_KEYS {
        _ = writeln!(out, "| `{key}` | {meaning} |");
    }
}

fn pass_through(out: &mut String) {
    _ = write!(out, "\n## Worker: settings of Kafka clients\n\n{CLIENTS}\n\n");
    let prefixes = CLIENT_PREFIXES.map(|prefix| format!("`{prefix}*`"));
    let keys = CLIENT_KEYS.map(|key| format!("`{key}`"));
    _ = writeln!(out, "Un-prefixed: {}, {}.", keys.join(", "), prefixes.join(", "));
}

fn not_applicable(out: &mut String) {
    _ = write!(out, "\n## Worker: keys of Kafka Connect without effect\n\n{NO_EFFECT}\n\n");
    out.push_str("| Key | Why |\n| --- | --- |\n");
    for (key, reason) in NOT_APPLICABLE {
        let star = if key.ends_with('.') { "*" } else { "" };
        _ = writeln!(out, "| `{key}{star}` | {reason} |");
    }
}

const INTRODUCTION: &str = "# Configuration\n\n\
    Every key that Lockgate reads, generated from the code (`LOCKGATE_BLESS=1 cargo test -p lockgate-config` writes this \
    file anew). Names, defaults and meanings are Kafka Connect's; keys that begin with `lockgate.` or `batch.` are \
    Lockgate's own. Times are milliseconds unless a key says otherwise.\n";
const ENVIRONMENT: &str = "Every variable `CONNECT_<NAME>` sets a key and wins over the file, as with the usual images of Kafka \
    Connect: the rest of the name in small letters, `_` is a dot, `__` an underscore, `___` a dash. `CONNECT_BOOTSTRAP_SERVERS` \
    is `bootstrap.servers`, `CONNECT_LOCKGATE_CACHE_DIR` is `lockgate.cache.dir`. `CONNECT_LOG4J_*` and `CONNECT_CUB_*` are \
    left alone: log levels are `RUST_LOG`'s. The log names the keys that came this way, never their values.";
const WORKER: &str = "A worker's settings are a Java properties file. All errors are reported at once; a key that is not known \
    or has no effect is a warning in the log at start, with the nearest key that is known.";
const DISTRIBUTED: &str = "`lockgate worker <file>`: configurations, offsets and statuses live in Kafka topics.";
const STANDALONE: &str = "`lockgate standalone <file> <connector.json>...`: offsets live in a file.";
const PROVIDERS: &str = "`config.providers=a,b` names providers, `config.providers.<name>.class` says what each is (Kafka's class names; a \
    provider whose name is `file`, `directory`, `dir`, `env` or `secret` needs none), `config.providers.<name>.param.*` are its \
    settings. Then `${name:path:key}` or `${name:key}` may stand anywhere in a value of the worker's or of a connector's \
    settings. REST, the config topic, logs, statuses and errors hold the reference, never the value; a value that a plugin built \
    from one is stored with the reference in its place. A reference to a provider that is not named stays text; one that its \
    provider cannot resolve is an error of its key.\n\n\
    | Class | `path` | `key` | Settings |\n| --- | --- | --- | --- |\n\
    | `FileConfigProvider` | a properties file | a key in it | `allowed.paths` |\n\
    | `DirectoryConfigProvider` | a directory | a file in it, whole | `allowed.paths` |\n\
    | `EnvVarConfigProvider` | none | a variable | `allowlist.pattern`, matching whole names |\n\
    | `SecretConfigProvider` | directories below the tenant's own, or none | a file, without its last line end | `dir` |\n\n\
    The secret provider reads `<dir>/<lockgate.tenant>/<path>/<key>`. The tenant's directory must belong to the worker's user or \
    root and be closed to everybody else (`chmod 700`), no secret may be writable by others, and links may not lead out of it: \
    whoever writes connectors can name secrets of the tenant, and nothing else of the machine.\n\n\
    `ttl.ms` (any provider; 60000 for secrets, else unset, 0 = unset) says how long a value holds. Then it is looked up again, \
    and a connector whose values changed is restarted with its tasks, unless its `config.action.reload` is `none`.";
const TLS: &str = "For https in `listeners` below `listeners.https.`, for https in `admin.listeners` below `admin.listeners.https.`. \
    With no key below the prefix, the bare `ssl.*` keys hold, which are those of the Kafka clients too. Files and texts are \
    PEM; other kinds of store are refused.";
const CLIENTS: &str = "`producer.*`, `consumer.*` and `admin.*` are defaults of the clients of connectors; un-prefixed keys are for \
    the worker's own clients (internal topics). Names are those of the Java clients.";
const NO_EFFECT: &str = "A worker that is given one of these starts, and says so once in its log.";
const CONNECTOR: &str = "A connector's settings are JSON. Keys that are not listed here pass to the plugin unchanged. Settings of \
    a converter follow below its own prefix (`value.converter.schemas.enable`); a connector that names a class does not \
    inherit the worker's settings of it. `producer.override.*`, `consumer.override.*` and `admin.override.*` change client \
    settings, as far as the worker's policy and Lockgate's allow-list let them.";
const REGISTRY: &str = "`AvroConverter`, `ProtobufConverter` and `JsonSchemaConverter` (package `io.confluent.connect.*`) take these below \
    their own prefix (`value.converter.schema.registry.url`), beside those of their format. The registry is the worker's \
    business: plugins never see it. One that the worker's own converters name is trusted; one that a connector names has to \
    be allowed by `lockgate.registry.allowed.urls`, by default any that is not at a link-local address (a cloud's metadata), \
    and PEM files that it names have to lie below `lockgate.registry.allowed.paths`, by default nowhere. \
    While a registry is not available (no connection, timeouts, 408, 429, 5xx) a task waits for `errors.retry.timeout`, then \
    fails; no record is skipped for it. What a registry refuses, and bytes that it knows no schema for, are errors of the record.";
const TOPICS: &str = "Once any `topic.creation.*` key is set, missing topics are made by the first group that matches, `default` \
    last. Other keys below a group are settings of the topic.";
const CHAIN: &str = "Other keys below an alias pass to the transform or predicate.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_reference_is_what_the_definitions_say() {
        let path =
            std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../docs/config.md");
        let made = markdown();
        if std::env::var_os("LOCKGATE_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == made, "docs/config.md is out of date; write it with LOCKGATE_BLESS=1");
    }
}
