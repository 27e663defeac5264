//! JSON as values of CEL.
//!
//! Enters: a payload. Leaves: a value: whole numbers are `int`, or `uint` above it, others `double`. Invariant: one pass, no
//! tree in between, no copy of a text without escapes; nesting is bounded by the reader.

use std::collections::HashMap;
use std::fmt;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt};
use cel::common::value::Val;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value that may borrow from the text.
pub type Boxed<'a> = Box<dyn Val + 'a>;

/// The value of a text; none if it is no JSON, or nested more than 128 levels deep.
pub fn value(text: &[u8]) -> Option<Boxed<'_>> {
    serde_json::from_slice::<Json<'_>>(text).ok().map(|json| json.0)
}

/// A text.
pub fn text(text: &str) -> Boxed<'_> {
    Box::new(CelString::from(text))
}

/// A number, or null.
pub fn number<'a>(number: Option<i64>) -> Boxed<'a> {
    match number {
        Some(number) => Box::new(CelInt::from(number)),
        None => Box::new(CelNull),
    }
}

/// An object.
pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Boxed<'a>)>) -> Boxed<'a> {
    let map: HashMap<CelMapKey<'a>, Boxed<'a>> =
        members.into_iter().map(|(name, member)| (CelMapKey::from(name), member)).collect();
    Box::new(CelMap::from(map))
}

struct Json<'a>(Boxed<'a>);

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Json)
    }
}

struct Name<'a>(CelMapKey<'a>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameReader).map(Name)
    }
}

struct NameReader;

impl<'de> Visitor<'de> for NameReader {
    type Value = CelMapKey<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(CelMapKey::from(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(CelMapKey::from(name.to_owned()))
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Boxed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Box::new(CelInt::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Box::new(CelInt::from(value)),
            Err(_) => Box::new(CelUInt::from(value)),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(text(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Box::new(CelString::from(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items: Vec<Boxed<'de>> = Vec::new();
        while let Some(Json(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Box::new(CelList::from(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut map: HashMap<CelMapKey<'de>, Boxed<'de>> = HashMap::new();
        while let Some((Name(name), Json(member))) = members.next_entry()? {
            map.insert(name, member);
        }
        Ok(Box::new(CelMap::from(map)))
    }
}
