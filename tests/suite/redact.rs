//! The bundled package `redact`, written in C: personal data hidden on the way.
//!
//! Enters: records, alone and through a pipeline. Leaves: what a sink sees of them. Invariant: what is hidden appears nowhere.

use lockgate_tests::{Kafka, Worker, eventually_equal};
use serde_json::{Value, json};

use crate::configs::{file_sink, lines, with};
use crate::previews::answers;

fn redact(settings: &[(&str, &str)]) -> Value {
    let config = json!({"transforms": "r", "transforms.r.type": "lockgate.transforms.Redact$Value"});
    let prefixed: Vec<(String, &str)> = settings.iter().map(|(k, v)| (format!("transforms.r.{k}"), *v)).collect();
    with(config, &prefixed.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>())
}

#[test]
fn fields_and_patterns_are_hidden_and_the_rest_stays_as_it_is() {
    let rules = redact(&[
        ("fields", "user.name,cards[*].number"),
        ("patterns", "email,ip"),
        ("action", "keep-last"),
        ("keep.last", "2"),
    ]);
    let input = concat!(
        r#"{"topic":"t","value":{"user":{"name":"Jürgen","id":7},"cards":[{"number":"4111"},{"number":"42"}],"note":"a@b.org at 10.1.2.3"}}"#,
        "\n",
        r#"{"topic":"t","value":null}"#,
    );
    let answers = answers(&["transform"], &rules, input);
    let expected = json!({
        "user": {"name": "****en", "id": 7}, "cards": [{"number": "**11"}, {"number": "**"}], "note": "*****rg at ******.3",
    });
    assert_eq!((&answers[0]["value"], &answers[1]["value"]), (&expected, &Value::Null));
}

#[test]
fn a_schema_still_holds_for_what_was_redacted() {
    let schema = json!({"type": "struct", "fields": [
        {"field": "name", "type": "string", "optional": false}, {"field": "age", "type": "int32", "optional": false},
        {"field": "born", "type": "struct", "optional": false, "fields": [{"field": "year", "type": "int64", "optional": false}]},
    ]});
    let record =
        json!({"topic": "t", "valueSchema": schema, "value": {"name": "Ann", "age": 40, "born": {"year": 1986}}});
    let answers = answers(&["transform"], &redact(&[("fields", "name,age,born")]), &record.to_string());
    assert_eq!(answers[0]["value"], json!({"name": "***", "age": 0, "born": {"year": 0}}), "{answers:?}");
}

#[test]
fn rules_that_say_nothing_are_refused_with_the_reason() {
    for (rules, problem) in [
        ([("fields", "a..b"), ("action", "replace")], "`a..b` is no path"),
        ([("fields", "a"), ("action", "hmac")], "hmac"),
    ] {
        let answers = answers(&["transform"], &redact(&rules), "{}");
        assert!(answers[0]["error"]["message"].as_str().unwrap().contains(problem), "{answers:?}");
    }
}

#[test]
fn a_pipeline_writes_nothing_personal_and_what_is_no_json_is_a_dead_letter() {
    let (kafka, topic) = (Kafka::shared(), Kafka::shared().topic("personal", 1));
    let worker = Worker::start(&kafka.bootstrap);
    let dead = kafka.topic_named(&format!("{}-dead", topic.name));
    let values = (0..50).map(|n| {
        if n % 10 == 9 { format!("{{broken {n}") } else { format!(r#"{{"n":{n},"mail":"user{n}@example.com"}}"#) }
    });
    let values: Vec<String> = values.collect();
    topic.write(values.iter().map(String::as_str));
    let config = with(
        file_sink(&topic.name, &worker.path_text("out.txt")),
        &[
            ("transforms", "r"),
            ("transforms.r.type", "lockgate.transforms.Redact$Value"),
            ("transforms.r.fields", "mail"),
            ("transforms.r.action", "hmac"),
            ("transforms.r.hmac.key", "a-very-secret-key"),
            ("transforms.r.hmac.length", "16"),
            ("value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead.name),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ],
    );
    worker.create_running("discreet", config);
    eventually_equal("good ones are delivered", &45, || lines(&worker.path("out.txt")).len());
    eventually_equal("bad ones are dead letters", &5, || dead.count());
    let written = lines(&worker.path("out.txt"));
    assert!(written.iter().all(|line| !line.contains('@') && line.contains(r#""mail":""#)), "{written:?}");
    assert!(written[3].starts_with(r#"{"n":3,"#), "{written:?}");
    assert!(!worker.log().contains("very-secret"));
}
