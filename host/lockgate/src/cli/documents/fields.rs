//! The parts of a document, before anyone says what they mean.
//!
//! Enters: JSON or YAML. Leaves: keys in their order with texts, one level of settings, or something else. Invariant: a number
//! keeps the letters it was written with; a key that stands twice is an error.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A document's keys.
pub type Fields = IndexMap<String, Entry>;

/// What stands at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A scalar, as written; `None` = null.
    Text(Option<String>),
    /// An object of scalars.
    Settings(IndexMap<String, Option<String>>),
    /// A list.
    List,
}

/// A scalar of JSON.
#[derive(Debug)]
pub struct JsonScalar(pub Option<String>);

/// A scalar of YAML.
#[derive(Debug, Deserialize)]
pub struct YamlScalar(Option<String>);

impl From<JsonScalar> for Option<String> {
    fn from(scalar: JsonScalar) -> Self {
        scalar.0
    }
}

impl From<YamlScalar> for Option<String> {
    fn from(scalar: YamlScalar) -> Self {
        scalar.0
    }
}

/// One document, or a list of them.
#[derive(Debug)]
pub struct Documents<S> {
    /// In their order.
    pub fields: Vec<Fields>,
    scalar: PhantomData<S>,
}

/// Keys whose values may be more than a scalar; whatever else stands there is a scalar.
const DEEP: [&str; 2] = ["config", "tasks"];

struct OneOrMany<S>(PhantomData<S>);

impl<'de, S: DeserializeOwned + Into<Option<String>>> Deserialize<'de> for Documents<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_any(OneOrMany::<S>(PhantomData))?;
        Ok(Self { fields, scalar: PhantomData })
    }
}

impl<'de, S: DeserializeOwned + Into<Option<String>>> Visitor<'de> for OneOrMany<S> {
    type Value = Vec<Fields>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connector: an object with `name` and `config`, or with its settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::new();
        while let Some(key) = map.next_key::<String>()? {
            let entry = if DEEP.contains(&key.as_str()) {
                map.next_value::<Deep<S>>()?.0
            } else {
                Entry::Text(map.next_value::<S>()?.into())
            };
            once(&mut fields, key, entry)?;
        }
        Ok(vec![fields])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Documents { fields, .. }) = list.next_element::<Documents<S>>()? {
            all.extend(fields);
        }
        Ok(all)
    }
}

struct Deep<S>(Entry, PhantomData<S>);

struct Either<S>(PhantomData<S>);

impl<'de, S: DeserializeOwned + Into<Option<String>>> Deserialize<'de> for Deep<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(deserializer.deserialize_any(Either::<S>(PhantomData))?, PhantomData))
    }
}

impl<'de, S: DeserializeOwned + Into<Option<String>>> Visitor<'de> for Either<S> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut settings = IndexMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<S>()?.into();
            once(&mut settings, key, value)?;
        }
        Ok(Entry::Settings(settings))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::List)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry::Text(Some(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Entry, E> {
        Ok(Entry::Text(Some(value.to_string())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Entry, E> {
        Ok(Entry::Text(Some(value.to_string())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Entry, E> {
        Ok(Entry::Text(Some(value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Entry, E> {
        Ok(Entry::Text(Some(value.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Entry, E> {
        Ok(Entry::Text(None))
    }
}

fn once<V, E: Error>(map: &mut IndexMap<String, V>, key: String, value: V) -> Result<(), E> {
    if map.contains_key(&key) {
        return Err(E::custom(format!("the key {key} stands twice")));
    }
    map.insert(key, value);
    Ok(())
}
