//! Generated schemas and values through each format and back.
//!
//! Enters: a sample, generated. Leaves: nothing. Invariant: what a sink gets is what a source gave, in JSON and in CBOR.

use std::hash::{Hash as _, Hasher as _};

use lockgate_convert::schema::Schema;
use lockgate_convert::value::Value;
use lockgate_model::batch::Encoding;
use proptest::prelude::*;

use crate::rig::{Rig, decoded, encoded};

/// A schema's text with a payload that fits it.
#[derive(Clone, Debug)]
struct Sample {
    schema: String,
    payload: String,
}

fn scalar() -> impl Strategy<Value = Sample> {
    let of = |schema: &str, payload: String| Sample { schema: schema.to_owned(), payload };
    let logical = |base: &str, name: &str| {
        format!("{{\"type\":\"{base}\",\"name\":\"org.apache.kafka.connect.data.{name}\",\"version\":1}}")
    };
    let decimal = "{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"}}";
    let (date, time, timestamp) = (logical("int32", "Date"), logical("int32", "Time"), logical("int64", "Timestamp"));
    prop_oneof![
        any::<i8>().prop_map(move |n| of("{\"type\":\"int8\"}", n.to_string())),
        any::<i16>().prop_map(move |n| of("{\"type\":\"int16\"}", n.to_string())),
        any::<i32>().prop_map(move |n| of("{\"type\":\"int32\"}", n.to_string())),
        any::<i64>().prop_map(move |n| of("{\"type\":\"int64\"}", n.to_string())),
        any::<bool>().prop_map(move |b| of("{\"type\":\"boolean\"}", b.to_string())),
        (-1e6_f32..1e6).prop_map(move |x| of("{\"type\":\"float\"}", format!("{x:?}"))),
        (-1e6_f64..1e6).prop_map(move |x| of("{\"type\":\"double\"}", format!("{x:?}"))),
        "[ -~äß☃]{0,12}".prop_map(move |s| of("{\"type\":\"string\"}", quoted(&s))),
        "([A-Za-z0-9+/]{4}){0,4}".prop_map(move |s| of("{\"type\":\"bytes\"}", quoted(&s))),
        any::<i16>().prop_map(move |n| of(decimal, decimal_payload(n))),
        (-200_000..200_000_i32).prop_map(move |n| of(&date, n.to_string())),
        (0..86_400_000_i32).prop_map(move |n| of(&time, n.to_string())),
        (-10_000_000_000_i64..10_000_000_000_000).prop_map(move |n| of(&timestamp, n.to_string())),
    ]
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    Value::String(text.to_owned()).to_json(None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn decimal_payload(unscaled: i16) -> String {
    let decimal = lockgate_convert::value::Decimal::parse(&format!("{unscaled}e-2")).unwrap();
    let schema =
        "{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"2\"}}";
    let mut out = Vec::new();
    Value::Decimal(decimal).to_json(Some(&Schema::parse(schema).unwrap()), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A scalar, an array of scalars, a map of scalars; perhaps optional and null.
fn field() -> impl Strategy<Value = Sample> {
    let optional = (scalar(), any::<bool>()).prop_map(|(sample, null)| Sample {
        schema: sample.schema.replacen('{', "{\"optional\":true,", 1),
        payload: if null { "null".to_owned() } else { sample.payload },
    });
    let array = (scalar(), 1..4_usize).prop_map(|(sample, count)| Sample {
        schema: format!("{{\"type\":\"array\",\"items\":{}}}", sample.schema),
        payload: format!("[{}]", vec![sample.payload; count].join(",")),
    });
    let map = scalar().prop_map(|sample| Sample {
        schema: format!("{{\"type\":\"map\",\"keys\":{{\"type\":\"string\"}},\"values\":{}}}", sample.schema),
        payload: format!("{{\"k\":{},\"ä\":{}}}", sample.payload, sample.payload),
    });
    let numbered = scalar().prop_map(|sample| Sample {
        schema: format!("{{\"type\":\"map\",\"keys\":{{\"type\":\"int32\"}},\"values\":{}}}", sample.schema),
        payload: format!("[[1,{}],[-2,{}]]", sample.payload, sample.payload),
    });
    prop_oneof![4 => scalar(), 3 => optional, 2 => array, 1 => map, 1 => numbered]
}

fn record(depth: u32) -> BoxedStrategy<Sample> {
    let inner = if depth == 0 { field().boxed() } else { prop_oneof![3 => field(), 1 => record(depth - 1)].boxed() };
    prop::collection::vec(inner, 1..5)
        .prop_map(move |fields| {
            let schema = |(n, f): (usize, &Sample)| f.schema.replacen('{', &format!("{{\"field\":\"f{n}\","), 1);
            let payload = |(n, f): (usize, &Sample)| format!("\"f{n}\":{}", f.payload);
            let schemas: Vec<_> = fields.iter().enumerate().map(schema).collect();
            let payloads: Vec<_> = fields.iter().enumerate().map(payload).collect();
            // Two structs have one name only if they are one.
            let mut hasher = std::hash::DefaultHasher::new();
            schemas.hash(&mut hasher);
            let name = format!("n.R{depth}x{:x}", hasher.finish());
            Sample {
                schema: format!("{{\"type\":\"struct\",\"name\":\"{name}\",\"fields\":[{}]}}", schemas.join(",")),
                payload: format!("{{{}}}", payloads.join(",")),
            }
        })
        .boxed()
}

/// Through the converter and back, in each encoding of the plugin.
fn returns(class: &str, settings: &[(&str, &str)], sample: &Sample) -> Result<(), TestCaseError> {
    let rig = Rig::new(class, settings);
    let schema = Schema::parse(&sample.schema).unwrap();
    let text = schema.to_json();
    let value = Value::from_json(sample.payload.as_bytes(), Some(&schema)).unwrap();
    let (mut json, mut cbor) = (Vec::new(), Vec::new());
    value.to_json(Some(&schema), &mut json).unwrap();
    value.to_cbor(Some(&schema), &mut cbor).unwrap();
    for (encoding, payload) in [(Encoding::Json, &json), (Encoding::Cbor, &cbor)] {
        let bytes = encoded(&mut rig.encode(encoding), Some(payload), &text);
        let bytes = bytes.map_err(|e| TestCaseError::fail(format!("{class}: {e}")))?;
        let (back, found) = decoded(&mut rig.decode(encoding), bytes.as_deref())
            .map_err(|e| TestCaseError::fail(format!("{class} reads: {e}")))?;
        let found = Schema::parse(&found).unwrap();
        let back = back.unwrap();
        let back = if encoding == Encoding::Json {
            Value::from_json(&back, Some(&found))
        } else {
            Value::from_cbor(&back, Some(&found))
        };
        let mut again = Vec::new();
        back.unwrap().to_json(Some(&found), &mut again).unwrap();
        prop_assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(json.clone()).unwrap(), "{}", class);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_come_back_from_json_with_schemas(sample in record(2)) {
        returns("JsonConverter", &[], &sample)?;
    }

    #[test]
    fn records_come_back_from_avro(sample in record(2)) {
        returns("AvroConverter", &[], &sample)?;
    }

    #[test]
    fn records_come_back_from_protobuf(sample in record(2)) {
        returns("ProtobufConverter", &[("optional.for.nullables", "true")], &sample)?;
    }

    #[test]
    fn records_come_back_from_json_schema(sample in record(2)) {
        returns("JsonSchemaConverter", &[("json.fail.invalid.schema", "true")], &sample)?;
    }

    #[test]
    fn single_values_come_back_from_all_that_take_them(sample in scalar()) {
        for class in ["JsonConverter", "AvroConverter", "JsonSchemaConverter"] {
            returns(class, &[], &sample)?;
        }
        if !sample.schema.contains("name") && !sample.schema.contains("int8") && !sample.schema.contains("int16") {
            returns("ProtobufConverter", &[], &sample)?;
        }
    }
}
