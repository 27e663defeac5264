//! Rows of the reference on `Values.parseString`: text, value, schema type.
#![allow(clippy::unwrap_used)]

use super::{parse, print};
use crate::schema::Type;
use crate::value::{Decimal, Value};

fn check(text: &str, value: &Value) {
    let (schema, parsed) = parse(text);
    assert_eq!(parsed, *value, "{text:?}");
    assert_eq!(schema.is_none(), *value == Value::Null, "{text:?}");
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn words_and_numbers_are_typed_by_their_text() {
    check("null", &Value::Null);
    check(" null ", &Value::Null);
    check("true", &Value::Boolean(true));
    check(" false", &Value::Boolean(false));
    check("42", &Value::Int8(42));
    check("007", &Value::Int8(7));
    check("+5", &Value::Int8(5));
    check("-300", &Value::Int16(-300));
    check("70000", &Value::Int32(70_000));
    check("5000000000", &Value::Int64(5_000_000_000));
    check("9223372036854775808", &Value::Decimal(Decimal::parse("9223372036854775808").unwrap()));
    check("1e400", &Value::Decimal(Decimal::parse("1e400").unwrap()));
    check("1.0", &Value::Int8(1));
    check("5.", &Value::Int8(5));
    check("0.0", &Value::Int8(0));
    check("1e3", &Value::Int16(1000));
    check("1.5", &Value::Float32(1.5));
    check("1.5e300", &Value::Float64(1.5e300));
    check("1e20", &Value::Float32(1e20));
    check("1.5e-300", &Value::Float32(0.0));
    check("1e-100000000", &Value::Float32(0.0));
    check("10:20", &Value::Int8(10));
    check("2020-02-30", &Value::Date(18_322));
}

#[test]
fn everything_else_stays_the_string_it_was() {
    for text in
        ["", "  ", ".5", "-", "+", "Infinity", "NaN", "1_000", "12px", "0x1F", "1.2.3", "TRUE", "true}", "null="]
    {
        check(text, &string(text));
    }
    for text in
        ["\"abc\"", "broker:8080", "[foo]", "{a:1}", "[1, null]", "[null, 1]", "[1,,]", "[1", "[1 2]", "é1", "10é"]
    {
        check(text, &string(text));
    }
    check(" [1,", &string(" [1,"));
    let deep = "[".repeat(100_000);
    check(&deep, &string(&deep));
}

#[test]
fn arrays_and_maps_find_their_common_type() {
    let (schema, value) = parse("[1, 300]");
    assert_eq!(value, Value::Array(vec![Value::Int16(1), Value::Int16(300)]));
    let schema = schema.unwrap();
    let Type::Array(Some(items)) = schema.of() else { panic!("array") };
    assert_eq!(*items.of(), Type::Int16);
    assert_eq!(parse("[1, 1.5]").1, Value::Array(vec![Value::Float32(1.0), Value::Float32(1.5)]));
    assert_eq!(parse("[null]").0.unwrap().of(), &Type::Array(None));
    assert_eq!(parse("[]").0.unwrap().of(), &Type::Array(None));
    assert_eq!(parse("[1,\"a\"]").0.unwrap().of(), &Type::Array(None));
    assert_eq!(parse("{}").0.unwrap().of(), &Type::Map(None, None));
    let entry = |k: &str, n| (string(k), Value::Int8(n));
    assert_eq!(parse("{\"a\":1 \"b\":2}").1, Value::Map(vec![entry("a", 1), entry("b", 2)]));
    assert_eq!(parse("[\"a\\\"b\"]").1, Value::Array(vec![string("a\\\"b")]));
    assert_eq!(parse("[\"1970-01-02\"]").1, Value::Array(vec![Value::Date(1)]));
    assert_eq!(parse("[1,2]x").1, Value::Array(vec![Value::Int8(1), Value::Int8(2)]));
}

#[test]
fn printing_quotes_strings_only_inside() {
    let mut out = String::new();
    print(&string("a\"b"), None, false, &mut out);
    assert_eq!(out, "a\"b");
    out.clear();
    print(
        &Value::Map(vec![(string("k\"\\"), Value::Array(vec![Value::Null, Value::Float64(1e7)]))]),
        None,
        false,
        &mut out,
    );
    assert_eq!(out, "{\"k\\\"\\\\\":[null,1.0E7]}");
}

/// Rows that are about the form of the text, and about what is kept of it.
#[test]
fn dates_times_and_nested_values_are_found() {
    check("12:34:56.789Z", &Value::Time(45_296_789));
    check("24:00:00.000Z", &Value::Time(86_400_000));
    check("2020-01-02T03:04:05.006Z", &Value::Timestamp(1_577_934_245_006));
    check("2020-01-02T03\\:04\\:05.006Z", &Value::Timestamp(1_577_934_245_006));
    check("2019-13-45", &Value::Date(18_306));
    check("1,2,3", &Value::Int8(1));
    check("5:abc", &Value::Int8(5));
    check("14:34:54Z", &Value::Int8(14));
    check("12.5:x", &Value::Float32(12.5));
    check("400000000000000000000000000000000000000.5", &Value::Float64(4e38));
    check("127", &Value::Int8(127));
    check("128", &Value::Int16(128));
    check("-128", &Value::Int8(-128));
    check("32768", &Value::Int32(32_768));
    check("2147483648", &Value::Int64(2_147_483_648));
    check("9223372036854775807", &Value::Int64(i64::MAX));
    let nested = parse("{\"a\":[1,2],\"b\":[3]}").1;
    let list = |items: &[i8]| Value::Array(items.iter().map(|n| Value::Int8(*n)).collect());
    assert_eq!(nested, Value::Map(vec![(string("a"), list(&[1, 2])), (string("b"), list(&[3]))]));
    for text in
        ["550e8400-e29b-41d4-a716-446655440000", "192.168.0.1", "{\"a\":1,,\"b\":2}", "{null:1}", "[\"a\",null]"]
    {
        check(text, &string(text));
    }
    let Type::Map(Some(keys), None) = parse("{\"a\":1,\"b\":\"x\"}").0.unwrap().of().clone() else { panic!("map") };
    assert_eq!(*keys.of(), Type::String);
    assert!(matches!(parse("{\"a\":1,2:3}").0.unwrap().of(), Type::Map(None, None)));
    assert!(matches!(parse("{3:null}").0.unwrap().of(), Type::Map(Some(_), None)));
}

#[test]
fn printing_uses_the_forms_of_java_and_dates_by_magnitude() {
    let text = |value: Value| {
        let mut out = String::new();
        print(&value, None, false, &mut out);
        out
    };
    assert_eq!(text(Value::Bytes(vec![0, 0x9c])), "AJw=");
    assert_eq!(text(Value::Array(vec![Value::Date(1), Value::Boolean(true)])), "[1970-01-02,true]");
    assert_eq!(text(Value::Date(0)), "00:00:00.000Z");
    assert_eq!(text(Value::Timestamp(-1)), "23:59:59.999Z");
    assert_eq!(text(Value::Decimal(Decimal::parse("1e3").unwrap())), "1E+3");
    assert_eq!(text(Value::Decimal(Decimal::parse("0.0000001").unwrap())), "1E-7");
    assert_eq!(text(Value::Float32(1.0e-4)), "1.0E-4");
    assert_eq!(text(Value::Null), "null");
}
