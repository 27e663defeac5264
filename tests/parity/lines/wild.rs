//! Texts that nobody would think of: literals, JSON, numbers, regular expressions, patterns of dates, paths.
//!
//! Enters: a seed. Leaves: cases. Invariant: what is made is near to what is right, so that both sides get far into it.

use serde_json::{Value, json};

use super::Case;
use super::samples::{Random, line};

mod documents;
mod literals;
mod patterns;

use documents::{json_documents, json_values};
use literals::{header_literals, inserted};
use patterns::{formatted, parsed, router};

const TRANSFORMS: &str = "org.apache.kafka.connect.transforms.";

/// The cases of a seed; `many` times as many as usual.
pub fn cases(seed: u64, many: usize) -> Vec<Case> {
    let mut random = Random(seed);
    let mut cases = seldom();
    cases.extend([header_literals(&mut random, 800 * many)]);
    cases.extend((0..30 * many).map(|_| inserted(&mut random)));
    cases.extend((0..2 * many).flat_map(|_| json_documents(&mut random)));
    cases.extend((0..2 * many).flat_map(|_| json_values(&mut random)));
    cases.extend(["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"].map(|target| {
        let records = (0..60 * many).map(|_| cast_from(&mut random)).collect();
        transform(&format!("Cast$Value to {target}"), "Cast$Value", json!({"spec": format!("v:{target}")}), records)
    }));
    cases.extend((0..80 * many).map(|_| router(&mut random)));
    cases.extend((0..40 * many).map(|_| formatted(&mut random)));
    cases.extend((0..40 * many).map(|_| parsed(&mut random)));
    cases.extend((0..30 * many).map(|_| path(&mut random)));
    cases
}

/// What differs on purpose and is seldom met by chance.
fn seldom() -> Vec<Case> {
    let with_default = json!({"type": "int32", "optional": false, "default": 7, "field": "v"});
    let null = record(&json!({"type": "struct", "fields": [with_default], "optional": true}), Value::Null);
    let mut cast =
        transform("Cast$Value", "Cast$Value", json!({"spec": "int16"}), vec![record(&Value::Null, json!(40))]);
    let chain = &mut cast.json["chain"];
    chain["transforms"] = json!("t,u");
    chain["transforms.u.type"] = json!(format!("{TRANSFORMS}TimestampConverter$Value"));
    chain["transforms.u.target.type"] = json!("Date");
    let simple = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    let decimal = r#"{"schema":{"type":"struct","fields":[{"type":"bytes","optional":true,"field":"v",
        "name":"org.apache.kafka.connect.data.Decimal"}]},"payload":{"v":null}}"#;
    let dates = "[[],2020-01-31]";
    let other = r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":5}"#;
    let hexed = |text: &str| vec![json!({"hex": hex(text.as_bytes())})];
    vec![
        transform("ExtractField$Value", "ExtractField$Value", json!({"field": "v"}), vec![null]),
        cast,
        converter(JSON, json!({}), "to-connect", "value", hexed(decimal)),
        converter(JSON, json!({}), "to-connect", "value", hexed(other)),
        converter(simple, json!({}), "to-connect", "header", hexed(dates)),
        transform(
            "InsertHeader",
            "InsertHeader",
            json!({"header": "h", "value.literal": dates}),
            vec![record(&Value::Null, json!(1))],
        ),
    ]
}

fn transform(label: &str, class: &str, config: Value, records: Vec<Value>) -> Case {
    let mut chain = json!({"transforms": "t", "transforms.t.type": format!("{TRANSFORMS}{class}")});
    for (key, value) in config.as_object().into_iter().flatten() {
        chain[format!("transforms.t.{key}")] = value.clone();
    }
    Case { label: format!("{label} {config}"), json: json!({"chain": chain, "kind": "sink", "records": records}) }
}

fn record(schema: &Value, value: Value) -> Value {
    line(&(Value::Null, Value::Null), &(schema.clone(), value), 0)
}

/// Pieces in a row, now and then one changed.
fn pieces(random: &mut Random, all: &[&str], most: usize) -> String {
    (0..=random.below(most)).map(|_| *random.pick(all)).collect()
}

/// A text with a character left out, doubled or exchanged.
fn damaged(random: &mut Random, text: &str) -> String {
    let mut all: Vec<char> = text.chars().collect();
    if all.is_empty() || random.below(3) > 0 {
        return text.to_owned();
    }
    let at = random.below(all.len());
    match random.below(4) {
        0 => drop(all.remove(at)),
        1 => all.insert(at, all[at]),
        2 => all[at] = *random.pick(&['"', '\\', '{', ']', ',', ':', ' ', '0', '-', 'e', '\u{e4}']),
        _ => all.truncate(at),
    }
    all.into_iter().collect()
}

fn converter(class: &str, config: Value, direction: &str, role: &str, records: Vec<Value>) -> Case {
    let simple = class.rsplit('.').next().unwrap_or(class);
    let json = json!({"converter": class, "config": config, "direction": direction, "role": role, "records": records});
    Case { label: format!("{simple} {direction} {config}"), json }
}

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// A struct or an object whose field `v` is to be cast.
fn cast_from(random: &mut Random) -> Value {
    let parts = [
        "1", "0", "9", "12", "-", "+", ".", "e", "E5", " ", "_", "0x", "d", "f", "L", "NaN", "Infinity", "\u{ff11}",
        "true", ",",
    ];
    let text = |random: &mut Random| pieces(random, &parts, 4);
    let field = |of: &str| json!({"type": of, "optional": true, "field": "v"});
    let with = |schema: Value, value: Value| {
        record(&json!({"type": "struct", "fields": [schema], "optional": false}), json!({"v": value}))
    };
    let whole = |random: &mut Random| {
        let bits = random.below(usize::MAX) as i64;
        bits >> random.below(63)
    };
    match random.below(7) {
        0 | 1 => with(field("string"), json!(text(random))),
        2 => record(&Value::Null, json!({"v": text(random)})),
        3 => with(field("int64"), json!(whole(random))),
        4 => record(&Value::Null, json!({"v": whole(random)})),
        5 => with(field("double"), json!(whole(random) as f64 / [1.0, 3.0, 1e9, 1e-200][random.below(4)])),
        _ => record(&Value::Null, json!({"v": whole(random) as f64 / [1.0, 7.0, 1e12][random.below(3)]})),
    }
}

/// Fields by paths, quoted and not.
fn path(random: &mut Random) -> Case {
    let parts = ["a", "b", ".", "`a.b`", "`", "x", "a.b", "", "``", "\\`", " ", "a`b"];
    let (class, key) = *random.pick(&[
        ("ExtractField$Value", "field"),
        ("HoistField$Value", "field"),
        ("ValueToKey", "fields"),
        ("MaskField$Value", "fields"),
        ("ReplaceField$Value", "exclude"),
    ]);
    let mut config = json!({key: pieces(random, &parts, 4)});
    if class == "ExtractField$Value" {
        config["field.syntax.version"] = json!((["V1", "V2", "v2"][random.below(3)]));
    }
    let records = (0..10)
        .map(|at| {
            let (key, value) = (random.sample(1), random.sample(3));
            line(&key, &value, at)
        })
        .collect();
    transform(class, class, config, records)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
