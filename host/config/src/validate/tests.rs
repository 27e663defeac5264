//! Validation in Kafka Connect's shape.

use lockgate_model::Encoding;

use super::*;
use crate::properties;

struct Shelf(Vec<Arc<PluginInfo>>);

impl Catalog for Shelf {
    fn find(&self, kind: PluginKind, class: &str, version: Option<&str>) -> Found {
        match self.0.iter().find(|p| p.kind == kind && p.class == class) {
            None => Found::NoClass,
            Some(_) if version == Some("9") => Found::NoVersion(format!("no version 9 of {class}")),
            Some(plugin) => Found::Plugin(Arc::clone(plugin)),
        }
    }
    fn versions(&self, kind: PluginKind, class: &str) -> Vec<String> {
        let is_there = self.0.iter().any(|p| p.kind == kind && p.class == class);
        if is_there { vec!["2.0".to_owned(), "1.0".to_owned()] } else { Vec::new() }
    }
    fn converter_classes(&self, _: Part) -> Vec<String> {
        vec!["Json".to_owned()]
    }
    fn converter_version(&self, class: &str, version: Option<&str>) -> Result<String, String> {
        if version == Some("9") { Err(format!("no version 9 of {class}")) } else { Ok("1.0".to_owned()) }
    }
    fn classes(&self, kind: PluginKind) -> Vec<String> {
        self.0.iter().filter(|p| p.kind == kind).map(|p| p.class.clone()).collect()
    }
    fn converter(&self, _: Part, converter: &ConverterSpec) -> Result<(), Vec<(String, String)>> {
        match converter.class.as_str() {
            "Json" | "JsonConverter" | "org.apache.kafka.connect.storage.SimpleHeaderConverter" => Ok(()),
            class => Err(vec![(String::new(), format!("Class {class} could not be found."))]),
        }
    }
    fn override_key(&self, _: Client, key: &str) -> Result<(), String> {
        if key == "linger.ms" { Ok(()) } else { Err(format!("{key} may not be overridden")) }
    }
}

fn info(class: &str, kind: PluginKind, config: Vec<Known>) -> Arc<PluginInfo> {
    Arc::new(PluginInfo {
        class: class.to_owned(),
        kind,
        aliases: Vec::new(),
        documentation: String::new(),
        config: config.into_iter().map(|k| k.definition).collect(),
        encodings: vec![Encoding::Bytes],
        requests: Vec::new(),
    })
}

fn shelf() -> Shelf {
    let text = |name| Known::new(name, ConfigType::String, None, Importance::High, "doc");
    let secret = Known::new("token", ConfigType::Password, Some("dflt"), Importance::Low, "doc");
    let sink = vec![text("file").required().shown("Files", 9, Width::Long, ""), secret];
    Shelf(vec![
        info("FileSink", PluginKind::Sink, sink),
        info("Hoist", PluginKind::Transform, vec![text("field").required()]),
    ])
}

fn validate(pairs: &[(&str, Option<&str>)], advice: &[ConfigAdvice]) -> ConfigInfos {
    let text = "bootstrap.servers=a:1\nkey.converter=Json\nvalue.converter=Json\noffset.storage.file.filename=/x\n";
    let worker = WorkerConfig::standalone(&properties::parse(text).unwrap()).unwrap();
    let always = [("name", Some("c")), ("connector.class", Some("FileSink")), ("topics", Some("t"))];
    let all = always.iter().chain(pairs);
    let raw: RawConfig = all.map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect();
    let shelf = shelf();
    connector("FileSink", &shelf.0[0], &raw, &worker, advice, &shelf)
}

fn entry<'a>(infos: &'a ConfigInfos, key: &str) -> &'a ConfigInfo {
    infos.configs.iter().find(|c| c.value.as_ref().unwrap().name == key).unwrap()
}

#[test]
fn a_good_configuration_has_no_errors_and_its_keys_in_order() {
    let infos = validate(&[("file", Some("/out"))], &[]);
    assert_eq!(infos.error_count, 0, "{:?}", infos.errors().collect::<Vec<_>>());
    let groups = ["Common", "Transforms", "Predicates", "Error Handling", "Lockgate", "Files"];
    assert_eq!(infos.groups, groups);
    let names: Vec<_> = infos.configs.iter().map(|c| c.value.as_ref().unwrap().name.as_str()).collect();
    assert_eq!(names[..5], ["name", "connector.class", "connector.plugin.version", "tasks.max", "tasks.max.enforce"]);
    assert_eq!(names[names.len() - 2..], ["file", "token"]);
    let file = entry(&infos, "file").definition.as_ref().unwrap();
    assert_eq!((file.order_in_group, file.group.as_deref(), file.display_name.as_str()), (1, Some("Files"), "file"));
}

#[test]
fn the_json_is_kafka_connects() {
    let json = serde_json::to_value(entry(&validate(&[("file", Some("/out"))], &[]), "tasks.max")).unwrap();
    let expected = serde_json::json!({
        "definition": {
            "name": "tasks.max", "type": "INT", "required": false, "default_value": "1", "importance": "HIGH",
            "documentation": "Maximum number of tasks to use for this connector.", "group": "Common",
            "order_in_group": 4, "width": "SHORT", "display_name": "Tasks max", "dependents": []
        },
        "value": {"name": "tasks.max", "value": "1", "recommended_values": [], "errors": [], "visible": true}
    });
    assert_eq!(json, expected);
}

#[test]
fn passwords_are_hidden_in_defaults_and_values() {
    let infos = validate(&[("file", Some("/out")), ("token", Some("hunter2"))], &[]);
    let token = entry(&infos, "token");
    assert_eq!(token.value.as_ref().unwrap().value.as_deref(), Some("[hidden]"));
    assert_eq!(token.definition.as_ref().unwrap().default_value.as_deref(), Some("[hidden]"));
    assert!(!serde_json::to_string(&infos).unwrap().contains("hunter2"));
}

#[test]
fn errors_are_counted_as_kafka_connect_counts_them() {
    let infos = validate(
        &[
            ("tasks.max", Some("abc")),
            ("stray", None),
            ("value.converter", Some("Avro")),
            ("producer.override.linger.ms", Some("1")),
            ("producer.override.bootstrap.servers", Some("x:1")),
        ],
        &[],
    );
    let errors: Vec<_> = infos.errors().collect();
    let expected = [
        "Null value can not be supplied as the configuration value.",
        "Invalid value abc for configuration tasks.max: Not a number of type INT",
        "Invalid value null for configuration tasks.max: Value must be non-null",
        "Invalid value Avro for configuration value.converter: Class Avro could not be found.",
        "Missing required configuration \"file\" which has no default value.",
        "bootstrap.servers may not be overridden",
    ];
    assert_eq!(errors, expected);
    assert_eq!(infos.error_count, 6);
    assert!(entry(&infos, "stray").definition.is_none());
}

#[test]
fn a_transforms_own_keys_are_checked_under_its_alias() {
    let known = [("file", Some("/out")), ("transforms", Some("h")), ("transforms.h.type", Some("Hoist"))];
    let infos = validate(&known, &[]);
    let missing = "Missing required configuration \"transforms.h.field\" which has no default value.";
    assert_eq!(infos.errors().collect::<Vec<_>>(), [missing]);
    assert!(infos.groups.contains(&"Transforms: h".to_owned()));
    let kind = entry(&infos, "transforms.h.type").value.as_ref().unwrap();
    assert_eq!(kind.recommended_values, ["Hoist"]);
    let unknown =
        validate(&[("file", Some("/o")), ("transforms", Some("h")), ("transforms.h.type", Some("Hois"))], &[]);
    let text = "Invalid value Hois for configuration transforms.h.type: Class Hois could not be found.";
    assert_eq!(unknown.errors().collect::<Vec<_>>(), [text]);
}

#[test]
fn the_plugins_own_advice_is_added() {
    let advice = ConfigAdvice {
        name: "file".to_owned(),
        recommended: vec!["/a".to_owned()],
        errors: vec!["no such directory".to_owned()],
        visible: false,
    };
    let infos = validate(&[("file", Some("/out"))], &[advice]);
    let file = entry(&infos, "file").value.as_ref().unwrap();
    assert_eq!((file.visible, infos.error_count), (false, 1));
    assert_eq!(file.recommended_values, ["/a"]);
}

#[test]
fn versions_and_converters_are_shown_as_they_would_be_taken() {
    let infos = validate(&[("file", Some("/out")), ("value.converter", Some("Avro"))], &[]);
    let of = |key: &str| entry(&infos, key);
    let version = of("connector.plugin.version");
    assert_eq!(version.definition.as_ref().unwrap().default_value.as_deref(), Some("2.0"));
    let value = version.value.as_ref().unwrap();
    assert_eq!(
        (value.value.as_deref(), &value.recommended_values[..]),
        (Some("2.0"), &["2.0".into(), "1.0".into()][..])
    );
    let key = of("key.converter");
    assert_eq!(key.definition.as_ref().unwrap().default_value.as_deref(), Some("Json"));
    assert_eq!(key.value.as_ref().unwrap().value.as_deref(), Some("Json"), "the worker's");
    assert_eq!(of("key.converter.plugin.version").value.as_ref().unwrap().value.as_deref(), Some("1.0"));
    let value = of("value.converter").value.as_ref().unwrap();
    assert_eq!((value.value.as_deref(), &value.recommended_values[..]), (None, &["Json".into()][..]));
    assert!(!of("value.converter.plugin.version").value.as_ref().unwrap().visible);
}

#[test]
fn a_version_that_is_not_there_is_an_error_of_class_and_version() {
    let chain = [("file", Some("/o")), ("transforms", Some("h")), ("transforms.h.type", Some("Hoist"))];
    let infos = validate(&[&chain[..], &[("transforms.h.plugin.version", Some("9"))]].concat(), &[]);
    assert_eq!(infos.errors().collect::<Vec<_>>(), ["no version 9 of Hoist"; 2]);
    let names: Vec<_> = infos.configs.iter().map(|c| c.value.as_ref().unwrap().name.as_str()).collect();
    let of_alias: Vec<_> = names.into_iter().filter(|n| n.starts_with("transforms.")).collect();
    assert_eq!(of_alias, ["transforms.h.type", "transforms.h.plugin.version"]);
    let own = [("value.converter", Some("Json")), ("value.converter.plugin.version", Some("9"))];
    let infos = validate(&[&chain[..1], &own[..]].concat(), &[]);
    assert_eq!(infos.errors().collect::<Vec<_>>(), ["no version 9 of Json"; 2]);
}

#[test]
fn keys_of_a_transform_stand_in_kafka_connects_order() {
    let chain = [("file", Some("/o")), ("transforms", Some("h,h")), ("transforms.h.type", Some("Hoist"))];
    let infos = validate(&[&chain[..], &[("transforms.h.field", Some("f"))]].concat(), &[]);
    assert_eq!(
        infos.errors().collect::<Vec<_>>(),
        ["Invalid value [h, h] for configuration transforms: Duplicate alias provided."]
    );
    let keys = infos.configs.iter().filter_map(|c| c.definition.as_ref()).filter(|d| d.name.starts_with("transforms."));
    let keys: Vec<_> = keys.map(|d| (d.name.as_str(), d.order_in_group)).collect();
    let expected = [
        ("transforms.h.type", 0),
        ("transforms.h.plugin.version", 1),
        ("transforms.h.field", 2),
        ("transforms.h.negate", 3),
        ("transforms.h.predicate", 4),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn keys_of_clients_and_converters_come_last_under_their_full_names() {
    let infos = validate(
        &[
            ("file", Some("/out")),
            ("producer.override.linger.ms", Some("soon")),
            ("consumer.override.sasl.jaas.config", Some("hunter2")),
            ("key.converter", Some("JsonConverter")),
            ("key.converter.schemas.enable", Some("false")),
        ],
        &[],
    );
    let linger = entry(&infos, "producer.override.linger.ms");
    let definition = linger.definition.as_ref().unwrap();
    assert_eq!((definition.config_type, definition.display_name.as_str()), (ConfigType::Long, "linger.ms"));
    assert_eq!((definition.default_value.as_deref(), definition.order_in_group), (Some("5"), -1));
    let text = "Invalid value soon for configuration linger.ms: Not a number of type LONG";
    assert_eq!(linger.value.as_ref().unwrap().errors, [text]);
    assert!(!serde_json::to_string(&infos).unwrap().contains("hunter2"), "a refused value is not shown");
    let enable = entry(&infos, "key.converter.schemas.enable");
    assert_eq!(enable.value.as_ref().unwrap().value.as_deref(), Some("false"));
    let definition = enable.definition.as_ref().unwrap();
    assert_eq!((definition.group.as_deref(), definition.order_in_group), (Some("Schemas"), 0));
    let kind = entry(&infos, "key.converter.converter.type").value.as_ref().unwrap();
    assert_eq!((kind.value.as_deref(), kind.errors.len()), (Some("key"), 0));
    assert_eq!(infos.groups[infos.groups.len() - 2..], ["Schemas", "Serialization"]);
    assert_eq!(infos.error_count, 2);
}
