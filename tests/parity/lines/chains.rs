//! Every transform and predicate with every setting, right and wrong.
//!
//! Enters: samples, `settings.jsonl`. Leaves: cases. Invariant: each setting stands there with its edge cases.

use serde_json::{Map, Value, json};

use super::samples::{self, Random, Sample, line};
use super::{Case, root};

/// Random chains.
const RANDOM_CHAINS: usize = 300;

pub fn cases() -> Vec<Case> {
    let records = records();
    let mut cases: Vec<Case> = configs().iter().flat_map(|config| of_config(config, &records)).collect();
    cases.extend(structure(&records));
    cases.extend(predicates(&records));
    cases
}

/// One transform and its settings. A class with `$` stands for both variants.
type Config = (String, Value);

/// All samples, as values and as keys.
fn records() -> Vec<Value> {
    let all = samples::all();
    let count = all.len();
    let one = |(index, sample): (usize, &Sample)| line(&all[(index * 7 + 3) % count], sample, index);
    all.iter().enumerate().map(one).collect()
}

fn of_config((class, config): &Config, records: &[Value]) -> Vec<Case> {
    let variants =
        if class.ends_with('$') { vec![format!("{class}Value"), format!("{class}Key")] } else { vec![class.clone()] };
    variants
        .into_iter()
        .map(|class| {
            let kind = if class.starts_with("InsertField") && config.get("offset.field").is_some() {
                "sink"
            } else {
                "source"
            };
            // Keys see a third of the samples, which is enough: the code is the same.
            let keys = if class.ends_with("Key") { 3 } else { 1 };
            let records: Vec<&Value> = seen(&class, config, records).into_iter().step_by(keys).collect();
            let mut chain =
                json!({"transforms": "t", "transforms.t.type": format!("org.apache.kafka.connect.transforms.{class}")});
            put(&mut chain, "transforms.t.", config);
            Case { label: format!("{class} {config}"), json: json!({"chain": chain, "kind": kind, "records": records}) }
        })
        .collect()
}

/// Samples that a transform can tell apart: not all of them for what looks at topics and headers, few without fields for
/// what looks at fields.
fn seen<'a>(class: &str, config: &Value, records: &'a [Value]) -> Vec<&'a Value> {
    let rest = ["InsertHeader", "DropHeaders", "RegexRouter", "TimestampRouter", "Filter"];
    if rest.contains(&class) {
        return records.iter().step_by(13).collect();
    }
    let names_fields = config.get("field").or(config.get("fields")).is_some()
        || config["spec"].as_str().is_some_and(|spec| spec.contains(':'))
        || class.starts_with("ReplaceField");
    let part = if class.ends_with("Key") { "key" } else { "value" };
    let has_fields = |record: &Value| record[part].is_object() || record[part].is_null();
    records.iter().enumerate().filter(|(at, r)| !names_fields || at % 9 == 0 || has_fields(r)).map(|(_, r)| r).collect()
}

fn put(chain: &mut Value, prefix: &str, config: &Value) {
    for (key, value) in config.as_object().unwrap() {
        chain[format!("{prefix}{key}")] = value.clone();
    }
}

/// `settings.jsonl`: every setting of every transform, right and wrong.
fn configs() -> Vec<Config> {
    let text = std::fs::read_to_string(root().join("tests/parity/settings.jsonl")).unwrap();
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["class"].as_str().unwrap().to_owned(), line["config"].clone())
    };
    text.lines().map(read).collect()
}

/// What `Values.parseString` is known to do odd things with.
pub const LITERALS: [&str; 93] = [
    "",
    " ",
    "null",
    " null ",
    "true",
    "false",
    "TRUE",
    " true ",
    "true}",
    "null=",
    "5",
    "-5",
    "+5",
    "007",
    "128",
    "-129",
    "32768",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1.0",
    "5.",
    "0.0",
    "1e3",
    "1e400",
    "1e40",
    "1.5",
    "0.1",
    "1.7976931348623157E308",
    "1e-400",
    "3.4028235E38",
    "0.1234567890123456789",
    ".5",
    "-",
    "+",
    "Infinity",
    "NaN",
    "1_000",
    "12px",
    "0x1F",
    "1.2.3",
    "10.0.0.1",
    "123e4567-e89b-12d3-a456-426614174000",
    "2019-08-23",
    "2019-13-45",
    "14:34:54.346Z",
    "14\\:34\\:54.346Z",
    "24:00:00.000Z",
    "2019-08-23T14:34:54.346Z",
    "2019-08-23T14\\:34\\:54.346Z",
    "abc",
    "\"abc\"",
    "\"abc",
    "broker:8080",
    "a,b",
    "a\\b",
    "[]",
    "{}",
    "[null]",
    "{3: null}",
    "[1, null]",
    "[1,2]",
    "[1, 300]",
    "[1, 1.5]",
    "[1, \"a\"]",
    "[\"a\", \"b\"]",
    "[\"a\\\"b\"]",
    "[foo]",
    "{a:1}",
    "{\"a\":1}",
    "{\"a\":1,\"b\":2.5}",
    "{\"a\":1,\"b\":\"x\"}",
    "{1:2,\"a\":3}",
    "{\"a\":[1,2]}",
    "[[1],[2]]",
    "[1,,]",
    "[1 2]",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,,}",
    "[\"2019-08-23\"]",
    "[true,false]",
    "[1",
    "{\"a\":1",
    " [1,2] ",
    " [1",
    " {a}",
    "10:20",
    "1,2,3",
    "5:abc",
    "14:34:54Z",
    "[1,2]x",
    "[{\"a\":1},{\"b\":\"x\"}]",
    "[[1],[\"a\"]]",
];

/// What a chain itself may have wrong, and what its predicates do.
fn structure(records: &[Value]) -> Vec<Case> {
    let few: Vec<&Value> = records.iter().step_by(9).collect();
    let drop_all = json!({"transforms": "f", "transforms.f.type": "Filter"});
    let guarded = |guard: &Value| {
        let mut chain = json!({
            "transforms": "f", "transforms.f.type": "Filter", "transforms.f.predicate": "p", "predicates": "p",
            "predicates.p.type": "RecordIsTombstone",
        });
        put(&mut chain, "", guard);
        chain
    };
    let chains = [
        json!({}),
        json!({"transforms": ""}),
        drop_all,
        json!({"transforms": "f"}),
        json!({"transforms": "f,f", "transforms.f.type": "Filter"}),
        json!({"transforms": "f", "transforms.f.type": "no.such.Transform"}),
        json!({"transforms": "f", "transforms.f.type": "org.apache.kafka.connect.transforms.MaskField"}),
        json!({"transforms": "f", "transforms.f.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}),
        json!({"transforms": " f , g ", "transforms.f.type": " RegexRouter ", "transforms.f.regex": "(.*)", "transforms.f.replacement": "x$1",
            "transforms.g.type": "Filter", "transforms.g.predicate": "p", "predicates": "p", "predicates.p.type": "TopicNameMatches", "predicates.p.pattern": "xa.*"}),
        guarded(&json!({})),
        guarded(&json!({"transforms.f.negate": "true"})),
        guarded(&json!({"transforms.f.negate": "TRUE"})),
        guarded(&json!({"transforms.f.negate": "perhaps"})),
        guarded(&json!({"transforms.f.predicate": "q"})),
        guarded(&json!({"predicates.p.type": "no.such.Predicate"})),
        guarded(
            &json!({"predicates": "p,q", "predicates.q.type": "HasHeaderKey", "predicates.q.name": "h", "transforms.f.predicate": "q"}),
        ),
        json!({"transforms": "f", "transforms.f.type": "Filter", "transforms.f.negate": "true"}),
        json!({"transforms": "f", "transforms.f.type": "Filter", "transforms.f.more": "ignored", "other": "key"}),
    ];
    chains
        .into_iter()
        .map(|chain| Case {
            label: format!("chain {chain}"),
            json: json!({"chain": chain, "kind": "sink", "records": few}),
        })
        .collect()
}

fn predicates(records: &[Value]) -> Vec<Case> {
    let few: Vec<&Value> = records.iter().step_by(2).collect();
    let of = |class: &str, config: Value| {
        let mut all = json!({"predicates": "p", "predicates.p.type": format!("org.apache.kafka.connect.transforms.predicates.{class}")});
        put(&mut all, "predicates.p.", &config);
        Case { label: format!("{class} {config}"), json: json!({"predicate": all, "kind": "sink", "records": few}) }
    };
    let mut cases = vec![
        of("RecordIsTombstone", json!({})),
        of("HasHeaderKey", json!({})),
        of("HasHeaderKey", json!({"name": ""})),
        of("HasHeaderKey", json!({"name": "h"})),
        of("HasHeaderKey", json!({"name": " H "})),
        of("HasHeaderKey", json!({"name": "missing"})),
        of("TopicNameMatches", json!({})),
    ];
    let patterns =
        ["", "orders", "ord", ".*", "a.*", "(a)b|x\\1", "(", "(?i)ORDERS", "[a-z]++", "orders.*(?<!v2)", "\\p{Alpha}+"];
    cases.extend(patterns.map(|pattern| of("TopicNameMatches", json!({"pattern": pattern}))));
    cases
}

/// Gives a step in three a predicate, half of those its opposite.
fn guard(random: &mut Random, chain: &mut Value, step: &str) {
    let predicates = [
        ("RecordIsTombstone", json!({})),
        ("HasHeaderKey", json!({"name": "h"})),
        ("HasHeaderKey", json!({"name": "x"})),
        ("TopicNameMatches", json!({"pattern": "orders.*"})),
        ("TopicNameMatches", json!({"pattern": "a?b|orders"})),
    ];
    if random.below(3) > 0 {
        return;
    }
    let (class, config) = random.pick(&predicates).clone();
    let alias = format!("p-{step}");
    let others = chain["predicates"].as_str().map_or(String::new(), |others| format!("{others},"));
    chain["predicates"] = json!(format!("{others}{alias}"));
    chain[format!("predicates.{alias}.type")] = json!(class);
    put(chain, &format!("predicates.{alias}."), &config);
    chain[format!("transforms.{step}.predicate")] = json!(alias);
    chain[format!("transforms.{step}.negate")] = json!(["true", "false"][random.below(2)]);
}

/// Chains of two to four steps on random records; `many` times as many as usual.
pub fn random(seed: u64, many: usize) -> Vec<Case> {
    let mut random = Random(seed);
    let configs: Vec<Config> = configs().into_iter().filter(|(class, _)| class != "Filter").collect();
    (0..RANDOM_CHAINS * many)
        .map(|index| {
            let steps = 1 + random.below(4);
            let names: Vec<String> = (0..steps).map(|step| format!("s{step}")).collect();
            let mut chain = Map::new();
            chain.insert("transforms".to_owned(), json!(names.join(",")));
            let mut chain = Value::Object(chain);
            for name in &names {
                let (class, config) = random.pick(&configs).clone();
                let suffix = if class.ends_with('$') { ["Value", "Key"][random.below(2)] } else { "" };
                chain[format!("transforms.{name}.type")] =
                    json!(format!("org.apache.kafka.connect.transforms.{class}{suffix}"));
                put(&mut chain, &format!("transforms.{name}."), &config);
                guard(&mut random, &mut chain, name);
            }
            let records: Vec<Value> = (0..20)
                .map(|at| {
                    let (key, value) = (random.sample(2), random.sample(3));
                    line(&key, &value, index + at)
                })
                .collect();
            let kind = ["sink", "source"][random.below(2)];
            Case {
                label: format!("random {index} {chain}"),
                json: json!({"chain": chain, "kind": kind, "records": records}),
            }
        })
        .collect()
}
