//! What connector configurations may say.

use super::*;
use crate::properties;

fn worker() -> WorkerConfig {
    let text = "bootstrap.servers=a:1\ngroup.id=connect-cluster\nkey.converter=String\nvalue.converter=Json\n\
        value.converter.schemas.enable=false\nconfig.storage.topic=c\noffset.storage.topic=o\nstatus.storage.topic=s\n";
    WorkerConfig::distributed(&properties::parse(text).unwrap()).unwrap()
}

fn raw(pairs: &[(&str, &str)]) -> RawConfig {
    let all = [("connector.class", "Any")].iter().chain(pairs);
    all.map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
}

fn sink(pairs: &[(&str, &str)]) -> Result<ConnectorSpec, ConfigErrors> {
    ConnectorSpec::parse("c", PluginKind::Sink, &raw(pairs), &worker(), &|_, _| Ok(()))
}

fn source(pairs: &[(&str, &str)]) -> Result<ConnectorSpec, ConfigErrors> {
    ConnectorSpec::parse("c", PluginKind::Source, &raw(pairs), &worker(), &|_, _| Ok(()))
}

fn messages(outcome: Result<ConnectorSpec, ConfigErrors>) -> Vec<String> {
    outcome.unwrap_err().0.into_iter().map(|e| e.message).collect()
}

#[test]
fn a_small_sink_gets_kafka_connects_defaults_and_its_own_keys_pass() {
    let spec = sink(&[("topics", "a, b"), ("file", "/out")]).unwrap();
    assert_eq!(spec.sink.unwrap().topics, Topics::List(vec!["a".into(), "b".into()]));
    assert_eq!((spec.tasks_max, spec.tasks_max_enforce), (1, true));
    let nothing = Some(Duration::ZERO);
    let errors = ErrorsSpec {
        retry_timeout: nothing,
        retry_delay_max: Duration::from_mins(1),
        tolerate_all: false,
        log: false,
        log_messages: false,
    };
    assert_eq!(spec.errors, errors);
    assert_eq!(spec.batch, BatchBounds { records_max: 500, bytes_max: 262_144, linger: Duration::from_millis(5) });
    assert_eq!(spec.raw["file"], "/out");
    assert_eq!(spec.raw["name"], "c");
}

#[test]
fn topics_and_their_regex_exclude_each_other_and_one_is_needed() {
    let text = "Must configure one of topics or topics.regex";
    assert_eq!(messages(sink(&[])), [text, text]);
    let text = "topics and topics.regex are mutually exclusive options, but both are set.";
    assert_eq!(messages(sink(&[("topics", "a"), ("topics.regex", "b")])), [text, text]);
    let twice = "Configuration 'topics' values must not be duplicated.";
    assert_eq!(messages(sink(&[("topics", "a,a")])), [twice]);
    assert!(
        messages(sink(&[("topics.regex", "(")]))[0].starts_with("Invalid value ( for configuration topics.regex: ")
    );
}

#[test]
fn a_dead_letter_queue_is_never_consumed_by_its_own_connector() {
    let dead = ("errors.deadletterqueue.topic.name", "dead");
    let text =
        "The DLQ topic 'dead' may not be included in the list of topics ('topics=[a, dead]') consumed by the connector";
    assert_eq!(messages(sink(&[("topics", "a,dead"), dead])), [text]);
    assert_eq!(messages(sink(&[("topics.regex", "de.*"), dead])).len(), 1);
    let fine = sink(&[("topics.regex", "de"), dead]).unwrap().sink.unwrap();
    assert_eq!(fine.dead_letter.unwrap().replication_factor, 3);
}

#[test]
fn tasks_max_is_reported_as_kafka_connect_does() {
    let expected = [
        "Invalid value abc for configuration tasks.max: Not a number of type INT",
        "Invalid value null for configuration tasks.max: Value must be non-null",
    ];
    assert_eq!(messages(sink(&[("topics", "a"), ("tasks.max", "abc")])), expected);
    let expected = ["Invalid value 0 for configuration tasks.max: Value must be at least 1"];
    assert_eq!(messages(sink(&[("topics", "a"), ("tasks.max", "0")])), expected);
}

#[test]
fn a_name_is_not_empty_and_has_no_control_characters() {
    let expected = ["Invalid value  for configuration name: String may not be empty"];
    assert_eq!(messages(sink(&[("topics", "a"), ("name", "")])), expected);
    let bell = messages(sink(&[("topics", "a"), ("name", "x\u{7}y")]));
    assert!(bell[0].ends_with("String may not contain control sequences but had the following ASCII chars: 7"));
}

#[test]
fn nulls_are_refused_by_name() {
    let mut raw = raw(&[("topics", "a")]);
    raw.insert("file".to_owned(), None);
    let errors = ConnectorSpec::parse("c", PluginKind::Sink, &raw, &worker(), &|_, _| Ok(())).unwrap_err();
    assert_eq!(errors.0[0].key, "file");
    assert_eq!(errors.0[0].message, "Null value can not be supplied as the configuration value.");
}

#[test]
fn a_sink_may_not_join_the_workers_own_group() {
    let worker_group =
        ConnectorSpec::parse("cluster", PluginKind::Sink, &raw(&[("topics", "a")]), &worker(), &|_, _| Ok(()));
    let text = "Consumer group for sink connector named cluster conflicts with Connect worker group connect-cluster";
    assert_eq!(messages(worker_group), [text]);
    let text = "Consumer group connect-cluster conflicts with Connect worker group connect-cluster";
    assert_eq!(messages(sink(&[("topics", "a"), ("consumer.override.group.id", "connect-cluster")])), [text]);
}

#[test]
fn the_chain_keeps_its_order_and_its_predicates() {
    let spec = source(&[
        ("transforms", "b,a"),
        ("transforms.a.type", "HoistField$Value"),
        ("transforms.a.field", "x"),
        ("transforms.a.predicate", "p"),
        ("transforms.a.negate", "true"),
        ("transforms.b.type", "Filter"),
        ("predicates", "p"),
        ("predicates.p.type", "TopicNameMatches"),
        ("predicates.p.pattern", "t.*"),
    ])
    .unwrap();
    let aliases: Vec<_> = spec.transforms.iter().map(|t| t.alias.as_str()).collect();
    assert_eq!(aliases, ["b", "a"]);
    let hoist = &spec.transforms[1];
    assert_eq!(hoist.config.iter().collect::<Vec<_>>(), [(&"field".to_owned(), &"x".to_owned())]);
    assert!(hoist.negate);
    assert_eq!(hoist.predicate.as_ref().unwrap().config["pattern"], "t.*");
    assert_eq!(spec.transforms[0].predicate, None);
}

#[test]
fn undefined_predicates_missing_types_and_idle_negation_are_refused_up_front() {
    let found = messages(source(&[
        ("transforms", "a,b"),
        ("transforms.a.type", "Filter"),
        ("transforms.a.predicate", "tomb"),
        ("transforms.b.negate", "true"),
        ("predicates", "tombs"),
        ("predicates.tombs.type", "RecordIsTombstone"),
    ]));
    let expected = [
        "Invalid value tomb for configuration transforms.a.predicate: there is no predicate 'tomb' in predicates=[tombs]",
        "Missing required configuration \"transforms.b.type\" which has no default value.",
        "Config 'transforms.b.negate' was provided but there is no config 'transforms.b.predicate' defining a predicate to be negated.",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_converter_brings_its_own_settings_or_none() {
    let spec = source(&[("value.converter.schemas.enable", "true")]).unwrap();
    assert_eq!(spec.converters.value.settings["schemas.enable"], "false");
    assert!(!spec.converters.value.own);
    let spec = source(&[("value.converter", "Json"), ("value.converter.decimal.format", "NUMERIC")]).unwrap();
    assert_eq!(spec.converters.value.settings.get("schemas.enable"), None);
    assert_eq!(spec.converters.value.settings["decimal.format"], "NUMERIC");
}

#[test]
fn topic_creation_takes_the_first_group_that_matches() {
    let spec = source(&[
        ("topic.creation.groups", "logs"),
        ("topic.creation.default.partitions", "3"),
        ("topic.creation.default.replication.factor", "-1"),
        ("topic.creation.logs.include", "log-.*"),
        ("topic.creation.logs.exclude", "log-audit"),
        ("topic.creation.logs.partitions", "9"),
        ("topic.creation.logs.cleanup.policy", "compact"),
    ])
    .unwrap();
    let creation = spec.source.unwrap().topic_creation.unwrap();
    let logs = creation.of_topic("log-app");
    assert_eq!((logs.partitions, logs.replication_factor), (9, -1));
    assert_eq!(logs.config, [("cleanup.policy".to_owned(), "compact".to_owned())]);
    assert_eq!(creation.of_topic("log-audit").partitions, 3);
    assert_eq!(creation.of_topic("my-log-app").partitions, 3);
    assert!(source(&[]).unwrap().source.unwrap().topic_creation.is_none());
}

#[test]
fn topic_creation_needs_both_counts_and_known_groups() {
    let found =
        messages(source(&[("topic.creation.default.partitions", "0"), ("topic.creation.logz.partitions", "1")]));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("topic.creation.default.replication.factor"), "{found:?}");
    assert!(found[1].ends_with("Value must be at least 1, or -1 to use the broker's default"), "{found:?}");
    assert!(found[2].ends_with("which topic.creation.groups does not name"), "{found:?}");
}

#[test]
fn exactly_once_is_refused_rather_than_promised() {
    let text = "This worker does not have exactly-once source support enabled.";
    assert_eq!(messages(source(&[("exactly.once.support", "REQUIRED")])), [text]);
}

#[test]
fn a_configuration_without_class_is_answered_with_its_keys_and_not_its_values() {
    let raw: RawConfig = [("password".to_owned(), Some("hunter2".to_owned()))].into();
    let error = ConnectorSpec::class_of(&raw).unwrap_err();
    assert_eq!(error.0[0].message, "Connector config {password} contains no connector type");
}

#[test]
fn kafka_connects_frame_surrounds_the_messages() {
    let text = sink(&[]).unwrap_err().connect_message();
    assert!(
        text.starts_with("Connector configuration is invalid and contains the following 2 error(s):\nMust configure")
    );
    assert!(text.ends_with("at the endpoint `/connector-plugins/{connectorType}/config/validate`"));
}
