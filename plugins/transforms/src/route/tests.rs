//! Rows of the reference on routing.
#![allow(clippy::unwrap_used)]

use super::{Filter, RegexRouter, TimestampRouter};
use crate::class::Class;
use crate::record::Part;
use crate::testing::{Fake, configure};

fn route<T: Class>(pairs: &[(&str, &str)], topic: &str) -> Result<String, String> {
    let mut record = Fake { topic: topic.to_owned(), ..Fake::new(None, "") };
    let mut class = configure::<T>(Part::Value, pairs).map_err(|p| format!("{p:?}"))?;
    class.apply(&mut record.clone()).map_err(|f| f.message)?;
    class.apply(&mut record).map_err(|f| f.message)?;
    Ok(record.topic)
}

#[test]
fn the_whole_topic_must_match_then_the_first_find_is_replaced() {
    for (regex, replacement, topic, expected) in [
        ("(.*)-(.*)", "$2-$1", "a-b", "b-a"),
        ("x", "y", "xx", "xx"),
        ("a|ab", "X", "ab", "Xb"),
        ("(?<db>\\w+)\\.(.*)", "${db}_$2", "d.t", "d_t"),
        ("(.*)", "$11", "t", "t1"),
        ("(.*)", "\\$1", "t", "$1"),
        ("(a)?b", "[$1]", "b", "[]"),
        (".*(?=x)x", "y", "ax", "y"),
    ] {
        let routed = route::<RegexRouter>(&[("regex", regex), ("replacement", replacement)], topic);
        assert_eq!(routed, Ok(expected.to_owned()), "{regex}");
    }
    for replacement in ["$2", "$", "$x", "\\"] {
        assert!(route::<RegexRouter>(&[("regex", "(.*)"), ("replacement", replacement)], "t").is_err());
    }
    assert!(configure::<RegexRouter>(Part::Value, &[("regex", "("), ("replacement", "x")]).is_err());
    assert_eq!(configure::<RegexRouter>(Part::Value, &[]).unwrap_err().len(), 2);
}

#[test]
fn the_records_time_goes_into_the_topic() {
    for (pairs, expected) in [
        (&[][..], "t-20200229"),
        (&[("topic.format", "${timestamp}.${topic}.${x}"), ("timestamp.format", "yyyy-MM")], "2020-02.t.${x}"),
    ] {
        assert_eq!(route::<TimestampRouter>(pairs, "t"), Ok(expected.to_owned()));
    }
    let mut none = Fake { timestamp: None, ..Fake::new(None, "") };
    assert!(configure::<TimestampRouter>(Part::Value, &[]).unwrap().apply(&mut none).is_err());
    let mut broken = configure::<TimestampRouter>(Part::Value, &[("timestamp.format", "b")]).unwrap();
    let fault = broken.apply(&mut Fake::new(None, "")).unwrap_err();
    assert_eq!(fault.code, "transform.argument", "found with the first record");
    assert_eq!(configure::<Filter>(Part::Value, &[]).unwrap().apply(&mut none), Ok(false));
}
