//! Every converter of Apache Kafka with every setting, both ways.
//!
//! Enters: samples, and bytes right and wrong. Leaves: cases. Invariant: what is written here is also read back.

use serde_json::{Value, json};

use super::Case;
use super::chains::LITERALS;
use super::samples;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const SIMPLE: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

pub fn cases() -> Vec<Case> {
    let values: Vec<Value> =
        samples::all().into_iter().map(|(schema, value)| json!({"schema": schema, "value": value})).collect();
    let mut cases: Vec<Case> = Vec::new();
    for (class, configs) in classes() {
        for config in configs {
            let role = if class == SIMPLE { "header" } else { "value" };
            cases.push(case(class, &config, "from-connect", role, values.clone()));
            cases.push(case(class, &config, "to-connect", role, bytes(class)));
        }
    }
    cases
}

fn case(class: &str, config: &Value, direction: &str, role: &str, records: Vec<Value>) -> Case {
    let simple = class.rsplit('.').next().unwrap_or(class);
    let json = json!({"converter": class, "config": config, "direction": direction, "role": role, "records": records});
    Case { label: format!("{simple} {direction} {config}"), json }
}

fn classes() -> Vec<(&'static str, Vec<Value>)> {
    let json = vec![
        json!({}),
        json!({"schemas.enable": "false"}),
        json!({"decimal.format": "numeric"}),
        json!({"schemas.enable": "FALSE", "decimal.format": "NUMERIC", "replace.null.with.default": "false"}),
        json!({"replace.null.with.default": "false"}),
        json!({"schema.content": r#"{"type":"struct","fields":[{"type":"int32","field":"a","optional":true,"default":7}]}"#}),
        json!({"schema.content": "rubbish"}),
        json!({"schema.content": ""}),
        json!({"decimal.format": "octal"}),
        json!({"schemas.enable": "perhaps"}),
        json!({"schemas.cache.size": "-1"}),
        json!({"schemas.cache.size": "many"}),
    ];
    let none = || vec![json!({})];
    let charsets = ["UTF-16", "ISO-8859-1", "US-ASCII", "no-such-charset"];
    let mut strings = none();
    strings.extend(charsets.map(|name| json!({"converter.encoding": name})));
    vec![
        (JSON, json),
        ("org.apache.kafka.connect.storage.StringConverter", strings),
        ("org.apache.kafka.connect.converters.ByteArrayConverter", none()),
        ("org.apache.kafka.connect.converters.BooleanConverter", none()),
        ("org.apache.kafka.connect.converters.ShortConverter", none()),
        ("org.apache.kafka.connect.converters.IntegerConverter", none()),
        ("org.apache.kafka.connect.converters.LongConverter", none()),
        ("org.apache.kafka.connect.converters.FloatConverter", none()),
        ("org.apache.kafka.connect.converters.DoubleConverter", none()),
        (SIMPLE, none()),
    ]
}

fn bytes(class: &str) -> Vec<Value> {
    let mut all: Vec<Option<Vec<u8>>> = vec![None, Some(Vec::new())];
    let lengths = [1, 2, 3, 4, 8, 9];
    all.extend(lengths.map(|n| Some((0..n).map(|i| 0x40 + i * 7).collect())));
    all.extend(
        [
            vec![0],
            vec![1],
            vec![2],
            vec![0xff; 2],
            vec![0xff; 4],
            vec![0xff; 8],
            vec![0xc3, 0x28],
            vec![0xfe, 0xff, 0, 0x41],
        ]
        .map(Some),
    );
    let mut texts: Vec<String> = Vec::new();
    if class == SIMPLE {
        texts.extend(LITERALS.iter().map(|text| (*text).to_owned()));
    }
    if class == JSON {
        texts.extend(DOCUMENTS.iter().map(|text| (*text).to_owned()));
        for (schema, value) in samples::all() {
            texts.push(json!({"schema": schema, "payload": value}).to_string());
        }
        for (schema, payload) in PAYLOADS {
            texts.push(format!(r#"{{"schema":{schema},"payload":{payload}}}"#));
        }
    }
    all.extend(texts.into_iter().map(|text| Some(text.into_bytes())));
    all.into_iter().map(|bytes| json!({"hex": bytes.map(|bytes| hex(&bytes))})).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON that is no envelope, and JSON that is odd.
const DOCUMENTS: [&str; 34] = [
    "null",
    "{}",
    "[]",
    "5",
    "1.5",
    "\"x\"",
    "true",
    "{\"a\":1}",
    "{\"schema\":null,\"payload\":null}",
    "{\"schema\":null,\"payload\":5}",
    "{\"schema\":null,\"payload\":{\"a\":[1,2.5,\"x\",null,true]}}",
    "{\"payload\":5}",
    "{\"schema\":null}",
    "{\"schema\":null,\"payload\":1,\"more\":1}",
    "{\"payload\":7,\"schema\":{\"type\":\"int32\"}}",
    "{",
    "nul",
    "{\"a\":1}}",
    "{\"a\":1} trailing",
    "007",
    "{'a':1}",
    "NaN",
    "{\"a\":1,\"a\":2}",
    "9223372036854775808",
    "123456789012345678901234567890",
    "1e3",
    "1.0",
    "-0",
    "1e400",
    "\"\\ud83d\"",
    "// c\n1",
    " { \"a\" : [ ] } ",
    "{\"a\":\"\\u00e4\\n\"}",
    "[1,]",
];

/// Schemas with payloads of the wrong kind, and schemas that are wrong.
const PAYLOADS: [(&str, &str); 62] = [
    (r#"{"type":"int8"}"#, "300"),
    (r#"{"type":"int8"}"#, "1.7"),
    (r#"{"type":"int8"}"#, "\"5\""),
    (r#"{"type":"int16"}"#, "70000"),
    (r#"{"type":"int32"}"#, "true"),
    (r#"{"type":"int32"}"#, "9999999999"),
    (r#"{"type":"int64"}"#, "1e3"),
    (r#"{"type":"int64"}"#, "9223372036854775808"),
    (r#"{"type":"int64"}"#, "[]"),
    (r#"{"type":"float"}"#, "\"x\""),
    (r#"{"type":"float"}"#, "\"NaN\""),
    (r#"{"type":"double"}"#, "1e400"),
    (r#"{"type":"double"}"#, "5"),
    (r#"{"type":"boolean"}"#, "\"true\""),
    (r#"{"type":"boolean"}"#, "1"),
    (r#"{"type":"string"}"#, "5"),
    (r#"{"type":"string"}"#, "null"),
    (r#"{"type":"string","optional":true}"#, "5"),
    (r#"{"type":"string","optional":"true"}"#, "null"),
    (r#"{"type":"string","optional":true}"#, "{}"),
    (r#"{"type":"bytes"}"#, "\"!!\""),
    (r#"{"type":"bytes"}"#, "5"),
    (r#"{"type":"bytes"}"#, "\"AQ\""),
    (r#"{"type":"array","items":{"type":"int32"}}"#, "\"x\""),
    (r#"{"type":"array","items":{"type":"int32"}}"#, "[1,null]"),
    (r#"{"type":"array","items":{"type":"int32"}}"#, "{\"a\":1}"),
    (r#"{"type":"array"}"#, "[1]"),
    (r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#, "[]"),
    (r#"{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32"}}"#, "{\"a\":1}"),
    (r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#, "{\"1\":1}"),
    (r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#, "[[1,2],[3]]"),
    (r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}}"#, "[1]"),
    (r#"{"type":"map","keys":{"type":"int32"}}"#, "[]"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#, "{}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#, "{\"a\":null}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#, "{\"a\":1,\"b\":2}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a","default":7}]}"#, "{}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a","default":7,"optional":true}]}"#, "{\"a\":null}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#, "[]"),
    (r#"{"type":"struct","fields":[{"type":"int32"}]}"#, "{}"),
    (r#"{"type":"struct","fields":{}}"#, "{}"),
    (r#"{"type":"struct"}"#, "{}"),
    (r#"{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"int32","field":"a"}]}"#, "{\"a\":1}"),
    (r#"{"type":"struct","fields":[],"default":{}}"#, "{}"),
    (r#"{"type":"INT32"}"#, "1"),
    (r#"{"type":"float32"}"#, "1"),
    ("{}", "1"),
    ("5", "1"),
    ("\"int32\"", "1"),
    (r#"{"type":"int32","version":"1","name":5,"doc":[]}"#, "1"),
    (r#"{"type":"int32","parameters":{"a":1}}"#, "1"),
    (r#"{"type":"int32","parameters":{}}"#, "1"),
    (r#"{"type":"int32","default":null}"#, "1"),
    (r#"{"type":"int32","default":null,"optional":true}"#, "null"),
    (r#"{"type":"int32","default":"x"}"#, "1"),
    (r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}"#, "\"x\""),
    (r#"{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1}"#, "1.5"),
    (r#"{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1}"#, "86400001"),
    (r#"{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1}"#, "-1"),
    (r#"{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1}"#, "99999999999999999999"),
    (
        r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#,
        "1.234",
    ),
    (r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1}"#, "\"AQ==\""),
];
