//! JSON with and without envelopes, some of it broken, and values to be written.
//!
//! Enters: what is random. Leaves: cases. Invariant: most of it is what it says it is.

use serde_json::{Value, json};

use super::super::Case;
use super::super::samples::Random;
use super::{JSON, converter, damaged, hex};

pub fn json_settings(random: &mut Random) -> Value {
    json!({
        "schemas.enable": (["true", "false"][random.below(2)]), "decimal.format": (["BASE64", "NUMERIC"][random.below(2)]),
        "replace.null.with.default": (["true", "false"][random.below(2)]),
    })
}

/// JSON with and without an envelope, some of it broken.
pub fn json_documents(random: &mut Random) -> Vec<Case> {
    let plain: Vec<Value> = (0..150)
        .map(|_| {
            let (_, value) = random.sample(3);
            let text = odd_json(random, &value);
            json!({"hex": hex(damaged(random, &text).as_bytes())})
        })
        .collect();
    let envelopes: Vec<Value> = (0..150)
        .map(|_| {
            let ((schema, value), (_, other)) = (random.sample(2), random.sample(2));
            let value = if random.below(4) == 0 { other } else { value };
            let text = json!({"schema": schema, "payload": value}).to_string();
            json!({"hex": hex(damaged(random, &text).as_bytes())})
        })
        .collect();
    let settings = json_settings(random);
    vec![
        converter(JSON, json!({"schemas.enable": "false"}), "to-connect", "value", plain),
        converter(JSON, settings, "to-connect", "value", envelopes),
    ]
}

/// A value as text, with numbers and strings that can be written in more than one way.
pub fn odd_json(random: &mut Random, value: &Value) -> String {
    let numbers = [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1E5",
        "1e-7",
        "1.0E+2",
        "123456789012345678901234567890",
        "0.1000",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775809",
        "4.9e-324",
        "1.7976931348623157e308",
        "01",
        "1.",
        "+1",
        "NaN",
        "-Infinity",
    ];
    let texts = [
        "\"\\u0041\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\/\"",
        "\"\u{7f}\"",
        "\"\t\"",
        "\"\\x\"",
        "\"\u{2028}\"",
        "\"\\u00zz\"",
        "\"\u{1f600}\"",
        "\"\\b\\f\"",
    ];
    match value {
        Value::Number(_) if random.below(2) == 0 => (*random.pick(&numbers)).to_owned(),
        Value::String(_) if random.below(2) == 0 => (*random.pick(&texts)).to_owned(),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(|value| odd_json(random, value)).collect();
            format!("[{}]", all.join(*random.pick(&[",", " , ", ",\n"])))
        }
        Value::Object(all) => {
            let all: Vec<String> = all
                .iter()
                .map(|(name, value)| {
                    format!("{}{}{}", json!(name), random.pick(&[":", " : "]), odd_json(random, value))
                })
                .collect();
            format!("{{{}}}", all.join(","))
        }
        other => other.to_string(),
    }
}

/// Values of random schemas, written.
pub fn json_values(random: &mut Random) -> Vec<Case> {
    let values: Vec<Value> = (0..120)
        .map(|_| {
            let (schema, value) = random.sample(3);
            json!({"schema": schema, "value": value})
        })
        .collect();
    let settings = json_settings(random);
    vec![
        converter(JSON, settings, "from-connect", "value", values.clone()),
        converter(
            "org.apache.kafka.connect.storage.StringConverter",
            json!({}),
            "from-connect",
            "value",
            values.clone(),
        ),
        converter(
            "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            json!({}),
            "from-connect",
            "header",
            values,
        ),
    ]
}
