//! JSON Schema by table, and by properties.

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_model::batch::Encoding;

use crate::fault::Result;
use crate::registry::{Format, Referenced, Registered, SchemaType};
use crate::registry_options::Settings;
use crate::schema::Schema;
use crate::value::Value;

fn format(settings: &[(&str, &str)]) -> Arc<dyn Format> {
    let given: IndexMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    super::make(&mut Settings::new(&given))
}

fn registered(text: &str, references: &[(&str, &str)]) -> Registered {
    let named = |(name, text): &(&str, &str)| Referenced { name: (*name).to_owned(), text: (*text).into() };
    Registered {
        id: 1,
        schema_type: SchemaType::Json,
        text: text.into(),
        references: Vec::new(),
        referenced: references.iter().map(named).collect(),
        version: None,
    }
}

/// Schema and payload of data; JSON and CBOR say the same.
fn read_with(settings: &[(&str, &str)], schema: &Registered, data: &str) -> Result<(String, String)> {
    let mut reader = format(settings).reader(schema)?;
    let (mut json, mut cbor) = (Vec::new(), Vec::new());
    let read = reader.read(data.as_bytes(), Encoding::Json, &mut json)?;
    reader.read(data.as_bytes(), Encoding::Cbor, &mut cbor)?;
    let text = String::from_utf8(json).unwrap();
    if !read.is_null {
        let relaxed = super::format::relaxed(read.schema.as_ref().unwrap()).unwrap();
        let of_cbor = Value::from_cbor(&cbor, Some(&relaxed)).unwrap();
        assert_eq!(of_cbor, Value::from_json(text.as_bytes(), Some(&relaxed)).unwrap());
    }
    Ok((read.schema.unwrap().to_json(), text))
}

fn read(schema: &str, data: &str) -> (String, String) {
    read_with(&[], &registered(schema, &[]), data).unwrap()
}

fn written(settings: &[(&str, &str)], schema: &str, payload: &str) -> Result<(String, String)> {
    let format = format(settings);
    let schema = Arc::new(Schema::parse(schema)?);
    let draft = format.draft(Some(&schema))?;
    let mut out = Vec::new();
    let value = Value::from_json(payload.as_bytes(), Some(&schema))?;
    format.writer(Some(&schema), &registered(&draft.text, &[]))?.write(&value, &mut out)?;
    Ok((draft.text.to_string(), String::from_utf8(out).unwrap()))
}

#[test]
fn each_type_has_its_connect_type() {
    let table = [
        ("{\"type\":\"integer\"}", "int64", "5"),
        ("{\"type\":\"integer\",\"connect.type\":\"int8\"}", "int8", "-128"),
        ("{\"type\":\"integer\",\"connect.type\":\"int16\"}", "int16", "5"),
        ("{\"type\":\"integer\",\"connect.type\":\"int32\"}", "int32", "5"),
        ("{\"type\":\"integer\",\"connect.type\":\"int64\"}", "int64", "5"),
        ("{\"type\":\"number\"}", "double", "1.5"),
        ("{\"type\":\"number\",\"connect.type\":\"float32\"}", "float", "1.5"),
        ("{\"type\":\"number\",\"connect.type\":\"float64\"}", "double", "1.5"),
        ("{\"type\":\"boolean\"}", "boolean", "true"),
        ("{\"type\":\"string\"}", "string", "\"x\""),
        ("{\"type\":\"string\",\"connect.type\":\"bytes\"}", "bytes", "\"AA==\""),
        ("{\"type\":\"string\",\"format\":\"date\"}", "string", "\"2020-01-01\""),
        ("{\"minimum\":5}", "double", "5.5"),
        ("{\"pattern\":\"x\"}", "string", "\"x\""),
        ("{\"type\":[\"string\"]}", "string", "\"x\""),
    ];
    for (schema, of, data) in table {
        let (found, payload) = read(schema, data);
        assert_eq!(found, format!("{{\"type\":\"{of}\",\"optional\":false}}"), "{schema}");
        assert_eq!(payload, data, "{schema}");
    }
    let array = "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}";
    assert_eq!(
        read(array, "[1,2]").0,
        "{\"type\":\"array\",\"items\":{\"type\":\"int64\",\"optional\":false},\"optional\":false}"
    );
}

#[test]
fn annotations_bring_back_what_connect_said() {
    let schema = "{\"type\":\"integer\",\"title\":\"org.apache.kafka.connect.data.Timestamp\",\"connect.type\":\"int64\",\"connect.version\":1,\
        \"description\":\"d\",\"connect.parameters\":{\"k\":\"v\"},\"default\":7}";
    let (found, payload) = read(schema, "8");
    assert_eq!(
        found,
        "{\"type\":\"int64\",\"optional\":false,\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,\"doc\":\"d\",\"parameters\":{\"k\":\"v\"},\"default\":7}"
    );
    assert_eq!(payload, "8");
    assert_eq!(read(schema, "null").1, "7");
    let decimal = "{\"type\":\"number\",\"title\":\"org.apache.kafka.connect.data.Decimal\",\"connect.type\":\"bytes\",\"connect.parameters\":{\"scale\":\"2\"}}";
    assert_eq!(read(decimal, "1.56").1, "\"AJw=\"");
    assert_eq!(read(&decimal.replace("number", "string"), "\"AJw=\"").1, "\"AJw=\"");
}

#[test]
fn fields_stand_by_index_or_as_listed_and_what_is_absent_is_unset() {
    let schema = "{\"type\":\"object\",\"title\":\"R\",\"required\":[\"b\"],\"properties\":{\"a\":{\"type\":\"string\",\"connect.index\":1},\"b\":{\"type\":\"integer\",\"connect.index\":0},\
        \"c\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"default\":\"x\"}],\"connect.index\":2}}}";
    let (found, payload) = read(schema, "{\"a\":\"p\",\"b\":1,\"other\":true}");
    assert!(found.starts_with("{\"type\":\"struct\",\"fields\":[{\"type\":\"int64\",\"optional\":false,\"field\":\"b\"},{\"type\":\"string\",\"optional\":false,\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"default\":\"x\",\"field\":\"c\"}]"), "{found}");
    assert_eq!(payload, "{\"b\":1,\"a\":\"p\",\"c\":\"x\"}");
    assert_eq!(read(schema, "{}").1, "{\"b\":null,\"a\":null,\"c\":\"x\"}", "required in Connect, and yet unset");
    let null = read_with(&[], &registered(schema, &[]), "{\"a\":null}").unwrap_err();
    assert_eq!(null.message, "Invalid null value for required STRING field");
    let (found, _) =
        read_with(&[("use.optional.for.nonrequired", "true")], &registered(schema, &[]), "{\"b\":1}").unwrap();
    assert!(found.contains("{\"type\":\"string\",\"optional\":true,\"field\":\"a\"}"), "{found}");
    assert!(found.contains("{\"type\":\"int64\",\"optional\":false,\"field\":\"b\"}"), "{found}");
}

#[test]
fn maps_need_their_annotation() {
    let object = "{\"type\":\"object\",\"connect.type\":\"map\",\"additionalProperties\":{\"type\":\"integer\"}}";
    let (found, payload) = read(object, "{\"k\":1}");
    assert_eq!(
        found,
        "{\"type\":\"map\",\"keys\":{\"type\":\"string\",\"optional\":false},\"values\":{\"type\":\"int64\",\"optional\":false},\"optional\":false}"
    );
    assert_eq!(payload, "{\"k\":1}");
    let list = "{\"type\":\"array\",\"connect.type\":\"map\",\"items\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"integer\",\"connect.type\":\"int32\"},\"value\":{\"type\":\"string\"}}}}";
    assert_eq!(read(list, "[{\"key\":1,\"value\":\"x\"}]").1, "[[1,\"x\"]]");
    let (found, payload) = read("{\"type\":\"object\",\"properties\":{\"k\":{\"type\":\"integer\"}}}", "{\"k\":1}");
    assert!(found.contains("\"struct\""));
    assert_eq!(payload, "{\"k\":1}");
    for (schema, data, what) in [
        (object, "[]", "but found ARRAY"),
        (list, "{}", "but found OBJECT"),
        (list, "[{\"key\":1}]", "invalid map entry"),
    ] {
        let fault = read_with(&[], &registered(schema, &[]), data).unwrap_err();
        assert!(fault.message.contains(what), "{fault}");
    }
}

#[test]
fn unions_are_structs_with_one_field_set() {
    let schema = "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}}},{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":{\"type\":\"boolean\"}}},{\"type\":\"null\"}]}";
    let (found, payload) = read(schema, "5");
    assert!(found.contains("\"optional\":true,\"name\":\"io.confluent.connect.json.OneOf\""), "{found}");
    let field = |n: usize| format!("io.confluent.connect.json.OneOf.field.{n}");
    let union = |set: usize, value: &str| {
        let one = |n| format!("\"{}\":{}", field(n), if n == set { value } else { "null" });
        format!("{{{}}}", (0..4).map(one).collect::<Vec<_>>().join(","))
    };
    assert_eq!(payload, union(0, "5"));
    assert_eq!(read(schema, "\"x\"").1, union(1, "\"x\""));
    assert_eq!(read(schema, "{\"a\":true}").1, union(2, "{\"a\":true}"));
    assert_eq!(read(schema, "{\"a\":true,\"b\":false}").1, union(3, "{\"a\":true,\"b\":false}"));
    assert_eq!(read(schema, "null").1, "");
    assert!(
        read_with(&[], &registered(schema, &[]), "1.5")
            .unwrap_err()
            .message
            .contains("Did not find matching oneof field")
    );
    let (found, payload) =
        read_with(&[("generalized.sum.type.support", "true")], &registered(schema, &[]), "5").unwrap();
    assert!(
        found.contains(
            "\"name\":\"connect_union_0\",\"parameters\":{\"org.apache.kafka.connect.data.Union\":\"connect_union_0\"}"
        ),
        "{found}"
    );
    assert!(payload.starts_with("{\"connect_union_field_0\":5,"), "{payload}");
    let optional = "{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}]}";
    assert_eq!(read(optional, "1").0, "{\"type\":\"int64\",\"optional\":true}");
    assert_eq!(read("{\"type\":[\"null\",\"integer\"]}", "1").0, "{\"type\":\"int64\",\"optional\":true}");
    let single = "{\"oneOf\":[{\"type\":\"integer\"}]}";
    assert_eq!(read(single, "1").0, "{\"type\":\"int64\",\"optional\":false}");
    let (found, _) = read_with(&[("flatten.singleton.unions", "false")], &registered(single, &[]), "1").unwrap();
    assert!(found.contains("OneOf.field.0"), "{found}");
}

#[test]
fn all_of_merges_properties_and_takes_what_says_most() {
    let schema = "{\"allOf\":[{\"$ref\":\"#/$defs/base\"},{\"properties\":{\"b\":{\"type\":\"integer\"}}}],\"$defs\":{\"base\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}}";
    assert_eq!(read(schema, "{\"a\":\"x\",\"b\":1}").1, "{\"a\":\"x\",\"b\":1}");
    for (schema, of) in [
        ("{\"allOf\":[{\"type\":\"string\"},{\"const\":\"x\"}]}", "{\"type\":\"string\",\"optional\":false}"),
        ("{\"allOf\":[{\"type\":\"number\"},{\"enum\":[1,2]}]}", "{\"type\":\"double\",\"optional\":false}"),
        (
            "{\"type\":\"string\",\"enum\":[\"x\"]}",
            "\"parameters\":{\"io.confluent.connect.json.Enum\":\"\",\"io.confluent.connect.json.Enum.x\":\"x\"}",
        ),
        ("{\"allOf\":[{\"$ref\":\"#/definitions/t\"}],\"definitions\":{\"t\":{\"type\":\"boolean\"}}}", "boolean"),
    ] {
        let data = if of.contains("double") {
            "1"
        } else if of == "boolean" {
            "true"
        } else {
            "\"x\""
        };
        let (found, _) = read(schema, data);
        assert!(found.contains(of), "{found}");
    }
}

#[test]
fn enums_and_constants_are_strings_with_their_symbols() {
    let (found, payload) = read("{\"enum\":[\"a\",1,null]}", "1");
    assert_eq!(
        found,
        "{\"type\":\"string\",\"optional\":true,\"parameters\":{\"io.confluent.connect.json.Enum\":\"\",\"io.confluent.connect.json.Enum.a\":\"a\",\"io.confluent.connect.json.Enum.1\":\"1\",\"io.confluent.connect.json.Enum.<NULL>\":\"<NULL>\"}}"
    );
    assert_eq!(payload, "\"1\"");
    assert_eq!(read("{\"enum\":[\"a\",null]}", "null").1, "");
    let (found, _) =
        read_with(&[("generalized.sum.type.support", "true")], &registered("{\"const\":\"k\"}", &[]), "\"k\"").unwrap();
    assert!(
        found.contains("{\"org.apache.kafka.connect.data.Enum\":\"\",\"org.apache.kafka.connect.data.Enum.k\":\"0\"}"),
        "{found}"
    );
}

#[test]
fn references_lead_inside_and_to_other_documents_and_may_be_circles() {
    let other =
        "{\"$id\":\"http://example.com/other.json\",\"$defs\":{\"n\":{\"$anchor\":\"here\",\"type\":\"integer\"}}}";
    for reference in ["other.json#/$defs/n", "./other.json#here", "http://example.com/other.json#/$defs/n"] {
        let schema = format!("{{\"type\":\"object\",\"properties\":{{\"a\":{{\"$ref\":\"{reference}\"}}}}}}");
        let found = read_with(&[], &registered(&schema, &[("other.json", other)]), "{\"a\":1}").unwrap();
        assert!(found.0.contains("int64"), "{reference}");
    }
    let fault = read_with(&[], &registered("{\"$ref\":\"gone.json\"}", &[]), "1").unwrap_err();
    assert!(fault.message.contains("gone.json"), "{fault}");
    let tree = "{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"next\":{\"$ref\":\"#\"}}}";
    let (_, payload) =
        read(tree, "{\"v\":1,\"next\":{\"v\":2,\"next\":{\"v\":3,\"next\":{\"v\":4,\"next\":{\"v\":5}}}}}");
    assert_eq!(
        payload, "{\"v\":1,\"next\":{\"v\":2,\"next\":{\"v\":3,\"next\":{\"v\":4,\"next\":\"{\\\"v\\\":5}\"}}}}",
        "what is deeper than schemas are unrolled is text"
    );
    for circle in
        ["{\"$ref\":\"#\"}", "{\"allOf\":[{\"$ref\":\"#\"}]}", "{\"oneOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}"]
    {
        let _ = read_with(&[], &registered(circle, &[]), "1");
    }
}

#[test]
fn a_chain_of_thousands_of_references_does_not_exhaust_the_stack() {
    for link in
        ["{\"$ref\":\"#/d/N\"}", "{\"allOf\":[{\"$ref\":\"#/d/N\"}]}", "{\"properties\":{\"a\":{\"$ref\":\"#/d/N\"}}}"]
    {
        let links: Vec<_> = (0..5000).map(|n| format!("\"{n}\":{}", link.replace('N', &(n + 1).to_string()))).collect();
        let schema = format!("{{\"$ref\":\"#/d/0\",\"d\":{{{},\"5000\":{{}}}}}}", links.join(","));
        let fault = read_with(&[], &registered(&schema, &[]), "{}").unwrap_err();
        assert!(fault.message.contains("150 levels") || fault.message.contains("allOf"), "{fault}");
    }
}

#[test]
fn data_of_a_schema_that_says_nothing_has_no_schema() {
    for (data, payload) in [("{\"a\": 01}", "{\"a\":1}"), (" [1, {}] ", "[1, {}]"), ("null", "")] {
        for settings in [&[][..], &[("json.fail.invalid.schema", "true")]] {
            let mut reader = format(settings).reader(&registered("{}", &[])).unwrap();
            let mut out = Vec::new();
            let read = reader.read(data.as_bytes(), Encoding::Json, &mut out);
            if settings.is_empty() || !data.contains("01") {
                assert!(read.unwrap().schema.is_none());
                assert_eq!(String::from_utf8(out).unwrap(), payload);
            }
        }
    }
    let mut cbor = Vec::new();
    format(&[]).reader(&registered("true", &[])).unwrap().read(b"[1]", Encoding::Cbor, &mut cbor).unwrap();
    assert_eq!(cbor, [0x81, 1]);
    let draft = format(&[]).draft(None).unwrap();
    assert_eq!(&*draft.text, "{}");
}

#[test]
fn a_schema_without_a_type_is_the_text_of_any_json() {
    let schema = "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":true}}";
    assert_eq!(read(schema, "{\"a\":{\"x\":[1]},\"b\":\"s\"}").1, "{\"a\":\"{\\\"x\\\":[1]}\",\"b\":\"\\\"s\\\"\"}");
}

#[test]
fn text_that_is_no_schema_is_a_fault() {
    let deep = format!("{}{}", "{\"items\":".repeat(10_000), "1");
    let levels = format!("{}{{}}{}", "{\"type\":\"array\",\"items\":".repeat(300), "}".repeat(300));
    for (schema, what) in [
        ("", "Invalid JSON Schema"),
        ("{", "Invalid JSON Schema"),
        ("false", "permits no value"),
        ("{\"type\":\"nothing\"}", "permits no value"),
        ("{\"type\":\"array\"}", "did not specify the items type"),
        ("{\"type\":\"integer\",\"connect.type\":\"int7\"}", "Unsupported type"),
        ("{\"type\":\"integer\",\"default\":\"x\"}", "Invalid default value"),
        (deep.as_str(), "Invalid JSON Schema"),
        (levels.as_str(), "200 levels"),
    ] {
        let fault = read_with(&[], &registered(schema, &[]), "1").unwrap_err();
        assert!(fault.message.contains(what), "{schema:.50}: {fault}");
    }
}

#[test]
fn data_of_another_kind_is_a_fault() {
    for (schema, data) in [
        ("{\"type\":\"string\"}", "5"),
        ("{\"type\":\"integer\"}", "1.5"),
        ("{\"type\":\"integer\",\"connect.type\":\"int8\"}", "128"),
        ("{\"type\":\"boolean\"}", "\"true\""),
        ("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}", "[]"),
        ("{\"type\":\"string\",\"connect.type\":\"bytes\"}", "\"?\""),
        ("{\"type\":\"string\"}", "\"\u{1}"),
        ("{\"type\":\"string\"}", ""),
    ] {
        assert!(read_with(&[], &registered(schema, &[]), data).is_err(), "{schema} {data}");
    }
    let mut reader = format(&[]).reader(&registered("{\"type\":\"string\"}", &[])).unwrap();
    assert!(reader.read(b"\"\xff\"", Encoding::Json, &mut Vec::new()).is_err());
    let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(reader.read(nested.as_bytes(), Encoding::Json, &mut Vec::new()).is_err());
}

#[test]
fn a_schema_is_registered_with_its_annotations() {
    let schema = "{\"type\":\"struct\",\"name\":\"R\",\"version\":2,\"doc\":\"d\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"},\
        {\"type\":\"string\",\"optional\":true,\"field\":\"b\"},{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"bytes\"},\"field\":\"c\"},\
        {\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"2\"},\"field\":\"d\"},{\"type\":\"float\",\"default\":1.5,\"field\":\"e\"}]}";
    let payload = "{\"a\":1,\"b\":null,\"c\":[[1,\"AA==\"]],\"d\":\"AJw=\",\"e\":2.0}";
    let (text, data) = written(&[], schema, payload).unwrap();
    assert_eq!(
        text,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"connect.index\":0,\"connect.type\":\"int8\"},\
         \"b\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}],\"connect.index\":1},\
         \"c\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"integer\",\"connect.index\":0,\"connect.type\":\"int32\"},\
         \"value\":{\"type\":\"string\",\"connect.index\":1,\"connect.type\":\"bytes\"}}},\"connect.index\":2,\"connect.type\":\"map\"},\
         \"d\":{\"type\":\"string\",\"title\":\"org.apache.kafka.connect.data.Decimal\",\"connect.parameters\":{\"scale\":\"2\"},\"connect.index\":3,\"connect.type\":\"bytes\"},\
         \"e\":{\"type\":\"number\",\"default\":1.5,\"connect.index\":4,\"connect.type\":\"float32\"}},\"title\":\"R\",\"description\":\"d\",\"connect.version\":2}"
    );
    assert_eq!(data, "{\"a\":1,\"b\":null,\"c\":[{\"key\":1,\"value\":\"AA==\"}],\"d\":\"AJw=\",\"e\":2.0}");
    let (_, data) = written(&[("decimal.format", "numeric")], schema, payload).unwrap();
    assert!(data.contains("\"d\":1.56"), "{data}");
    let (text, _) = written(&[("object.additional.properties", "false")], schema, payload).unwrap();
    assert!(text.contains(",\"additionalProperties\":false,\"title\":\"R\""), "{text}");
}

#[test]
fn what_was_read_is_written_back() {
    let schema = "{\"type\":\"object\",\"properties\":{\"u\":{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}}]},\"e\":{\"enum\":[\"p\",\"q\"]},\"any\":{},\"o\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"number\"}]}}}";
    let data = "{\"u\":{\"x\":\"s\"},\"e\":\"q\",\"any\":[1,{}],\"o\":null}";
    let (connect, payload) = read(schema, data);
    let (again, written) = written(&[], &connect, &payload).unwrap();
    assert_eq!(written, data);
    assert_eq!(read(&again, data), (connect, payload), "{again}");
}

#[test]
fn data_is_validated_only_when_asked() {
    let schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"maximum\":5},\"b\":{\"$ref\":\"other.json\"}}}";
    let references = [("other.json", "{\"type\":\"string\",\"minLength\":2}")];
    let with = |fail: &str, data: &str| {
        read_with(&[("json.fail.invalid.schema", fail)], &registered(schema, &references), data)
            .map(|(_, payload)| payload)
    };
    assert!(with("false", "{\"a\":6,\"b\":\"x\"}").is_ok());
    assert!(with("true", "{\"a\":5,\"b\":\"xy\"}").is_ok());
    let fault = with("true", "{\"a\":6,\"b\":\"xy\"}").unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        ("json.invalid", "/a breaks /properties/a/maximum of its JSON Schema")
    );
    assert_eq!(with("true", "{\"a\":5,\"b\":\"s\"}").unwrap_err().code, "json.invalid");
}

#[test]
fn settings_are_checked() {
    let given: IndexMap<String, String> =
        [("preserve.additional.properties", "true"), ("decimal.format", "HEX"), ("flatten.singleton.unions", "maybe")]
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
    let mut settings = Settings::new(&given);
    super::make(&mut settings);
    let keys: Vec<_> = settings.into_problems().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["flatten.singleton.unions", "preserve.additional.properties", "decimal.format"]);
}
