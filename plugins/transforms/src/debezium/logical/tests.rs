//! Rows of the reference on Debezium's router of shards.
#![allow(clippy::unwrap_used)]

use super::ByLogicalTableRouter;
use crate::class::Class;
use crate::record::{Part, Record};
use crate::testing::{Fake, configure};

const KEY: &str = r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"db1.t.Key"}"#;
const ROW: &str = r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":true,"name":"db1.t.Value","field":"NAME"}"#;

fn envelope() -> String {
    let row = |name: &str| ROW.replace("NAME", name);
    format!(
        r#"{{"type":"struct","fields":[{},{}],"optional":false,"name":"db1.t.Envelope"}}"#,
        row("before"),
        row("after")
    )
}

fn run(pairs: &[(&str, &str)], topic: &str, key: Option<&str>) -> Result<Fake, String> {
    let mut fake = Fake::new(Some(r#"{"before":null,"after":{"id":1}}"#), &envelope());
    topic.clone_into(&mut fake.topic);
    fake.parts[0] = key.map(|k| k.as_bytes().to_vec());
    fake.ids[0] = if key.is_some_and(|k| k.starts_with('{')) { fake.announce(KEY) } else { 0 };
    let routes = [("topic.regex", "(db)[0-9]+\\.(.*)"), ("topic.replacement", "$1_all.$2")];
    let pairs: Vec<_> = routes.into_iter().chain(pairs.iter().copied()).collect();
    let mut class = configure::<ByLogicalTableRouter>(Part::Value, &pairs).map_err(|p| format!("{p:?}"))?;
    class.apply(&mut fake.clone()).map_err(|f| f.message)?;
    class.apply(&mut fake).map_err(|f| f.message)?;
    Ok(fake)
}

#[test]
fn shards_go_to_one_topic_with_their_name_in_the_key() {
    let id = "__dbz__physicalTableIdentifier";
    for (pairs, key) in [
        (vec![], format!(r#"{{"id":1,"{id}":"db1.t"}}"#)),
        (vec![("key.field.name", "shard")], r#"{"id":1,"shard":"db1.t"}"#.to_owned()),
        (
            vec![("key.field.regex", "(db[0-9]+)\\..*"), ("key.field.replacement", "$1")],
            format!(r#"{{"id":1,"{id}":"db1"}}"#),
        ),
        (vec![("key.field.regex", "no"), ("key.field.replacement", "$1")], format!(r#"{{"id":1,"{id}":"db1.t"}}"#)),
        (vec![("key.enforce.uniqueness", "false")], r#"{"id":1}"#.to_owned()),
    ] {
        let fake = run(&pairs, "db1.t", Some(r#"{"id":1}"#)).unwrap();
        assert_eq!((fake.topic.as_str(), fake.text(Part::Key)), ("db_all.t", Some(key)), "{pairs:?}");
        assert!(fake.schema(Part::Key).contains(r#""name":"db_all.t.Key""#));
        let value = fake.schema(Part::Value);
        assert!(value.ends_with(r#""optional":false,"name":"db_all.t.Envelope"}"#), "{value}");
        assert_eq!(value.matches(r#""optional":true,"name":"db_all.t.Value""#).count(), 2);
    }
}

#[test]
fn other_topics_null_keys_and_values_that_are_no_events() {
    let fake = run(&[], "other", Some(r#"{"id":1}"#)).unwrap();
    assert_eq!((fake.topic.as_str(), fake.schema(Part::Key).as_str()), ("other", KEY));
    assert_eq!(run(&[("topic.replacement", "$1")], "db1.t", None).unwrap().text(Part::Key), None);
    assert!(run(&[], "db1.t", Some("5")).unwrap_err().contains("Only Map objects"));
    let mut class = configure::<ByLogicalTableRouter>(
        Part::Value,
        &[("topic.regex", ".*"), ("topic.replacement", "all"), ("schema.name.adjustment.mode", "avro")],
    )
    .unwrap();
    let mut tombstone = Fake::new(None, "");
    assert_eq!((class.apply(&mut tombstone), tombstone.topic.as_str()), (Ok(true), "all"));
    let mut plain = Fake::new(Some("1"), r#"{"type":"int32","optional":false}"#);
    class.apply(&mut plain).unwrap();
    assert_eq!(plain.schema(Part::Value), r#"{"type":"int32","optional":false}"#);
}

#[test]
fn names_are_made_to_fit_avro_if_asked_for() {
    let pairs = [("topic.replacement", "0-$2"), ("schema.name.adjustment.mode", "avro")];
    let fake = run(&pairs, "db1.t", Some(r#"{"id":1}"#)).unwrap();
    assert!(fake.schema(Part::Key).contains(r#""name":"__t.Key""#), "{}", fake.schema(Part::Key));
    assert!(
        run(&[("key.field.regex", "a")], "db1.t", None).unwrap_err().contains("must be non-empty if key.field.regex")
    );
    assert_eq!(configure::<ByLogicalTableRouter>(Part::Value, &[]).unwrap_err().len(), 2);
}
