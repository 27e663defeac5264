//! Registry formats by `lockgate convert`, held against a registry and a client that are not ours.
//!
//! Enters: values with schemas. Leaves: topic bytes, what Confluent's client for Python reads from them, what it writes, and
//! what we read from that. Invariant: both sides mean the same; what cannot be read is one line that says why.

use std::io::Write as _;
use std::process::{Command, Stdio};

use lockgate_tests::{Apicurio, Way, places};
use serde_json::{Value, json};

use crate::previews::answers;

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";
const JSON_SCHEMA: &str = "io.confluent.connect.json.JsonSchemaConverter";

/// The answers of `lockgate convert`, with a registry at this URL.
fn convert(class: &str, direction: &str, topic: &str, url: &str, lines: &[Value]) -> Vec<Value> {
    let config = json!({"schema.registry.url": url, "max.retries": 0});
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let arguments = ["convert", "--converter", class, "--direction", direction, "--topic", topic];
    let answers = answers(&arguments, &config, &input);
    assert_eq!(answers.len(), lines.len());
    answers
}

/// What `tests/parity/clients/formats` makes of topic bytes: the value, and the bytes that it writes for it.
fn foreign(format: &str, topic: &str, hex: &[&str]) -> Vec<Value> {
    let mut child = Command::new(places::root().join("tests/parity/clients.sh"))
        .args(["formats", &Apicurio::shared().url(), format, topic])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all((hex.join("\n") + "\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn field(name: &str, schema: Value) -> Value {
    let mut schema = schema;
    schema["field"] = json!(name);
    schema
}

fn of(name: &str) -> Value {
    json!({"type": name, "optional": false})
}

fn optional(name: &str) -> Value {
    json!({"type": name, "optional": true})
}

fn logical(of: &str, name: &str) -> Value {
    json!({"type": of, "optional": false, "name": format!("org.apache.kafka.connect.data.{name}"), "version": 1})
}

/// One field of every type.
fn schema() -> Value {
    let mut price = logical("bytes", "Decimal");
    price["parameters"] = json!({"scale": "2", "connect.decimal.precision": "9"});
    let mut inner = json!({"type": "struct", "name": "shop.Inner", "optional": true});
    inner["fields"] = json!([field("x", of("int32"))]);
    let list = json!({"type": "array", "items": of("string"), "optional": false});
    let map = json!({"type": "map", "keys": of("string"), "values": of("int32"), "optional": false});
    let fields = [
        field("tiny", of("int8")),
        field("small", of("int16")),
        field("whole", of("int32")),
        field("big", of("int64")),
        field("single", of("float")),
        field("double", of("double")),
        field("flag", of("boolean")),
        field("text", optional("string")),
        field("raw", of("bytes")),
        field("price", price),
        field("day", logical("int32", "Date")),
        field("clock", logical("int32", "Time")),
        field("at", logical("int64", "Timestamp")),
        field("list", list),
        field("map", map),
        field("inner", inner),
    ];
    json!({"type": "struct", "name": "shop.Order", "optional": false, "fields": fields})
}

fn full() -> Value {
    json!({
        "tiny": -8, "small": 300, "whole": i32::MIN, "big": i64::MAX, "single": 1.5, "double": -0.1, "flag": true,
        "text": "z\u{f6}\u{1f600}", "raw": "AP8=", "price": "AJw=", "day": 18_262, "clock": 3_723_004,
        "at": 1_600_000_000_123_i64, "list": ["a", ""], "map": {"k": -1}, "inner": {"x": 7},
    })
}

fn sparse() -> Value {
    json!({
        "tiny": 0, "small": 0, "whole": 0, "big": 0, "single": 0.0, "double": 0.0, "flag": false, "text": null,
        "raw": "", "price": "AA==", "day": 0, "clock": 0, "at": 0, "list": [], "map": {}, "inner": null,
    })
}

/// Writes both values, has them read and written by the other client, and reads what either wrote: the first as it was, the
/// second as `sparse`. Leaves what the other client saw in the first one.
fn both_ways(class: &str, format: &str, sparse_read: &Value) -> Value {
    let url = Apicurio::shared().url();
    let topic = format!("foreign-{}", format.to_lowercase());
    let lines = [full(), sparse()].map(|value| json!({"schema": schema(), "value": value}));
    let written = convert(class, "from-connect", &topic, &url, &lines);
    let ours: Vec<&str> =
        written.iter().map(|answer| answer["hex"].as_str().unwrap_or_else(|| panic!("{answer}"))).collect();
    let seen = foreign(format, &topic, &ours);
    let theirs = seen.iter().map(|answer| answer["hex"].as_str().unwrap());
    let hex: Vec<Value> = ours.iter().copied().chain(theirs).map(|hex| json!({"hex": hex})).collect();
    let read = convert(class, "to-connect", &topic, &url, &hex);
    for (read, value) in read.iter().zip([&full(), sparse_read, &full(), sparse_read]) {
        assert_eq!(read["value"], *value, "{read}");
    }
    let nulls = [json!({"schema": null, "value": null}), json!({"hex": null})];
    assert_eq!(convert(class, "from-connect", &topic, &url, &nulls[..1]), [json!({"hex": null})]);
    assert_eq!(convert(class, "to-connect", &topic, &url, &nulls[1..])[0]["value"], Value::Null);
    seen[0]["value"].clone()
}

#[test]
fn avro_means_the_same_to_fastavro_both_ways() {
    let seen = json!({
        "tiny": -8, "small": 300, "whole": i32::MIN, "big": i64::MAX, "single": 1.5, "double": -0.1, "flag": true,
        "text": "z\u{f6}\u{1f600}", "raw": "AP8=", "price": "1.56", "day": "2020-01-01", "clock": "01:02:03.004000",
        "at": "2020-09-13T12:26:40.123000+00:00", "list": ["a", ""], "map": {"k": -1}, "inner": {"x": 7},
    });
    assert_eq!(both_ways(AVRO, "AVRO", &sparse()), seen);
}

#[test]
fn protobuf_means_the_same_to_googles_own_both_ways() {
    let seen = json!({
        "tiny": -8, "small": 300, "whole": i32::MIN, "big": i64::MAX.to_string(), "single": 1.5, "double": -0.1,
        "flag": true, "text": "z\u{f6}\u{1f600}", "raw": "AP8=",
        "price": {"value": "AJw=", "precision": 3, "scale": 2}, "day": {"year": 2020, "month": 1, "day": 1},
        "clock": {"hours": 1, "minutes": 2, "seconds": 3, "nanos": 4_000_000}, "at": "2020-09-13T12:26:40.123Z",
        "list": ["a", ""], "map": {"k": -1}, "inner": {"x": 7},
    });
    // Without a sign of its own a text that is null is an empty one.
    let mut unset = sparse();
    unset["text"] = json!("");
    assert_eq!(both_ways(PROTOBUF, "PROTOBUF", &unset), seen);
}

#[test]
fn json_schema_means_the_same_to_jsonschema_both_ways() {
    assert_eq!(both_ways(JSON_SCHEMA, "JSON", &sparse()), full());
}

#[test]
fn bytes_that_cannot_be_read_and_a_registry_that_is_away_are_lines_with_an_error() {
    let (url, lines) = (Apicurio::shared().url(), [json!({"schema": schema(), "value": full()})]);
    for (class, truncated) in
        [(AVRO, "unexpected end"), (PROTOBUF, "invalid Protobuf"), (JSON_SCHEMA, "unexpected end")]
    {
        let topic = format!("broken-{}", class.rsplit('.').next().unwrap().to_lowercase());
        let good = convert(class, "from-connect", &topic, &url, &lines)[0]["hex"].as_str().unwrap().to_owned();
        let hex = [
            good[..good.len() - 6].to_owned(),
            format!("00000f423f{}", &good[10..]),
            format!("01{}", &good[2..]),
            "0000".to_owned(),
            "0g".to_owned(),
            good.clone(),
        ];
        let asked: Vec<Value> = hex.iter().map(|hex| json!({"hex": hex})).collect();
        let read = convert(class, "to-connect", &topic, &url, &asked);
        let reasons = [truncated, "40403", "Unknown magic byte", "within the schema id", "hexadecimal"];
        for (answer, reason) in read.iter().zip(reasons) {
            let error = &answer["error"];
            assert_eq!(
                (&error["stage"], &error["class"]),
                (&json!("apply"), &json!("DataException")),
                "{class}: {answer}"
            );
            assert!(error["message"].as_str().unwrap().contains(reason), "{class}: {answer}");
        }
        assert_eq!(read[5]["value"], full(), "a line that is wrong costs the next one nothing");

        let away = Way::to(&Apicurio::shared().address, false).url();
        for (direction, line) in [("from-connect", &lines[0]), ("to-connect", &asked[5])] {
            let error = &convert(class, direction, &topic, &away, std::slice::from_ref(line))[0]["error"];
            assert_eq!((&error["stage"], &error["class"]), (&json!("apply"), &json!("RetriableException")), "{error}");
        }
    }
}
