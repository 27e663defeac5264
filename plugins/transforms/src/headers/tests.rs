//! Rows of the reference on header transforms.
#![allow(clippy::unwrap_used)]

use super::{DropHeaders, HeaderFrom, InsertHeader};
use crate::class::Class as _;
use crate::record::{Part, Record as _};
use crate::testing::{Fake, configure};

#[test]
fn headers_are_dropped_by_exact_name_in_order() {
    let mut record = Fake::new(None, "");
    for name in ["a", "b", "A", "a", "c"] {
        record.add_header(name, None, 0);
    }
    let mut drop = configure::<DropHeaders>(Part::Value, &[("headers", "a, c")]).unwrap();
    assert_eq!(drop.apply(&mut record), Ok(true));
    assert_eq!(record.headers.iter().map(|h| h.0.as_str()).collect::<Vec<_>>(), ["b", "A"]);
    assert!(configure::<DropHeaders>(Part::Value, &[]).is_err());
}

#[test]
fn an_inserted_header_is_typed_by_its_literal() {
    let mut record = Fake::new(None, "");
    for (text, value, of) in [(" 5 ", Some("5"), "int8"), ("a", Some("\"a\""), "string"), ("null", None, "")] {
        let pairs = [("header", "h"), ("value.literal", text)];
        configure::<InsertHeader>(Part::Value, &pairs).unwrap().apply(&mut record).unwrap();
        let schema = if of.is_empty() { String::new() } else { format!(r#"{{"type":"{of}","optional":false}}"#) };
        let last = record.headers.len() - 1;
        assert_eq!(record.header(last), ("h".to_owned(), value.map(str::to_owned), schema));
    }
    assert_eq!(record.headers.len(), 3);
    assert_eq!(configure::<InsertHeader>(Part::Value, &[]).unwrap_err().len(), 2);
}

#[test]
fn fields_are_copied_or_moved_into_headers() {
    let pairs = |operation| [("fields", "a,m,a"), ("headers", "h1,h2,h3"), ("operation", operation)];
    for (operation, rest) in [("copy", r#"{"a":"x","b":1}"#), ("move", r#"{"b":1}"#)] {
        let mut record = Fake::new(Some(r#"{"a":"x","b":1}"#), "");
        configure::<HeaderFrom>(Part::Value, &pairs(operation)).unwrap().apply(&mut record).unwrap();
        assert_eq!(record.text(Part::Value).unwrap(), rest);
        let header = |i: usize| record.header(i).1;
        assert_eq!((header(0), header(1), header(2)), (Some("\"x\"".to_owned()), None, Some("\"x\"".to_owned())));
    }
}

#[test]
fn headers_from_structs_take_the_fields_schema() {
    let schema = r#"{"type":"struct","fields":[{"type":"int8","optional":false,"field":"a"},{"type":"int8","optional":true,"field":"b"}],"optional":true,"name":"N"}"#;
    let mut record = Fake::new(Some(r#"{"a":1,"b":null}"#), schema);
    let pairs = [("fields", "a"), ("headers", "h"), ("operation", "move")];
    configure::<HeaderFrom>(Part::Value, &pairs).unwrap().apply(&mut record).unwrap();
    assert_eq!(record.header(0).2, r#"{"type":"int8","optional":false}"#);
    assert_eq!(record.text(Part::Value).unwrap(), r#"{"b":null}"#);
    let rest =
        r#"{"type":"struct","fields":[{"type":"int8","optional":true,"field":"b"}],"optional":false,"name":"N"}"#;
    assert_eq!(record.schema(Part::Value), rest);
    let mut missing =
        configure::<HeaderFrom>(Part::Value, &[("fields", "z"), ("headers", "h"), ("operation", "copy")]).unwrap();
    assert!(missing.apply(&mut Fake::new(Some("{}"), schema)).is_err());
    assert!(missing.apply(&mut Fake::new(None, "")).is_err());
}

#[test]
fn unequal_lists_and_unknown_operations_are_problems() {
    let pairs = [("fields", "a,b"), ("headers", "h"), ("operation", "Move")];
    assert_eq!(configure::<HeaderFrom>(Part::Value, &pairs).unwrap_err().len(), 2);
    assert!(configure::<HeaderFrom>(Part::Value, &[]).unwrap_err().len() >= 3);
}
