//! `MessageTimestampRouter`: a time that stands in the value goes into the topic.
//!
//! Enters: values without a schema, as in Confluent's original, or with one. Leaves: the same under another topic. Invariant:
//! the first of the fields that is there decides.

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::dates;
use crate::lookup::{Path, scalar};
use crate::record::{Fault, Part, Record};
use crate::splice;

const CONFIG: &[Definition] = &[
    Definition::optional("topic.format", Of::Text, Some("${topic}-${timestamp}"), Importance::High, "Format string which can contain ${topic} and ${timestamp} as placeholders for the topic and timestamp, respectively."),
    Definition::optional("message.timestamp.format", Of::Text, Some("yyyy-MM-dd'T'HH:mm:ss.SSSXXX"), Importance::High, "Format string for the message's timestamp that is compatible with java.text.SimpleDateFormat. A number is taken as milliseconds since the epoch."),
    Definition::required("message.timestamp.keys", Of::List, Importance::High, "Comma-separated list of field names in the record's value that hold the timestamp; the first that is there is used.").non_empty(),
    Definition::optional("topic.timestamp.format", Of::Text, Some("yyyyMMdd"), Importance::High, "Format string for the topic's timestamp that is compatible with java.text.SimpleDateFormat."),
];

/// The transform.
#[derive(Debug)]
pub struct MessageTimestampRouter {
    topic_format: String,
    fields: Vec<Path>,
    read: dates::Format,
    print: dates::Format,
}

impl Class for MessageTimestampRouter {
    const NAME: &'static str = "MessageTimestampRouter";
    const PACKAGE: &'static str = "io.confluent.connect.transforms.";
    const DOC: &'static str = "Confluent's: makes the topic of the original topic and a time that stands in the value.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(_part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let mut format = |key: &str, default: &str| {
            let pattern = settings.given(key).unwrap_or_else(|| default.to_owned());
            dates::Format::new(&pattern).unwrap_or_else(|why| {
                settings.problem(key, why);
                dates::Format::default()
            })
        };
        let read = format("message.timestamp.format", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX");
        let print = format("topic.timestamp.format", "yyyyMMdd");
        let fields = settings.required_names("message.timestamp.keys").iter().map(|name| Path::single(name)).collect();
        let topic_format = settings.given("topic.format").unwrap_or_else(|| "${topic}-${timestamp}".to_owned());
        settings.finish(Self { topic_format, fields, read, print })
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        let text = record.payload(Part::Value).unwrap_or(b"null");
        let refuse = |why| splice::fault(why, record.schema_id(Part::Value), "timestamp", splice::kind(Some(text)));
        let mut found = None;
        for field in &self.fields {
            let place = field.find(text).map_err(refuse)?;
            found = place.and_then(|at| scalar(&text[at.clone()]).map(|value| (text[at.start] == b'"', value)));
            if found.is_some() {
                break;
            }
        }
        let (is_text, value) = found.ok_or_else(|| Fault::data("the value has none of message.timestamp.keys"))?;
        let ms = if is_text { self.read.parse(&value) } else { value.parse().ok() };
        let ms = ms.ok_or_else(|| Fault::data("the message's timestamp does not fit message.timestamp.format"))?;
        let time = self.print.print(ms);
        let topic = self.topic_format.replace("${timestamp}", &time).replace("${topic}", record.topic());
        record.set_topic(&topic);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::MessageTimestampRouter;
    use crate::class::Class;
    use crate::record::Part;
    use crate::testing::{Fake, configure};

    #[test]
    fn the_first_time_that_is_there_goes_into_the_topic() {
        let keys = ("message.timestamp.keys", "timestamp,time,ts");
        let day = ("message.timestamp.format", "yyyy-MM-dd");
        for (pairs, value, expected) in [
            (
                vec![
                    keys,
                    day,
                    ("topic.format", "foo-${topic}-${timestamp}"),
                    ("topic.timestamp.format", "yyyy.MM.dd"),
                ],
                r#"{"time":"2019-08-06"}"#,
                Some("foo-t-2019.08.06"),
            ),
            (vec![keys, day], r#"{"ts":"2020-01-01","timestamp":"2019-08-06"}"#, Some("t-20190806")),
            (vec![keys, day], r#"{"timestamp":null,"time":"2019-08-06"}"#, Some("t-20190806")),
            (vec![keys], r#"{"ts":"2019-08-06T12:30:00.000Z"}"#, Some("t-20190806")),
            (vec![keys], r#"{"ts":1565049600000}"#, Some("t-20190806")),
            (vec![keys], r#"{"ts":"soon"}"#, None),
            (vec![keys], "{}", None),
            (vec![keys], "null", None),
        ] {
            let mut class = configure::<MessageTimestampRouter>(Part::Value, &pairs).unwrap();
            let mut fake = Fake::new(Some(value), "");
            match expected {
                Some(topic) => assert_eq!((class.apply(&mut fake), fake.topic.as_str()), (Ok(true), topic), "{value}"),
                None => assert!(class.apply(&mut fake).is_err(), "{value}"),
            }
        }
        assert!(configure::<MessageTimestampRouter>(Part::Value, &[]).is_err());
        assert!(configure::<MessageTimestampRouter>(Part::Value, &[keys, ("topic.timestamp.format", "b")]).is_err());
    }
}
