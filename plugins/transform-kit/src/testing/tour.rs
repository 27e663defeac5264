//! The tour of transforms in `docs/`, held against the code.
//!
//! Enters: the document, the classes of a package. Leaves: every way in which it is wrong. Invariant: each class has a table
//! of its keys and an example; each example is run, its output compared member by member.

use std::fmt::Write as _;

use super::Fake;
use crate::class::{Class, Encoding, Formats};
use crate::config::{Constraint, Definition, Of, Problems, Settings};
use crate::record::{Fault, Part, Record};
use crate::tree::Tree;

type Run = Box<dyn FnMut(&mut Fake) -> Result<bool, Fault>>;
type Open = fn(Part, Settings) -> Result<Run, Problems>;

/// A class of a package.
pub struct Entry {
    /// Full name without `$Key` and `$Value`.
    pub class: String,
    /// Path of its type.
    pub path: &'static str,
    keys: &'static [Definition],
    open: Open,
    suffixes: &'static [&'static str],
    predicate: bool,
}

fn open<T: Class>(part: Part, settings: Settings) -> Result<Run, Problems> {
    let formats = Formats { key: Encoding::Json, value: Encoding::Json, header: Encoding::Json };
    let mut class = T::new(part, settings, formats)?;
    Ok(Box::new(move |record| class.apply(record)))
}

/// A class that is one plugin.
pub fn plain<T: Class>() -> Entry {
    entry::<T>(&[""])
}

/// A class with `$Key` and `$Value`.
pub fn both<T: Class>() -> Entry {
    entry::<T>(&["$Value", "$Key"])
}

fn entry<T: Class>(suffixes: &'static [&'static str]) -> Entry {
    let (class, path) = (format!("{}{}", T::PACKAGE, T::NAME), std::any::type_name::<T>());
    Entry { class, path, keys: T::CONFIG, open: open::<T>, suffixes, predicate: false }
}

/// A predicate.
pub fn predicate(class: &str, keys: &'static [Definition], open: Open) -> Entry {
    Entry { class: class.to_owned(), path: "", keys, open, suffixes: &[""], predicate: true }
}

/// All that is wrong with the document for these classes.
pub fn faults(document: &str, entries: &[Entry]) -> Vec<String> {
    let mut faults = Vec::new();
    let examples = examples(document);
    for entry in entries {
        let table = table(entry.keys);
        if !document.contains(&format!("<!-- keys: {} -->\n{table}\n", entry.class)) {
            faults.push(format!(
                "{}: the table of its keys should be\n\n<!-- keys: {} -->\n{table}",
                entry.class, entry.class
            ));
        }
        if !examples.iter().any(|example| example.names(entry)) {
            faults.push(format!("{}: there is no example", entry.class));
        }
    }
    for example in &examples {
        if let Some(Err(why)) = example.run(entries) {
            faults.push(format!("{}: {why}", example.config.write()));
        }
    }
    faults
}

/// The types in the list of a package that are not among the classes, and the other way round.
pub fn unlisted(lib: &str, entries: &[Entry]) -> Vec<String> {
    let listed = |path: &str| lib.contains(&format!("<{path}>,")) || lib.contains(&format!("<{path}, false>,"));
    let known = |name: &str| entries.iter().any(|entry| entry.path.ends_with(&format!("::{name}")));
    let ours = entries.iter().filter(|entry| !entry.path.is_empty());
    let short = ours.map(|entry| entry.path.split_once("::").map_or(entry.path, |(_, path)| path));
    let mut faults: Vec<String> = short.filter(|path| !listed(path)).map(str::to_owned).collect();
    for line in lib.lines().map(str::trim) {
        let found = line.strip_prefix("Plain<").or_else(|| line.strip_prefix("On<"));
        let name = found.and_then(|rest| rest.split(['>', ',']).next());
        faults.extend(name.filter(|name| !known(name)).map(str::to_owned));
    }
    faults
}

fn table(keys: &[Definition]) -> String {
    if keys.is_empty() {
        return "It has no keys.".to_owned();
    }
    let mut out = "| key | type | default | meaning |\n| --- | --- | --- | --- |".to_owned();
    for key in keys {
        let of = match (key.of, key.constraint) {
            (_, Constraint::OneOf(values)) => values.join(", "),
            (Of::Boolean, _) => "boolean".to_owned(),
            (Of::Text, _) => "string".to_owned(),
            (Of::Int, _) => "int".to_owned(),
            (Of::Long, _) => "long".to_owned(),
            (Of::List, _) => "list".to_owned(),
            (Of::Password, _) => "password".to_owned(),
        };
        let default = match (key.required, key.default) {
            (true, _) => "required".to_owned(),
            (_, None) => "none".to_owned(),
            (_, Some("")) => "empty".to_owned(),
            (_, Some(default)) => format!("`{default}`"),
        };
        let says = key.documentation.replace('|', "\\|");
        // Writing to a String cannot fail.
        let _ = write!(out, "\n| `{}` | {of} | {default} | {says} |", key.name);
    }
    out
}

/// A chain, records that enter, answers that leave.
struct Example {
    config: Tree,
    records: Vec<Tree>,
    answers: Vec<Tree>,
}

/// Three blocks of JSON in a row, one value a line.
fn examples(document: &str) -> Vec<Example> {
    let mut blocks: Vec<Vec<Tree>> = Vec::new();
    for block in document.split("```json\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        blocks.push(lines.filter_map(|line| Tree::parse(line.as_bytes()).ok()).collect());
    }
    let mut found = Vec::new();
    let mut blocks = blocks.into_iter();
    while let (Some(config), Some(records), Some(answers)) = (blocks.next(), blocks.next(), blocks.next()) {
        let config = config.into_iter().next().unwrap_or(Tree::Object(Vec::new()));
        found.push(Example { config, records, answers });
    }
    found
}

impl Example {
    fn names(&self, entry: &Entry) -> bool {
        let Tree::Object(members) = &self.config else { return false };
        members.iter().any(|(key, _)| {
            let class = key.strip_suffix(".type").and_then(|_| self.config.text(key));
            class.is_some_and(|class| entry.suffixes.iter().any(|suffix| format!("{}{suffix}", entry.class) == class))
        })
    }

    fn stage(&self, prefix: &str, entries: &[Entry], predicate: bool) -> Option<Result<Run, String>> {
        let Tree::Object(members) = &self.config else { return None };
        let class = self.config.text(&format!("{prefix}type"))?;
        let named = |e: &&Entry| e.suffixes.iter().any(|suffix| format!("{}{suffix}", e.class) == class);
        let entry = entries.iter().filter(|e| e.predicate == predicate).find(named)?;
        let pairs = members.iter().filter_map(|(key, _)| {
            let own = key.strip_prefix(prefix).filter(|own| !matches!(*own, "type" | "predicate" | "negate"))?;
            Some((own.to_owned(), self.config.text(key)?))
        });
        let part = if class.ends_with("$Key") { Part::Key } else { Part::Value };
        let opened = (entry.open)(part, Settings::new(pairs));
        Some(opened.map_err(|problems| format!("{class} is not configured: {problems:?}")))
    }

    /// None for a chain of another package.
    fn run(&self, entries: &[Entry]) -> Option<Result<(), String>> {
        let list = self.config.text("transforms").unwrap_or_default();
        let mut steps = Vec::new();
        for alias in list.split(',').map(str::trim) {
            let prefix = format!("transforms.{alias}.");
            let run = match self.stage(&prefix, entries, false)? {
                Ok(run) => run,
                Err(why) => return Some(Err(why)),
            };
            let guard = self.config.text(&format!("{prefix}predicate"));
            let guard = match guard.map(|name| self.stage(&format!("predicates.{name}."), entries, true)) {
                None => None,
                Some(Some(Ok(run))) => Some(run),
                Some(other) => return Some(Err(format!("the predicate of {alias}: {:?}", other.map(Result::err)))),
            };
            let negate = self.config.text(&format!("{prefix}negate")).as_deref() == Some("true");
            steps.push((run, guard, negate));
        }
        Some(self.compare(&mut steps))
    }

    fn compare(&self, steps: &mut [(Run, Option<Run>, bool)]) -> Result<(), String> {
        let mut answers: Vec<Result<Vec<Fake>, String>> = Vec::new();
        let schemas = Fake::new(None, "").schemas;
        for record in &self.records {
            let mut fake = fake(record);
            fake.schemas.clone_from(&schemas);
            fill(record, &mut fake);
            let outcome = walk(&mut fake, steps);
            let mut all = std::mem::take(&mut fake.sent);
            answers.push(outcome.map(|kept| {
                all.extend(kept.then_some(fake));
                all
            }));
        }
        if answers.len() != self.answers.len() {
            return Err(format!("{} answers, the document has {}", answers.len(), self.answers.len()));
        }
        for (found, expected) in answers.iter().zip(&self.answers) {
            compare(found, expected)?;
        }
        Ok(())
    }
}

fn walk(fake: &mut Fake, steps: &mut [(Run, Option<Run>, bool)]) -> Result<bool, String> {
    for (run, guard, negate) in steps {
        if let Some(guard) = guard
            && guard(fake).map_err(|fault| fault.message)? == *negate
        {
            continue;
        }
        if !run(fake).map_err(|fault| fault.message)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn number(record: &Tree, name: &str) -> Option<i64> {
    match record.get(name) {
        Some(Tree::Raw(raw)) => raw.parse().ok(),
        _ => None,
    }
}

fn fake(record: &Tree) -> Fake {
    let mut fake = Fake::new(None, "");
    fake.topic = record.text("topic").unwrap_or_else(|| "t".to_owned());
    fake.partition = number(record, "partition").and_then(|n| u32::try_from(n).ok());
    (fake.offset, fake.timestamp) = (number(record, "offset"), number(record, "timestamp"));
    fake
}

/// Payloads, schemas and headers.
fn fill(record: &Tree, fake: &mut Fake) {
    let set = |tree: Option<&Tree>| tree.map(Tree::write).filter(|text| text != "null");
    for (part, value, schema) in [(Part::Key, "key", "keySchema"), (Part::Value, "value", "valueSchema")] {
        fake.set_payload(part, set(record.get(value)).as_deref().map(str::as_bytes));
        let id = set(record.get(schema)).map_or(0, |definition| fake.announce(&definition));
        fake.set_schema_id(part, id);
    }
    if let Some(Tree::Array(headers)) = record.get("headers") {
        for header in headers {
            let id = set(header.get("schema")).map_or(0, |definition| fake.announce(&definition));
            let value = set(header.get("value"));
            fake.add_header(&header.text("key").unwrap_or_default(), value.as_deref().map(str::as_bytes), id);
        }
    }
}

/// What became of one record: an error, `{"dropped":true}`, the record, or `{"records":[...]}`.
fn compare(found: &Result<Vec<Fake>, String>, expected: &Tree) -> Result<(), String> {
    let found = match found {
        Err(message) => {
            let wanted = expected.text("error").ok_or_else(|| format!("it failed: {message}"))?;
            return if message.contains(&wanted) { Ok(()) } else { Err(format!("the error is: {message}")) };
        }
        Ok(found) => found,
    };
    let single = [expected.clone()];
    let wanted = match expected.get("records") {
        Some(Tree::Array(records)) => &records[..],
        _ if expected.is_true("dropped") => &[],
        _ => &single[..],
    };
    if found.len() != wanted.len() {
        return Err(format!("{} records leave, the document has {}", found.len(), wanted.len()));
    }
    for (fake, wanted) in found.iter().zip(wanted) {
        let Tree::Object(members) = wanted else { return Err("an answer is no object".to_owned()) };
        for (name, wanted) in members {
            let found = member(fake, name);
            if !same(&found, wanted) {
                return Err(format!("{name} is {}, not {}", found.write(), wanted.write()));
            }
        }
    }
    Ok(())
}

fn member(fake: &Fake, name: &str) -> Tree {
    let null = || Tree::Raw("null".to_owned());
    let parsed = |text: Option<String>| text.and_then(|t| Tree::parse(t.as_bytes()).ok()).unwrap_or_else(null);
    let number = |n: Option<i64>| n.map_or_else(null, |n| Tree::Raw(n.to_string()));
    match name {
        "topic" => Tree::string(&fake.topic),
        "partition" => number(fake.partition.map(i64::from)),
        "offset" => number(fake.offset),
        "timestamp" => number(fake.timestamp),
        "key" => parsed(fake.text(Part::Key)),
        "value" => parsed(fake.text(Part::Value)),
        "keySchema" => parsed(fake.definition(Part::Key).map(|text| text.to_string())),
        "valueSchema" => parsed(fake.definition(Part::Value).map(|text| text.to_string())),
        "headers" => Tree::Array((0..fake.headers.len()).map(|at| header(fake, at)).collect()),
        other => Tree::string(&format!("no member of a record: {other}")),
    }
}

fn header(fake: &Fake, at: usize) -> Tree {
    let (name, value, schema) = fake.header(at);
    let parsed = |text: &str| Tree::parse(text.as_bytes()).unwrap_or(Tree::Raw("null".to_owned()));
    Tree::Object(vec![
        ("key".to_owned(), Tree::string(&name)),
        ("schema".to_owned(), parsed(&schema)),
        ("value".to_owned(), parsed(value.as_deref().unwrap_or("null"))),
    ])
}

/// Equal, whatever the order of members.
fn same(left: &Tree, right: &Tree) -> bool {
    match (left, right) {
        (Tree::Object(a), Tree::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Tree::Array(a), Tree::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Tree::Raw(a), Tree::Raw(b)) => a == b,
        _ => false,
    }
}
