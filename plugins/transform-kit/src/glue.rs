//! From the border's words to this package's and back.
//!
//! Enters: the SDK's tasks and records. Leaves: its faults. Invariant: nothing here decides anything.

use std::ops::Range;
use std::rc::Rc;

use lockgate_sdk as sdk;
use lockgate_sdk::{ConfigValue, Description, Edit, Flow, RowFault, Task, Transform};

use crate::class::{Class, Encoding, Formats};
use crate::config::{Constraint, Definition, Importance, MISSING, Of, Problems, Settings};
use crate::object::{Object, Open};
use crate::record::{Fault, Part, Record, Visit};
use crate::splice;

/// A class as two plugins: `$Value` and `$Key`.
#[derive(Debug)]
pub struct On<T, const VALUE: bool>(T);

/// A class as one plugin.
#[derive(Debug)]
pub struct Plain<T>(T);

impl<T: Class, const VALUE: bool> Transform for On<T, VALUE> {
    fn describe() -> Description {
        describe::<T>(if VALUE { "$Value" } else { "$Key" })
    }

    fn validate(config: &sdk::Settings) -> Vec<ConfigValue> {
        validate::<T>(if VALUE { Part::Value } else { Part::Key }, config)
    }

    fn open(task: Task) -> Result<Self, sdk::Fault> {
        open::<T>(if VALUE { Part::Value } else { Part::Key }, &task).map(Self)
    }

    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        flow(self.0.apply(record))
    }
}

impl<T: Class> Transform for Plain<T> {
    fn describe() -> Description {
        describe::<T>("")
    }

    fn validate(config: &sdk::Settings) -> Vec<ConfigValue> {
        validate::<T>(Part::Value, config)
    }

    fn open(task: Task) -> Result<Self, sdk::Fault> {
        open::<T>(Part::Value, &task).map(Self)
    }

    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        flow(self.0.apply(record))
    }
}

fn describe<T: Class>(suffix: &str) -> Description {
    let name = format!("{}{suffix}", T::NAME);
    let described = Description::new(&format!("{}{name}", T::PACKAGE)).doc(T::DOC).config(config(T::CONFIG));
    let described = if T::SHORT { described.alias(&name) } else { described };
    let alias = |described: Description, name: &&str| described.alias(&format!("{name}{suffix}"));
    let described = T::ALIASES.iter().fold(described, alias);
    if T::LOOKS { described.encoding(Encoding::Json) } else { any_encoding(described) }
}

/// For what never looks inside.
pub fn any_encoding(described: Description) -> Description {
    described.encoding(Encoding::Bytes).encoding(Encoding::Json).encoding(Encoding::Cbor)
}

/// What only the transform's own code can judge of its settings.
fn validate<T: Class>(part: Part, config: &sdk::Settings) -> Vec<ConfigValue> {
    let formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };
    advice(T::new(part, Settings::new(config.pairs().iter().cloned()), formats).err().unwrap_or_default())
}

/// Problems as advice; what is missing the host has said already.
pub fn advice(problems: Problems) -> Vec<ConfigValue> {
    let own = problems.into_iter().filter(|(_, problem)| problem != MISSING);
    own.map(|(key, problem)| ConfigValue { errors: vec![problem], ..sdk::advice(&key) }).collect()
}

fn open<T: Class>(part: Part, task: &Task) -> Result<T, sdk::Fault> {
    let encoding = if part == Part::Key { task.formats.key } else { task.formats.value };
    if T::LOOKS && encoding != Encoding::Json {
        let message =
            format!("{} needs JSON payloads; set a converter that gives them, such as JsonConverter", T::NAME);
        return Err(sdk::Fault::fatal("transform.encoding", message));
    }
    T::new(part, settings(task), task.formats).map_err(refused)
}

/// The user's settings.
pub fn settings(task: &Task) -> Settings {
    Settings::new(task.config.pairs().iter().cloned())
}

/// Problems with the configuration.
pub fn refused(problems: Problems) -> sdk::Fault {
    sdk::Fault::config(problems.into_iter().map(|(key, problem)| sdk::Problem::new(&key, problem)).collect())
}

fn flow(kept: Result<bool, Fault>) -> Result<Flow, RowFault> {
    match kept {
        Ok(true) => Ok(Flow::Keep),
        Ok(false) => Ok(Flow::Drop),
        Err(fault) => Err(RowFault::new(0, fault.code, fault.message)),
    }
}

/// Definitions in the SDK's words.
pub fn config(definitions: &[Definition]) -> sdk::Config {
    definitions.iter().fold(sdk::Config::new(), |config, d| {
        let config = match d.of {
            Of::Boolean => config.boolean(d.name),
            Of::Text => config.string(d.name),
            Of::Int => config.int(d.name),
            Of::Long => config.long(d.name),
            Of::Password => config.password(d.name),
            Of::List => config.list(d.name),
        };
        let config = if d.required { config.required() } else { config };
        let config = match d.default {
            Some(default) => config.default(default),
            None => config,
        };
        let config = match d.constraint {
            Constraint::Any => config,
            Constraint::NonEmpty => config.non_empty(),
            Constraint::OneOf(allowed) => config.one_of(allowed),
            Constraint::AtLeast(low) => config.at_least(f64::from(low)),
        };
        let importance = match d.importance {
            Importance::High => sdk::Importance::High,
            Importance::Medium => sdk::Importance::Medium,
            Importance::Low => sdk::Importance::Low,
        };
        config.importance(importance).doc(d.documentation)
    })
}

impl Record for Edit<'_> {
    fn topic(&self) -> &str {
        Edit::topic(self)
    }

    fn set_topic(&mut self, name: &str) {
        Edit::set_topic(self, name);
    }

    fn partition(&self) -> Option<u32> {
        Edit::partition(self)
    }

    fn offset(&self) -> Option<i64> {
        Edit::offset(self)
    }

    fn timestamp(&self) -> Option<i64> {
        Edit::timestamp(self)
    }

    #[inline]
    fn payload(&self, part: Part) -> Option<&[u8]> {
        if part == Part::Key { self.key() } else { self.value() }
    }

    fn set_payload(&mut self, part: Part, payload: Option<&[u8]>) {
        if part == Part::Key { self.set_key(payload) } else { self.set_value(payload) }
    }

    fn set_range(&mut self, part: Part, of: Part, range: Range<usize>) {
        let of_value = of == Part::Value;
        if part == Part::Key { self.set_key_part(of_value, range) } else { self.set_value_part(of_value, range) }
    }

    #[inline]
    fn rewrite<F>(&mut self, part: Part, write: F) -> Result<(), Fault>
    where
        F: FnOnce(&[u8], &mut Vec<u8>) -> Result<(), Fault>,
    {
        if part == Part::Key { self.rewrite_key(write) } else { self.rewrite_value(write) }
    }

    #[inline]
    fn object<F>(&mut self, part: Part, purpose: &str, change: F) -> Result<(), Fault>
    where
        F: FnOnce(&mut Open<'_>) -> Result<(), Fault>,
    {
        let (schema, there) = (self.schema_id(part), self.has(part));
        let read = |object: &mut Object, text: &[u8]| {
            let text = there.then_some(text);
            object.read(text).map_err(|why| splice::fault(why, schema, purpose, splice::kind(text)))
        };
        let change = |object: &mut Object, text: &[u8]| change(&mut object.open(text));
        if part == Part::Key { self.form_key(read, change) } else { self.form_value(read, change) }
    }

    #[inline]
    fn has(&self, part: Part) -> bool {
        if part == Part::Key { self.has_key() } else { self.has_value() }
    }

    #[inline]
    fn is_null(&self, part: Part) -> bool {
        let object = if part == Part::Key { self.key_is::<Object>() } else { self.value_is::<Object>() };
        !object && splice::is_null(self.payload(part))
    }

    #[inline]
    fn schema_id(&self, part: Part) -> u32 {
        if part == Part::Key { self.key_schema_id() } else { self.value_schema_id() }
    }

    fn set_schema_id(&mut self, part: Part, id: u32) {
        if part == Part::Key { self.set_key_schema_id(id) } else { self.set_value_schema_id(id) }
    }

    fn definition(&self, part: Part) -> Option<Rc<str>> {
        if part == Part::Key { self.key_schema() } else { self.value_schema() }
    }

    fn announce(&self, definition: &str) -> u32 {
        self.schemas().announce(definition)
    }

    fn set_partition(&mut self, partition: Option<u32>) {
        Edit::set_partition(self, partition);
    }

    fn set_timestamp(&mut self, timestamp: Option<i64>) {
        Edit::set_timestamp(self, timestamp);
    }

    fn split(&mut self) {
        Edit::split(self);
    }

    fn has_header(&self, name: &str) -> bool {
        self.header(name).is_some()
    }

    fn visit_headers(&self, visit: &mut Visit<'_>) {
        for (name, value, schema) in self.headers() {
            visit(name, value, schema);
        }
    }

    fn definition_of(&self, id: u32) -> Option<Rc<str>> {
        self.schemas().definition(id)
    }

    fn add_header(&mut self, name: &str, value: Option<&[u8]>, schema: u32) {
        Edit::add_header(self, name, value, schema);
    }

    fn keep_headers(&mut self, keep: impl FnMut(&str) -> bool) {
        Edit::keep_headers(self, keep);
    }
}
