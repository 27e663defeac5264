//! Values with and without schemas: every type, at its ends, null, with defaults, nested.
//!
//! Enters: a seed for those that are random. Leaves: (schema, value) pairs and records. Invariant: a value fits its schema,
//! so that what fails is what is asked of it.

use serde_json::{Value, json};

/// A schema and a value of it; no schema is `null`.
pub type Sample = (Value, Value);

/// A field of a struct.
pub fn field(name: &str, mut schema: Value) -> Value {
    schema["field"] = json!(name);
    schema
}

/// A required struct.
pub fn record(fields: Vec<Value>) -> Value {
    json!({"type": "struct", "fields": fields, "optional": false})
}

/// The same schema, with other attributes.
pub fn with(mut schema: Value, attributes: Value) -> Value {
    for (key, value) in attributes.as_object().unwrap() {
        schema[key] = value.clone();
    }
    schema
}

fn of(name: &str) -> Value {
    json!({"type": name, "optional": false})
}

fn logical(name: &str) -> Value {
    let of = match name {
        "Decimal" => "bytes",
        "Timestamp" => "int64",
        _ => "int32",
    };
    let mut schema = json!({
        "type": of, "optional": false, "name": format!("org.apache.kafka.connect.data.{name}"), "version": 1
    });
    if name == "Decimal" {
        schema["parameters"] = json!({"scale": "2"});
    }
    schema
}

fn decimal(scale: &str) -> Value {
    with(logical("Decimal"), json!({"parameters": {"scale": scale}}))
}

/// Name, schema, values, a default.
type Typed = (&'static str, Value, Vec<Value>, Value);

/// One of each type.
pub fn types() -> Vec<Typed> {
    [scalar_types(), logical_types(), nested_types()].concat()
}

fn scalar_types() -> Vec<Typed> {
    vec![
        ("i8", of("int8"), vec![json!(7), json!(-128), json!(127), json!(0)], json!(3)),
        ("i16", of("int16"), vec![json!(300), json!(-32768), json!(32767)], json!(4)),
        ("i32", of("int32"), vec![json!(70_000), json!(i32::MIN), json!(i32::MAX), json!(-1)], json!(5)),
        ("i64", of("int64"), vec![json!(5_000_000_000_i64), json!(i64::MIN), json!(i64::MAX), json!(1)], json!(6)),
        (
            "f32",
            of("float"),
            vec![json!(1.5), json!(-0.1), json!(1e10), json!(300.7), json!(0.0), json!("NaN")],
            json!(2.5),
        ),
        (
            "f64",
            of("double"),
            vec![
                json!(0.001),
                json!(1e7),
                json!(-2.5e-9),
                json!(9_999_999.0),
                json!(1e300),
                json!(0.5),
                json!("-Infinity"),
            ],
            json!(3.5),
        ),
        ("bool", of("boolean"), vec![json!(true), json!(false)], json!(true)),
        (
            "str",
            of("string"),
            [
                "text",
                "",
                "12",
                "-7",
                "1.5",
                "true",
                "TRUE",
                "300",
                " 8 ",
                "2020-02-30",
                "1e3",
                "NaN",
                "\u{e4}\u{1f600}\"\\/",
            ]
            .map(|s| json!(s))
            .to_vec(),
            json!("default"),
        ),
        ("bytes", of("bytes"), vec![json!("AQID"), json!("")], json!("/w==")),
    ]
}

fn logical_types() -> Vec<Typed> {
    vec![
        (
            "dec",
            logical("Decimal"),
            vec![json!("AJw="), json!("/2Q="), json!("AA=="), json!("A+gAAAAAAAAAAA==")],
            json!("AQ=="),
        ),
        ("dec0", decimal("0"), vec![json!("BQ=="), json!("/w==")], json!("AQ==")),
        ("neg", decimal("-2"), vec![json!("BQ=="), json!("AA==")], json!("/w==")),
        ("date", logical("Date"), vec![json!(0), json!(18_262), json!(-1), json!(-200_000)], json!(1)),
        ("time", logical("Time"), vec![json!(0), json!(3_723_004), json!(86_399_999)], json!(2)),
        (
            "ts",
            logical("Timestamp"),
            vec![json!(0), json!(1_600_000_000_123_i64), json!(-1), json!(86_400_000), json!(-86_400_001)],
            json!(3),
        ),
    ]
}

fn nested_types() -> Vec<Typed> {
    let inner = record(vec![field("x", of("int32")), field("y", with(of("string"), json!({"optional": true})))]);
    vec![
        (
            "arr",
            json!({"type": "array", "items": of("int32"), "optional": false}),
            vec![json!([1, 2]), json!([])],
            json!([9]),
        ),
        (
            "map",
            json!({"type": "map", "keys": of("string"), "values": of("int32"), "optional": false}),
            vec![json!({"k": 1}), json!({})],
            json!({"d": 1}),
        ),
        (
            "imap",
            json!({"type": "map", "keys": of("int32"), "values": with(of("string"), json!({"optional": true})), "optional": false}),
            vec![json!([[1, "a"], [2, null]]), json!([])],
            Value::Null,
        ),
        ("st", inner, vec![json!({"x": 1, "y": "in"}), json!({"x": -5, "y": null})], Value::Null),
    ]
}

/// Names of the fields of [`wide`].
pub fn names() -> Vec<&'static str> {
    types().into_iter().map(|(name, ..)| name).collect()
}

fn optional(schema: &Value) -> Value {
    with(schema.clone(), json!({"optional": true}))
}

/// A struct with a field of each type, and one value for each round; `nulls` makes all of them null.
fn wide() -> Vec<Sample> {
    let all = types();
    let rounds = all.iter().map(|(_, _, values, _)| values.len()).max().unwrap_or(0);
    let required = record(all.iter().map(|(name, schema, ..)| field(name, schema.clone())).collect());
    let value = |round: usize| -> Value {
        all.iter().map(|(name, _, values, _)| ((*name).to_owned(), values[round % values.len()].clone())).collect()
    };
    let mut samples: Vec<Sample> = (0..rounds).map(|round| (required.clone(), value(round))).collect();
    let nullable = record(all.iter().map(|(name, schema, ..)| field(name, optional(schema))).collect());
    let nulls: Value = all.iter().map(|(name, ..)| ((*name).to_owned(), Value::Null)).collect();
    samples.push((nullable.clone(), nulls.clone()));
    samples.push((nullable.clone(), json!({})));
    samples.push((nullable, value(1)));
    let defaults = |is_optional: bool| {
        let fields = all.iter().map(|(name, schema, _, default)| {
            let schema = with(schema.clone(), json!({"optional": is_optional || default.is_null()}));
            field(name, if default.is_null() { schema } else { with(schema, json!({"default": default})) })
        });
        record(fields.collect())
    };
    for is_optional in [true, false] {
        samples.push((defaults(is_optional), nulls.clone()));
        samples.push((defaults(is_optional), value(2)));
    }
    let attributes = json!({"name": "com.acme.Row", "version": 3, "doc": "a row", "parameters": {"p": "1", "q": ""}});
    samples.push((with(required.clone(), attributes), value(0)));
    samples.push((optional(&required), Value::Null));
    samples.push((optional(&required), value(0)));
    samples
}

fn nested() -> Vec<Sample> {
    let leaf = |is_optional: bool| with(of("string"), json!({"optional": is_optional}));
    let inner = |is_optional: bool| {
        with(record(vec![field("x", of("int32")), field("y", leaf(true))]), json!({"optional": is_optional}))
    };
    let outer = record(vec![field("a", inner(false)), field("b", inner(true)), field("c", leaf(false))]);
    let deep = record(vec![
        field("p", record(vec![field("q", record(vec![field("r", of("int64")), field("s.t", leaf(true))]))])),
        field("p.q", of("int32")),
    ]);
    let clash = record(vec![field("a", record(vec![field("b", of("int32"))])), field("a.b", of("int32"))]);
    let with_default = with(inner(true), json!({"name": "Inner"}));
    let items = json!({"type": "array", "items": inner(false), "optional": true});
    let lists = record(vec![field("l", items), field("a", with_default), field("str", leaf(false))]);
    vec![
        (outer.clone(), json!({"a": {"x": 1, "y": "q"}, "b": {"x": 2, "y": null}, "c": "z"})),
        (outer.clone(), json!({"a": {"x": 1, "y": null}, "b": null, "c": "z"})),
        (optional(&outer), json!({"a": {"x": 1, "y": null}, "b": null, "c": "z"})),
        (optional(&outer), Value::Null),
        (deep, json!({"p": {"q": {"r": 5, "s.t": "u"}}, "p.q": 6})),
        (clash, json!({"a": {"b": 1}, "a.b": 2})),
        (lists.clone(), json!({"l": [{"x": 1, "y": "q"}], "a": {"x": 3, "y": null}, "str": "s"})),
        (lists, json!({"l": null, "a": null, "str": "s"})),
        (record(vec![]), json!({})),
    ]
}

/// Values that are no structs, under schemas.
pub fn scalars() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (_, schema, values, default) in types() {
        samples.extend(values.into_iter().map(|value| (schema.clone(), value)));
        samples.push((optional(&schema), Value::Null));
        if !default.is_null() {
            samples.push((with(optional(&schema), json!({"default": default})), Value::Null));
            samples.push((with(schema.clone(), json!({"default": default, "doc": "d"})), Value::Null));
        }
    }
    samples
}

/// Without a schema.
pub fn plain() -> Vec<Sample> {
    let values = [
        json!(null),
        json!({}),
        json!({"a": 1}),
        json!({"a": null}),
        json!({"str": "text", "i64": 5, "f64": 1.5, "bool": true, "a": {"x": 1, "y": "q"}, "arr": [1, "two"], "n": null}),
        json!({"str": "12", "i64": 300, "f64": 300.7, "bool": false, "a": {"x": {"z": []}, "b": {}}, "arr": [], "st": {"x": 1}}),
        json!({"str": "", "i64": -1, "f64": 1e7, "date": 18_262, "ts": 1_600_000_000_123_i64, "i32": 0, "": "empty", "a.b": 1}),
        json!({"str": "2020-02-30", "i64": 1_600_000_000_i64, "f64": 0.0001, "ts": "2020-01-01T00:00:00.000Z", "bool": "TRUE"}),
        json!({"str": "NaN", "i64": i64::MAX, "f64": 0.25, "ts": null, "map": {"k": null}, "dec": 1.25}),
        json!({"\u{e4} \u{1f600}": "\"\\/\u{1}", "str": " 8 ", "a": [{"b": 1}, {"b": null}]}),
        json!({"a": {"b": {"c": {"d": 1}}}, "a.b": 7, "p": {"q": {"r": 5}}, "p.q": 6}),
        json!("text"),
        json!(""),
        json!("12"),
        json!("2020-01-01"),
        json!(5),
        json!(-1),
        json!(1_600_000_000_123_i64),
        json!(1.5),
        json!(1e10),
        json!(true),
        json!([]),
        json!([1, null, "x", {"a": 1}]),
    ];
    values.into_iter().map(|value| (Value::Null, value)).collect()
}

/// All of them.
pub fn all() -> Vec<Sample> {
    [plain(), wide(), nested(), scalars()].concat()
}

/// A record with a sample as its value, another as its key.
pub fn line(key: &Sample, value: &Sample, index: usize) -> Value {
    let topic = ["orders", "a-b.c_1", "ab", "orders-eu.v2"][index % 4];
    let header = |key: &str, sample: &Sample| json!({"key": key, "schema": sample.0, "value": sample.1});
    let string: Sample = (json!({"type": "string", "optional": false}), json!("v"));
    let headers = match index % 3 {
        0 => json!([]),
        1 => json!([header("h", &string), header("H", &(Value::Null, Value::Null))]),
        _ => json!([
            header("h", &string),
            header("g", &(json!({"type": "int8", "optional": false}), json!(5))),
            header("h", &string)
        ]),
    };
    let timestamp = [json!(1_600_000_000_123_i64), json!(0), Value::Null][index % 3].clone();
    json!({
        "topic": topic, "partition": index % 5, "offset": index, "timestamp": timestamp,
        "keySchema": key.0, "key": key.1, "valueSchema": value.0, "value": value.1, "headers": headers,
    })
}

/// Numbers that look random and are the same in every run.
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A schema with a value, at most so deep.
    pub fn sample(&mut self, depth: usize) -> Sample {
        if self.below(4) == 0 {
            return (Value::Null, self.plain(depth));
        }
        let fields: Vec<(String, Sample)> = (0..1 + self.below(6)).map(|_| (self.name(), self.typed(depth))).collect();
        self.structure(fields)
    }

    fn structure(&mut self, fields: Vec<(String, Sample)>) -> Sample {
        let mut seen: Vec<(String, Sample)> = Vec::new();
        for (name, sample) in fields {
            if !seen.iter().any(|(other, _)| *other == name) {
                seen.push((name, sample));
            }
        }
        let schema = record(seen.iter().map(|(name, (schema, _))| field(name, schema.clone())).collect());
        let value = seen.into_iter().map(|(name, (_, value))| (name, value)).collect();
        let attributes =
            [json!({}), json!({"name": "R", "version": 2}), json!({"optional": true}), json!({"doc": "d"})];
        let schema = with(schema, self.pick(&attributes).clone());
        let is_null = schema["optional"] == true && self.below(3) == 0;
        (schema, if is_null { Value::Null } else { value })
    }

    fn name(&mut self) -> String {
        let mut all = names();
        all.extend(["a", "b", "a.b", "x", "y"]);
        (*self.pick(&all)).to_owned()
    }

    fn typed(&mut self, depth: usize) -> Sample {
        if depth > 0 && self.below(5) == 0 {
            let fields = (0..1 + self.below(4)).map(|_| (self.name(), self.typed(depth - 1))).collect();
            return self.structure(fields);
        }
        if depth > 0 && self.below(8) == 0 {
            let ((schema, value), count) = (self.typed(depth - 1), self.below(3));
            let optional = self.below(2) == 0;
            if self.below(2) == 0 {
                return (json!({"type": "array", "items": schema, "optional": optional}), json!(vec![value; count]));
            }
            let entries: Value = ["k", "l"][..count].iter().map(|key| ((*key).to_owned(), value.clone())).collect();
            return (json!({"type": "map", "keys": of("string"), "values": schema, "optional": optional}), entries);
        }
        let all = types();
        let (_, schema, values, default) = self.pick(&all).clone();
        let value = self.pick(&values).clone();
        match self.below(6) {
            0 => (optional(&schema), Value::Null),
            1 => (optional(&schema), value),
            2 if !default.is_null() => (with(optional(&schema), json!({"default": default})), Value::Null),
            3 if !default.is_null() => (with(schema, json!({"default": default})), value),
            _ => (schema, value),
        }
    }

    fn plain(&mut self, depth: usize) -> Value {
        match self.below(if depth > 0 { 8 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.below(1000)),
            2 => json!(["text", "12", "1.5", "true", ""][self.below(5)]),
            3 => json!(self.below(2) == 0),
            4 => json!(self.below(1000) as f64 / 8.0),
            5 => json!(-(self.below(100_000) as i64)),
            6 => (0..self.below(4)).map(|_| self.plain(depth - 1)).collect(),
            _ => (0..self.below(5)).map(|_| (self.name(), self.plain(depth - 1))).collect(),
        }
    }
}
