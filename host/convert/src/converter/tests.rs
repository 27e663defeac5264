//! Configuration and negotiation, row by row.
#![allow(clippy::unwrap_used)]

use indexmap::IndexMap;
use lockgate_model::batch::Encoding::{self, Bytes, Cbor, Json};

use super::{ConvertConfigError, Converter, DecimalFormat, Kind, Role, negotiate};

fn configure(class: &str, settings: &[(&str, &str)], role: Role) -> Result<Converter, ConvertConfigError> {
    let settings: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Converter::configure(class, &settings, role)
}

#[test]
fn class_names_are_those_of_kafka_in_full_simple_and_pruned() {
    for (class, short) in [
        ("org.apache.kafka.connect.json.JsonConverter", "Json"),
        ("org.apache.kafka.connect.storage.StringConverter", "String"),
        ("org.apache.kafka.connect.converters.ByteArrayConverter", "ByteArray"),
        ("org.apache.kafka.connect.converters.BooleanConverter", "Boolean"),
        ("org.apache.kafka.connect.converters.ShortConverter", "Short"),
        ("org.apache.kafka.connect.converters.IntegerConverter", "Integer"),
        ("org.apache.kafka.connect.converters.LongConverter", "Long"),
        ("org.apache.kafka.connect.converters.FloatConverter", "Float"),
        ("org.apache.kafka.connect.converters.DoubleConverter", "Double"),
        ("org.apache.kafka.connect.storage.SimpleHeaderConverter", "SimpleHeader"),
    ] {
        let simple = class.rsplit('.').next().unwrap();
        for name in [class, simple, short] {
            assert_eq!(configure(name, &[], Role::Header).unwrap().class(), class);
        }
    }
    assert_eq!(configure("com.example.Json", &[], Role::Key).unwrap_err().code(), "converter.unknown");
    assert_eq!(configure("SimpleHeaderConverter", &[], Role::Value).unwrap_err().code(), "converter.role");
}

#[test]
fn settings_are_checked_all_at_once() {
    let bad =
        [("schemas.enable", "yes"), ("decimal.format", "HEX"), ("schemas.cache.size", "many"), ("schema.content", "{")];
    let Err(ConvertConfigError::Settings(problems)) = configure("JsonConverter", &bad, Role::Value) else {
        panic!("four problems")
    };
    assert_eq!(problems.len(), 4);
    let good = [("schemas.enable", " FALSE "), ("decimal.format", "numeric"), ("unknown", "x"), ("schema.content", "")];
    let converter = configure("JsonConverter", &good, Role::Value).unwrap();
    let Kind::Json(options) = converter.kind() else { panic!("json") };
    assert!(!options.schemas_enable && options.replace_null_with_default);
    assert_eq!(options.decimal_format, DecimalFormat::Numeric);
    assert!(configure("StringConverter", &[("converter.encoding", "EBCDIC")], Role::Key).is_err());
}

#[test]
fn negotiation_avoids_work() {
    let table: [(&str, &[Encoding], Encoding); 9] = [
        ("JsonConverter", &[Bytes, Json], Json),
        ("JsonConverter", &[Bytes], Bytes),
        ("JsonConverter", &[Bytes, Cbor], Cbor),
        ("StringConverter", &[Json, Bytes], Bytes),
        ("ByteArrayConverter", &[Cbor, Json], Cbor),
        ("IntegerConverter", &[Bytes, Json], Json),
        ("SimpleHeaderConverter", &[Bytes, Json], Bytes),
        ("SimpleHeaderConverter", &[Json, Bytes], Json),
        ("LongConverter", &[], Bytes),
    ];
    for (class, accepted, encoding) in table {
        let converter = configure(class, &[], Role::Header).unwrap();
        assert_eq!(negotiate(&converter, accepted), encoding, "{class} {accepted:?}");
    }
}
