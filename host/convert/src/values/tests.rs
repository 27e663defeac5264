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
    check("1.5e300", &Value::Decimal(Decimal::parse("1.5e300").unwrap()));
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
