//! Protobuf by table, against another implementation of the wire format, and by properties.

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FileDescriptor};

use super::options::ProtobufOptions;
use super::to_connect::{Readable, compile};
use super::{from_connect, index, parse, write};
use crate::emit::{CborBytes, JsonText};
use crate::fault::{DataFault, Result};
use crate::schema::Schema;
use crate::value::Value;

fn options(set: impl FnOnce(&mut ProtobufOptions)) -> ProtobufOptions {
    let mut options = ProtobufOptions::default();
    set(&mut options);
    options
}

fn file(body: &str) -> FileDescriptor {
    let text =
        if body.contains("syntax") { body.to_owned() } else { format!("syntax = \"proto3\";\npackage t;\n{body}") };
    parse::parse(&text, &[]).unwrap()
}

fn readable(file: &FileDescriptor, options: &ProtobufOptions) -> Readable {
    compile(&index::resolve(file, &[0]).unwrap(), options, None).unwrap()
}

/// The bytes of the first message, from Protobuf's text form, by the crate's own codec.
fn bytes(file: &FileDescriptor, text: &str) -> Vec<u8> {
    let message = index::resolve(file, &[0]).unwrap();
    DynamicMessage::parse_text_format(message, text).unwrap().encode_to_vec()
}

fn json(readable: &Readable, bytes: &[u8]) -> Result<String> {
    let (mut scratch, mut out) = (Vec::new(), Vec::new());
    readable.read(bytes, &mut scratch, &mut JsonText(&mut out))?;
    Ok(String::from_utf8(out).unwrap())
}

/// JSON and CBOR say the same, and it fits the schema.
fn payload(readable: &Readable, bytes: &[u8]) -> Result<String> {
    let text = json(readable, bytes)?;
    let (mut scratch, mut out) = (Vec::new(), Vec::new());
    readable.read(bytes, &mut scratch, &mut CborBytes(&mut out))?;
    let of_cbor = Value::from_cbor(&out, Some(&readable.schema)).unwrap();
    let of_json = Value::from_json(text.as_bytes(), Some(&readable.schema)).unwrap();
    assert_eq!(format!("{of_cbor:?}"), format!("{of_json:?}"));
    let mut again = Vec::new();
    of_json.to_json(Some(&readable.schema), &mut again).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), text);
    Ok(text)
}

fn read(body: &str, text: &str, set: impl FnOnce(&mut ProtobufOptions)) -> (String, String) {
    let file = file(body);
    let readable = readable(&file, &options(set));
    (readable.schema.to_json(), payload(&readable, &bytes(&file, text)).unwrap())
}

/// What a schema becomes, with the value written by it and read back by the other codec's text form.
fn written(schema: &str, payload: &str, set: impl FnOnce(&mut ProtobufOptions)) -> Result<(String, String)> {
    let options = options(set);
    let schema = Schema::parse(schema)?;
    let draft = from_connect::draft(&schema, &options)?;
    let file = parse::parse(&draft.text, &[])?;
    let message = file.parent_pool().get_message_by_name(&draft.message).unwrap();
    let plan = write::compile(&schema, &message, &options)?;
    let mut out = Vec::new();
    plan.write(&Value::from_json(payload.as_bytes(), Some(&schema))?, &mut out)?;
    let text = DynamicMessage::decode(message, out.as_slice()).unwrap().to_text_format();
    Ok((draft.text, text))
}

const SCALARS: &str = "message M { int32 a = 1; sint32 b = 2; sfixed32 c = 3; uint32 d = 4; fixed32 e = 5; int64 f = 6; \
    uint64 g = 7; sint64 h = 8; fixed64 i = 9; sfixed64 j = 10; float k = 11; double l = 12; bool m = 13; string n = 14; \
    bytes o = 15; }";

#[test]
fn each_scalar_has_its_connect_type_and_keeps_its_own_as_a_parameter() {
    let table = [
        ("a", "int32", ""),
        ("b", "int32", "sint32"),
        ("c", "int32", "sfixed32"),
        ("d", "int64", "uint32"),
        ("e", "int64", "fixed32"),
        ("f", "int64", ""),
        ("g", "int64", "uint64"),
        ("h", "int64", "sint64"),
        ("i", "int64", "fixed64"),
        ("j", "int64", "sfixed64"),
        ("k", "float", ""),
        ("l", "double", ""),
        ("m", "boolean", ""),
        ("n", "string", ""),
        ("o", "bytes", ""),
    ];
    let (schema, _) = read(SCALARS, "", |_| {});
    for (number, (name, of, own)) in (1..).zip(table) {
        let own =
            if own.is_empty() { String::new() } else { format!("\"io.confluent.connect.protobuf.Type\":\"{own}\",") };
        let field = format!(
            "{{\"type\":\"{of}\",\"optional\":true,\"parameters\":{{{own}\"io.confluent.connect.protobuf.Tag\":\"{number}\"}},\"field\":\"{name}\"}}"
        );
        assert!(schema.contains(&field), "{field} in {schema}");
    }
    assert!(schema.ends_with("\"optional\":false,\"name\":\"M\"}"), "{schema}");
}

#[test]
fn scalars_are_read_at_their_ends_and_absent_ones_are_zero() {
    let low = "a: -2147483648 b: -2147483648 c: -2147483648 d: 4294967295 e: 4294967295 f: -9223372036854775808 \
        g: 18446744073709551615 h: -9223372036854775808 i: 18446744073709551615 j: -1 k: -1.5 l: 1e300 m: true n: \"\\303\\244\" o: \"\\000\\377\"";
    assert_eq!(
        read(SCALARS, low, |_| {}).1,
        "{\"a\":-2147483648,\"b\":-2147483648,\"c\":-2147483648,\"d\":4294967295,\"e\":4294967295,\"f\":-9223372036854775808,\
         \"g\":-1,\"h\":-9223372036854775808,\"i\":-1,\"j\":-1,\"k\":-1.5,\"l\":1.0E300,\"m\":true,\"n\":\"ä\",\"o\":\"AP8=\"}"
    );
    assert_eq!(
        read(SCALARS, "", |_| {}).1,
        "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0.0,\"l\":0.0,\"m\":false,\"n\":\"\",\"o\":\"\"}"
    );
}

#[test]
fn logical_types_come_from_the_known_messages() {
    let body = "import \"google/type/date.proto\"; import \"google/type/timeofday.proto\"; import \"google/protobuf/timestamp.proto\";
        import \"confluent/type/decimal.proto\"; import \"confluent/meta.proto\";
        message M { google.type.Date a = 1; google.type.TimeOfDay b = 2; google.protobuf.Timestamp c = 3;
          confluent.type.Decimal d = 4 [(confluent.field_meta) = { params: [{ key: \"scale\", value: \"2\" }, { key: \"precision\", value: \"9\" }] }];
          int32 e = 5 [(confluent.field_meta) = { params: { key: \"connect.type\" value: \"int8\" } }];
          int32 f = 6 [(confluent.field_meta).params = { key: \"connect.type\" value: \"int16\" }]; }";
    let text = "a { year: 1969 month: 12 day: 31 } b { hours: 1 nanos: 1999999 } c { seconds: -1 nanos: 999999999 } \
        d { value: \"\\377\\144\" scale: 2 precision: 3 } e: -128 f: 300";
    let (schema, payload) = read(body, text, |_| {});
    assert_eq!(payload, "{\"a\":-1,\"b\":3600001,\"c\":-1,\"d\":\"/2Q=\",\"e\":-128,\"f\":300}");
    for part in [
        "\"type\":\"int32\",\"optional\":true,\"name\":\"org.apache.kafka.connect.data.Date\",\"version\":1,",
        "\"name\":\"org.apache.kafka.connect.data.Time\",\"version\":1,",
        "\"type\":\"int64\",\"optional\":true,\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,",
        "\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"9\",\"io.confluent.connect.protobuf.Tag\":\"4\"}",
        "{\"type\":\"int8\"",
        "{\"type\":\"int16\"",
    ] {
        assert!(schema.contains(part), "{part} in {schema}");
    }
    assert_eq!(read(body, "", |_| {}).1, "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":0,\"f\":0}");
}

#[test]
fn lists_maps_and_messages_are_read_wherever_their_pieces_stand() {
    let body = "message M { repeated int32 a = 1; repeated string b = 2; map<string, int32> c = 3; map<int32, N> d = 4; N e = 5; \
        repeated N f = 6; } message N { string x = 1; N2 y = 2; message N2 { bool z = 1; } }";
    let (schema, payload) = read(
        body,
        "a: [1, -1] b: \"p\" b: \"q\" c { key: \"k\" value: 7 } d { key: 3 value { x: \"v\" } } e { y { z: true } } f { } f { x: \"w\" }",
        |_| {},
    );
    assert_eq!(
        payload,
        "{\"a\":[1,-1],\"b\":[\"p\",\"q\"],\"c\":{\"k\":7},\"d\":[[3,{\"x\":\"v\",\"y\":null}]],\"e\":{\"x\":\"\",\"y\":{\"z\":true}},\
         \"f\":[{\"x\":\"\",\"y\":null},{\"x\":\"w\",\"y\":null}]}"
    );
    assert!(schema.contains("\"type\":\"map\",\"keys\":{\"type\":\"string\",\"optional\":true"), "{schema}");
    assert!(schema.contains("\"name\":\"c\""), "a map is named after its entry: {schema}");
    assert_eq!(read(body, "", |_| {}).1, "{\"a\":[],\"b\":[],\"c\":{},\"d\":[],\"e\":null,\"f\":[]}");

    let file = file(body);
    let readable = readable(&file, &ProtobufOptions::default());
    // Unpacked beside packed, another field between; a message in two pieces; the last of a single field.
    let pieces =
        [bytes(&file, "e { x: \"first\" } a: [1, 2]"), vec![0x08, 0x03], bytes(&file, "b: \"between\" a: [4]")];
    let mut whole = pieces.concat();
    whole.extend(bytes(&file, "e { y { z: true } }"));
    whole.extend([0xa2, 0x06, 0x01, 0x00, 0xa8, 0x06, 0x05]);
    assert_eq!(
        payload_of(&readable, &whole),
        "{\"a\":[1,2,3,4],\"b\":[\"between\"],\"c\":{},\"d\":[],\"e\":{\"x\":\"first\",\"y\":{\"z\":true}},\"f\":[]}"
    );
    // An entry without key or value has the defaults.
    assert_eq!(
        payload_of(&readable, &[0x1a, 0, 0x22, 0]),
        "{\"a\":[],\"b\":[],\"c\":{\"\":0},\"d\":[[0,{\"x\":\"\",\"y\":null}]],\"e\":null,\"f\":[]}"
    );
}

fn payload_of(readable: &Readable, bytes: &[u8]) -> String {
    payload(readable, bytes).unwrap()
}

#[test]
fn a_oneof_is_a_struct_of_its_members_with_the_last_one_set() {
    let body = "message M { string before = 1; oneof choice { int32 a = 2; string b = 3; N c = 4; } oneof other { bool d = 5; } } message N {}";
    let (schema, payload) = read(body, "before: \"x\" b: \"y\"", |_| {});
    assert_eq!(payload, "{\"choice_0\":{\"a\":null,\"b\":\"y\",\"c\":null},\"other_1\":null,\"before\":\"x\"}");
    assert!(
        schema.contains(
            "\"optional\":true,\"name\":\"io.confluent.connect.protobuf.Union.choice\",\"field\":\"choice_0\""
        ),
        "{schema}"
    );

    let (_, payload) = read(body, "a: 0", |o| o.generate_index_for_unions = false);
    assert_eq!(payload, "{\"choice\":{\"a\":0,\"b\":null,\"c\":null},\"other\":null,\"before\":\"\"}");
    let (_, payload) = read(body, "c { }", |o| o.flatten_unions = true);
    assert_eq!(payload, "{\"a\":null,\"b\":null,\"c\":{},\"d\":null,\"before\":\"\"}");
    let (schema, _) = read(body, "", |o| o.generalized_sum_types = true);
    assert!(
        schema.contains("\"name\":\"choice\",\"parameters\":{\"org.apache.kafka.connect.data.Union\":\"choice\"}"),
        "{schema}"
    );

    let file = file(body);
    let readable = readable(&file, &ProtobufOptions::default());
    let both = [bytes(&file, "a: 1"), bytes(&file, "b: \"last\"")].concat();
    assert!(payload_of(&readable, &both).contains("{\"a\":null,\"b\":\"last\",\"c\":null}"));
}

#[test]
fn enums_are_symbols_or_numbers() {
    let body = "message M { E a = 1; repeated E b = 2; } enum E { ZERO = 0; ONE = 1; MINUS = -1; }";
    let (schema, payload) = read(body, "a: ONE b: [MINUS, ZERO]", |_| {});
    assert_eq!(payload, "{\"a\":\"ONE\",\"b\":[\"MINUS\",\"ZERO\"]}");
    let parameters = "\"name\":\"E\",\"parameters\":{\"io.confluent.connect.protobuf.Enum\":\"E\",\"io.confluent.connect.protobuf.Enum.ZERO\":\"0\",\
        \"io.confluent.connect.protobuf.Enum.ONE\":\"1\",\"io.confluent.connect.protobuf.Enum.MINUS\":\"-1\"";
    assert!(schema.contains(parameters), "{schema}");
    let (schema, payload) = read(body, "a: MINUS", |o| o.int_for_enums = true);
    assert_eq!(payload, "{\"a\":-1,\"b\":[]}");
    assert!(schema.contains("\"type\":\"int32\",\"optional\":true,\"name\":\"E\""), "{schema}");
    let file = file(body);
    let readable = readable(&file, &ProtobufOptions::default());
    assert_eq!(payload_of(&readable, &[0x08, 0x07]), "{\"a\":\"UNKNOWN_ENUM_VALUE_E_7\",\"b\":[]}");
}

#[test]
fn what_may_be_null_is_said_by_the_settings() {
    let body = "import \"google/protobuf/wrappers.proto\"; message M { int32 a = 1; optional int32 b = 2; google.protobuf.StringValue c = 3; N d = 4; } message N { int32 x = 1; }";
    assert_eq!(read(body, "", |_| {}).1, "{\"a\":0,\"b\":null,\"c\":null,\"d\":null}");
    assert_eq!(read(body, "c { value: \"v\" } b: 0", |_| {}).1, "{\"a\":0,\"b\":0,\"c\":{\"value\":\"v\"},\"d\":null}");
    let (schema, payload) = read(body, "c { value: \"v\" }", |o| o.wrapper_for_nullables = true);
    assert_eq!(payload, "{\"a\":0,\"b\":null,\"c\":\"v\",\"d\":null}");
    assert!(schema.contains("{\"type\":\"string\",\"optional\":true"), "{schema}");
    assert!(schema.contains("{\"type\":\"int32\",\"optional\":false"), "{schema}");
}

#[test]
fn optional_for_nullables_follows_the_keyword() {
    let body = "message M { int32 a = 1; optional int32 b = 2; }";
    let (schema, payload) = read(body, "", |o| o.optional_for_nullables = true);
    assert_eq!(payload, "{\"a\":0,\"b\":null}");
    assert!(
        schema.contains("\"optional\":false,\"parameters\":{\"io.confluent.connect.protobuf.Tag\":\"1\"}"),
        "{schema}"
    );
    assert!(
        schema.contains("\"optional\":true,\"parameters\":{\"io.confluent.connect.protobuf.Tag\":\"2\"}"),
        "{schema}"
    );
}

#[test]
fn a_struct_is_generated_for_an_absent_message_when_asked() {
    let body = "message M { N d = 4; } message N { int32 x = 1; }";
    assert_eq!(read(body, "", |o| o.generate_struct_for_nulls = true).1, "{\"d\":{\"x\":0}}");
}

#[test]
fn proto2_has_defaults_and_groups() {
    let body = "syntax = \"proto2\"; message M { optional int32 a = 1 [default = 5]; required string b = 2; optional group G = 3 { optional int32 x = 4; } \
        optional sint32 s = 5 [default = -3]; repeated int32 p = 6 [packed = true]; }";
    assert_eq!(
        read(body, "b: \"q\" G { x: 1 } p: [1, 2]", |_| {}).1,
        "{\"a\":null,\"b\":\"q\",\"g\":{\"x\":1},\"s\":null,\"p\":[1,2]}"
    );
    assert_eq!(
        read(body, "b: \"\"", |o| o.optional_for_proto2 = false).1,
        "{\"a\":5,\"b\":\"\",\"g\":null,\"s\":-3,\"p\":[]}"
    );
}

#[test]
fn a_wrapper_at_the_root_is_a_primitive() {
    let text = super::known::WRAPPERS_TEXT;
    let file = parse::parse(text, &[]).unwrap();
    let table = [
        (0, "double", &[0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f][..], "1.5"),
        (2, "int64", &[0x08, 5], "5"),
        (3, "int64", &[0x08, 6], "6"),
        (4, "int32", &[0x08, 7], "7"),
        (6, "boolean", &[0x08, 1], "true"),
        (7, "string", &[0x0a, 1, b'x'], "\"x\""),
        (7, "string", &[], "\"\""),
        (8, "bytes", &[0x0a, 1, 0], "\"AA==\""),
    ];
    for (at, of, bytes, expected) in table {
        let message = index::resolve(&file, &[at]).unwrap();
        let readable = compile(&message, &ProtobufOptions::default(), None).unwrap();
        assert_eq!(readable.schema.to_json(), format!("{{\"type\":\"{of}\",\"optional\":false}}"));
        assert_eq!(payload_of(&readable, bytes), expected);
    }
    let message = index::resolve(&file, &[7]).unwrap();
    let raw = compile(&message, &options(|o| o.wrapper_for_raw_primitives = false), None).unwrap();
    assert_eq!(payload_of(&raw, &[0x0a, 1, b'x']), "{\"value\":\"x\"}");
}

#[test]
fn a_message_inside_itself_is_unrolled_and_deeper_data_is_a_fault() {
    let file = file("message M { int32 n = 1; M next = 2; repeated M more = 3; }");
    let readable = readable(&file, &ProtobufOptions::default());
    let three = payload_of(&readable, &bytes(&file, "n: 1 next { n: 2 next { n: 3 } }"));
    assert!(three.starts_with("{\"n\":1,\"next\":{\"n\":2,\"next\":{\"n\":3}"), "{three}");
    let fault = json(&readable, &bytes(&file, "next { next { next { n: 4 } } }")).unwrap_err();
    assert_eq!(fault.code, "protobuf.recursion");
    // Well-known types that contain themselves are no trap.
    let body =
        "syntax = \"proto3\"; import \"google/protobuf/struct.proto\"; message M { google.protobuf.Struct s = 1; }";
    let (_, payload) = read(body, "s { fields { key: \"k\" value { string_value: \"v\" } } }", |_| {});
    assert!(payload.contains("\"string_value\":\"v\""), "{payload}");
}

#[test]
fn a_chain_of_thousands_of_messages_does_not_exhaust_the_stack() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for n in 0..5000 {
        writeln!(text, "message M{n} {{ M{} next = 1; }}", n + 1).unwrap();
    }
    let file = file(&format!("{text} message M5000 {{}}"));
    let readable = readable(&file, &ProtobufOptions::default());
    assert!(payload_of(&readable, &[0x0a, 0]).starts_with("{\"next\":{\"next\":null}"));
    let deep = (0..3000).fold(Vec::new(), |inner: Vec<u8>, _| {
        let mut outer = vec![0x0a];
        super::wire::put_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    });
    assert_eq!(json(&readable, &deep).unwrap_err().code, "protobuf.recursion");
}

#[test]
fn a_small_message_that_becomes_a_huge_payload_is_a_fault() {
    let fields: String = (1..200).map(|n| format!("string some_long_name_of_field_{n} = {n};")).collect();
    let file = file(&format!("message M {{ repeated N n = 1; }} message N {{ {fields} }}"));
    let readable = readable(&file, &ProtobufOptions::default());
    assert_eq!(json(&readable, &[0x0a, 0].repeat(1_000_000)).unwrap_err().code, "protobuf.too-large");
    assert!(json(&readable, &[0x0a, 0].repeat(100)).is_ok());
}

#[test]
fn references_and_full_names_are_understood() {
    let texts = [("other/n.proto".to_owned(), "syntax = \"proto3\"; package o; message N { int32 x = 1; }".to_owned())];
    let text = "syntax = \"proto3\"; package p.q; import \"other/n.proto\"; message M { o.N n = 1; }";
    let file = parse::parse(text, &texts).unwrap();
    let readable = compile(&index::resolve(&file, &[0]).unwrap(), &options(|o| o.enhanced = true), Some(4)).unwrap();
    assert!(readable.schema.to_json().ends_with("\"optional\":false,\"name\":\"p.q.M\",\"version\":4}"));
    assert!(readable.schema.to_json().contains("\"name\":\"o.N\""));
    assert_eq!(payload_of(&readable, &[0x0a, 2, 0x08, 9]), "{\"n\":{\"x\":9}}");
    let fault = parse::parse(text, &[]).unwrap_err();
    assert!(fault.message.contains("other/n.proto"), "{fault}");
}

#[test]
fn the_message_index_is_a_path_of_zig_zag_numbers() {
    let file = file("message A { message B {} map<string, string> m = 1; message C {} } message D { message E {} }");
    for (path, bytes) in [
        (vec![0], vec![0]),
        (vec![1], vec![2, 2]),
        (vec![1, 0], vec![4, 2, 0]),
        (vec![0, 0], vec![4, 0, 0]),
        (vec![0, 1], vec![4, 0, 2]),
    ] {
        let message = index::resolve(&file, &path).unwrap();
        let mut out = Vec::new();
        index::write(&message, &mut out);
        assert_eq!(out, bytes, "{}", message.full_name());
        out.push(0xaa);
        assert_eq!(index::read(&out).unwrap(), (path, &[0xaa][..]));
    }
    assert_eq!(index::resolve(&file, &[0, 1]).unwrap().name(), "C", "entries of maps are not counted");
    for (bytes, what) in [
        (&[][..], "missing"),
        (&[4, 2][..], "missing"),
        (&[0xff; 9][..], "missing"),
        (&[1][..], "-1"),
        (&[0xfe, 0x7f][..], "8191"),
    ] {
        let fault = index::read(bytes).map(|_| ()).unwrap_err();
        assert_eq!(fault.code, "protobuf.index");
        assert!(fault.message.contains(what), "{fault}");
    }
    assert_eq!(index::resolve(&file, &[7]).unwrap_err().code, "protobuf.index");
    assert_eq!(index::resolve(&file, &[]).unwrap_err().code, "protobuf.index");
}

#[test]
fn bytes_that_are_no_message_are_faults() {
    let file = file(
        "message M { int32 a = 1; string b = 2; repeated fixed32 c = 3; M2 d = 4; double e = 5; repeated int64 f = 6; } message M2 { string x = 1; }",
    );
    let readable = readable(&file, &ProtobufOptions::default());
    let mut groups = vec![0x7b; 10_000];
    groups.extend(vec![0x7c; 10_000]);
    let table: [(&[u8], &str); 14] = [
        (&[0x08], "the end inside a varint at byte 1"),
        (&[0x08, 0x80, 0x80], "the end inside a varint"),
        (&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], "more than ten bytes"),
        (&[0x12, 0x05, b'a'], "a length beyond the end at byte 1"),
        (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "a length beyond the end"),
        (&[0x12, 0x01, 0xff], "not UTF-8"),
        (&[0x1d, 1, 2], "the end inside a number"),
        (&[0x1a, 3, 1, 2, 3], "the end inside a number"),
        (&[0x00, 0x01], "an invalid field number"),
        (&[0x0e, 0x01], "an unknown wire type"),
        (&[0x0c], "the end of a group that did not begin"),
        (&[0x7b, 0x08, 0x01], "the end inside a varint"),
        (&[0x32, 2, 0x80, 0x80], "the end inside a varint"),
        (&groups, "more than 100 levels of groups"),
    ];
    for (bytes, what) in table {
        let fault = json(&readable, bytes).unwrap_err();
        assert!(fault.code.starts_with("protobuf."), "{fault}");
        assert!(fault.message.contains(what), "{what}: {fault}");
    }
    // Another wire type than the field's is an unknown field.
    assert!(
        json(&readable, &[0x0a, 1, 0, 0x10, 5, 0x09, 0, 0, 0, 0, 0, 0, 0, 0])
            .unwrap()
            .starts_with("{\"a\":0,\"b\":\"\"")
    );
}

#[test]
fn values_beyond_their_type_are_faults() {
    let body = "import \"google/type/date.proto\"; import \"google/type/timeofday.proto\"; import \"google/protobuf/timestamp.proto\"; import \"confluent/type/decimal.proto\"; import \"confluent/meta.proto\";
        message M { google.type.Date a = 1; google.type.TimeOfDay b = 2; google.protobuf.Timestamp c = 3; confluent.type.Decimal d = 4;
        int32 e = 5 [(confluent.field_meta) = { params: { key: \"connect.type\" value: \"int8\" } }]; }";
    let file = file(body);
    let readable = readable(&file, &ProtobufOptions::default());
    for text in [
        "a { year: 2023 month: 2 day: 29 }",
        "a { year: 2023 }",
        "b { hours: 24 }",
        "b { nanos: -1 }",
        "c { seconds: 253402300800 }",
        "c { nanos: 1000000000 }",
        "d { value: \"\\001\" scale: 1 }",
        "e: 128",
    ] {
        assert_eq!(json(&readable, &bytes(&file, text)).unwrap_err().code, "schema.mismatch", "{text}");
    }
}

#[test]
fn text_that_is_no_schema_is_a_fault() {
    let deep = "message A {".repeat(10_000);
    let table = [
        ("", "Invalid Protobuf schema"),
        ("message", "Invalid Protobuf schema"),
        ("syntax = \"proto3\"; message M { X x = 1; }", "'X' is not defined"),
        ("syntax = \"proto3\"; import \"../other.proto\"; message M {}", "Invalid Protobuf schema"),
        (deep.as_str(), "more than 100 levels"),
    ];
    for (text, what) in table {
        let fault = parse::parse(text, &[]).and_then(|file| index::resolve(&file, &[0])).unwrap_err();
        assert!(fault.message.contains(what) || fault.code == "protobuf.index", "{text:.40}: {fault}");
    }
}

fn struct_of(fields: &str) -> String {
    format!("{{\"type\":\"struct\",\"name\":\"a.b.Order\",\"fields\":[{fields}]}}")
}

#[test]
fn a_schema_is_registered_as_text() {
    let schema = struct_of(
        "{\"field\":\"a\",\"type\":\"int8\"},{\"field\":\"b\",\"type\":\"int64\",\"optional\":true},\
         {\"field\":\"c\",\"type\":\"array\",\"items\":{\"type\":\"string\"}},\
         {\"field\":\"d\",\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\"}},\
         {\"field\":\"e\",\"type\":\"struct\",\"fields\":[{\"field\":\"x\",\"type\":\"boolean\"}]},\
         {\"field\":\"f\",\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"2\"}},\
         {\"field\":\"g\",\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Date\"}",
    );
    let payload = "{\"a\":-1,\"b\":null,\"c\":[\"p\",\"q\"],\"d\":{\"k\":1},\"e\":{\"x\":true},\"f\":\"AJw=\",\"g\":1}";
    let (text, message) = written(&schema, payload, |_| {}).unwrap();
    assert_eq!(
        text,
        r#"syntax = "proto3";
package a.b;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/type/date.proto";

message Order {
  int32 a = 1 [(confluent.field_meta) = {
    params: [
      {
        key: "connect.type",
        value: "int8"
      }
    ]
  }];
  int64 b = 2;
  repeated string c = 3;
  map<string, int32> d = 4;
  ConnectDefault2 e = 5;
  confluent.type.Decimal f = 6 [(confluent.field_meta) = {
    params: [
      {
        key: "scale",
        value: "2"
      }
    ]
  }];
  google.type.Date g = 7;

  message ConnectDefault2 {
    bool x = 1;
  }
}
"#
    );
    assert_eq!(
        message,
        "a:-1,c:[\"p\",\"q\"],d:[{key:\"k\",value:1}],e{x:true},f{value:\"\\000\\234\",precision:3,scale:2},g{year:1970,month:1,day:2}"
    );
}

#[test]
fn primitives_are_registered_as_wrappers() {
    for (of, payload, name, text) in [
        ("int8", "5", "Int32Value", "value:5"),
        ("int32", "0", "Int32Value", ""),
        ("int64", "-1", "Int64Value", "value:-1"),
        ("float", "1.5", "FloatValue", "value:1.5"),
        ("double", "1.5", "DoubleValue", "value:1.5"),
        ("boolean", "true", "BoolValue", "value:true"),
        ("string", "\"x\"", "StringValue", "value:\"x\""),
        ("bytes", "\"AA==\"", "BytesValue", "value:\"\\000\""),
    ] {
        let schema = format!("{{\"type\":\"{of}\"}}");
        let draft = from_connect::draft(&Schema::parse(&schema).unwrap(), &ProtobufOptions::default()).unwrap();
        assert_eq!(draft.message, format!("google.protobuf.{name}"));
        assert_eq!(written(&schema, payload, |_| {}).unwrap().1, text);
    }
}

#[test]
fn what_protobuf_cannot_say_is_a_fault_with_the_fields_name() {
    let array = "{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}";
    for (schema, what) in [
        (array.to_owned(), "Unsupported root schema of type ARRAY"),
        ("{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\"}}".to_owned(), "type MAP"),
        (struct_of(&format!("{{\"field\":\"x\",\"type\":\"array\",\"items\":{array}}}")), "field x"),
        (
            struct_of(&format!(
                "{{\"field\":\"x\",\"type\":\"map\",\"keys\":{{\"type\":\"string\"}},\"values\":{array}}}"
            )),
            "field x",
        ),
        (struct_of("{\"field\":\"not a name\",\"type\":\"int32\"}"), "Invalid Protobuf schema"),
    ] {
        let fault: DataFault = written(&schema, "{}", |_| {}).unwrap_err();
        assert!(fault.message.contains(what), "{fault}");
    }
    let scrubbed = written(
        &struct_of("{\"field\":\"not a name\",\"type\":\"int32\"},{\"field\":\"1st\",\"type\":\"int32\"}"),
        "{\"not a name\":1,\"1st\":2}",
        |o| o.scrub_invalid_names = true,
    );
    assert_eq!(scrubbed.unwrap().1, "not_a_name:1,x1st:2");
}

#[test]
fn nullables_are_written_as_the_settings_say() {
    let schema = struct_of(
        "{\"field\":\"a\",\"type\":\"int32\",\"optional\":true},{\"field\":\"b\",\"type\":\"string\",\"optional\":true},{\"field\":\"c\",\"type\":\"int32\"}",
    );
    let payload = "{\"a\":0,\"b\":null,\"c\":0}";
    assert_eq!(written(&schema, payload, |_| {}).unwrap().1, "");
    let (text, message) = written(&schema, payload, |o| o.optional_for_nullables = true).unwrap();
    assert!(text.contains("  optional int32 a = 1;\n  optional string b = 2;\n  int32 c = 3;"), "{text}");
    assert_eq!(message, "a:0");
    let (text, message) = written(&schema, payload, |o| o.wrapper_for_nullables = true).unwrap();
    assert!(
        text.contains("  google.protobuf.Int32Value a = 1;\n  google.protobuf.StringValue b = 2;\n  int32 c = 3;"),
        "{text}"
    );
    assert_eq!(message, "a{}");
}

/// Schemas that came from Protobuf go back to the same messages.
#[test]
fn what_was_read_is_written_back() {
    let body = "import \"google/protobuf/timestamp.proto\"; message M { E a = 9; oneof choice { int32 b = 2; string c = 30; } repeated N d = 4; map<int64, N> e = 5; \
        sint64 f = 6; fixed32 g = 7; repeated sint32 h = 8; google.protobuf.Timestamp i = 1; N j = 300; map<string, E> k = 11; } message N { bool x = 2; N3 y = 1; message N3 { bytes z = 1; } } enum E { Z = 0; TWO = 2; }";
    let file = file(body);
    let options = ProtobufOptions::default();
    let readable = readable(&file, &options);
    let original = "a: TWO c: \"\" d { x: true } d { } e { key: 5 value { y { z: \"\\001\" } } } f: -7 g: 4294967295 h: [-1, 1] i { seconds: 5 nanos: 1000000 } j { } k { key: \"q\" value: TWO }";
    let wire = bytes(&file, original);
    let payload = payload_of(&readable, &wire);
    let (text, _) = written(&readable.schema.to_json(), &payload, |_| {}).unwrap();
    let draft = parse::parse(&text, &[]).unwrap();
    for target in [&file, &draft] {
        let plan = write::compile(&readable.schema, &index::resolve(target, &[0]).unwrap(), &options).unwrap();
        let mut out = Vec::new();
        plan.write(&Value::from_json(payload.as_bytes(), Some(&readable.schema)).unwrap(), &mut out).unwrap();
        let message = index::resolve(&file, &[0]).unwrap();
        assert_eq!(
            DynamicMessage::decode(message.clone(), out.as_slice()).unwrap(),
            DynamicMessage::decode(message, wire.as_slice()).unwrap()
        );
    }
}

#[test]
fn a_record_that_does_not_fit_the_registered_message_is_a_fault() {
    let schema = Schema::parse(&struct_of("{\"field\":\"a\",\"type\":\"int64\"}")).unwrap();
    let options = ProtobufOptions::default();
    let at = |body: &str| write::compile(&schema, &index::resolve(&file(body), &[0]).unwrap(), &options);
    assert!(at("message M { int32 b = 1; }").unwrap_err().message.contains("Cannot find field with name a"));
    assert!(at("message M { string a = 1; }").unwrap_err().message.contains("INT64 has no place"));
    assert!(at("message M { repeated int64 a = 1; }").unwrap_err().message.contains("cardinality"));
    let narrow = at("message M { int32 a = 1; }").unwrap();
    assert_eq!(
        narrow.write(&Value::Struct(vec![Value::Int64(1 << 40)]), &mut Vec::new()).unwrap_err().code,
        "schema.mismatch"
    );
    let union = struct_of(
        "{\"field\":\"u\",\"optional\":true,\"type\":\"struct\",\"name\":\"io.confluent.connect.protobuf.Union.u\",\"fields\":[{\"field\":\"x\",\"type\":\"int32\",\"optional\":true}]}",
    );
    assert!(
        written(&union, "{\"u\":{\"x\":null}}", |_| {}).unwrap_err().message.contains("Cannot find non-null field")
    );
    assert_eq!(written(&union, "{\"u\":null}", |_| {}).unwrap().1, "");
    assert_eq!(written(&union, "{\"u\":{\"x\":0}}", |_| {}).unwrap().1, "x:0");
}

#[test]
fn a_schema_in_base64_is_the_compiled_file() {
    use base64::Engine as _;
    let text = "syntax = \"proto3\";\npackage t;\nimport \"confluent/meta.proto\";\nimport \"other.proto\";\n\
        message M { int32 n = 1 [(confluent.field_meta) = {params: [{key: \"connect.type\", value: \"int8\"}]}]; o.O o = 2; }";
    let other = "syntax = \"proto3\";\npackage o;\nmessage O { string s = 1; }";
    let references = |text: &str| vec![("other.proto".to_owned(), text.to_owned())];
    let encoded = |file: &FileDescriptor| base64::engine::general_purpose::STANDARD.encode(file.encode_to_vec());
    let by_text = parse::parse(text, &references(other)).unwrap();
    let compiled = encoded(&parse::parse(other, &[]).unwrap());
    let by_base64 = parse::parse(&encoded(&by_text), &references(&compiled)).unwrap();
    let schema = |file: &FileDescriptor| readable(file, &ProtobufOptions::default()).schema.to_json();
    assert_eq!(schema(&by_base64), schema(&by_text));
    assert!(schema(&by_text).contains("int8") && schema(&by_text).contains("\"s\""));
    for bad in ["AAAA", "CgFhCg==", "abcd"] {
        assert!(parse::parse(bad, &[]).is_err(), "{bad}");
    }
}
