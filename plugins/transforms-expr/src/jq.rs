//! `Jq`: a program of jq makes the new key or value.
//!
//! Enters: the payload as the program's input, the rest of the record as variables. Leaves: its output, without a schema; one
//! record, several or none. Invariant: the program is compiled once; what it gives is JSON, or the record fails.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data};
use jaq_json::{Val, read};

use crate::class::{Class, Formats};
use crate::config::{Definition, Importance, Of, Problems, Settings};
use crate::record::{Fault, Part, Record};
use crate::scan::quoted;
use crate::valid;

/// Records that one may become.
const OUTPUTS_MAX: usize = 10_000;
/// Named as in the program.
const VARIABLES: [&str; 7] = ["$key", "$value", "$topic", "$partition", "$offset", "$timestamp", "$headers"];
const OUTPUTS: [&str; 4] = ["one", "split", "array", "first"];
const TOMBSTONES: [&str; 3] = ["pass", "drop", "apply"];

const CONFIG: &[Definition] = &[
    Definition::required("filter", Of::Text, Importance::High, "The program of jq. Its input is the key or value; $key, $value, $topic, $partition, $offset, $timestamp and $headers (an object of last values) are the record. Its output is the new key or value, without a schema; no output drops the record, null is a tombstone.").non_empty(),
    Definition::optional("outputs", Of::Text, Some("one"), Importance::Medium, "What several outputs are. one: an error of the record. split: a record each, in order, at most 10,000. array: one value, a list of them all. first: the others are not asked for.").one_of(&OUTPUTS),
    Definition::optional("tombstones", Of::Text, Some("pass"), Importance::Medium, "What becomes of a null input. pass: the record as it is. drop: nothing. apply: the program gets null.").one_of(&TOMBSTONES),
];

type Program = Filter<data::JustLut<Val>>;

/// The transform.
pub struct Jq {
    part: Part,
    program: Program,
    used: Vec<usize>,
    outputs: &'static str,
    tombstones: &'static str,
}

impl std::fmt::Debug for Jq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jq").field("part", &self.part).field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

/// Not offered: they end the process, read its environment, or write payloads to logs.
fn offered(name: &str) -> bool {
    !matches!(name, "halt" | "halt_error" | "env" | "$ENV" | "debug" | "debug_empty" | "stderr" | "stderr_empty")
}

fn compile(code: &str) -> Result<Program, String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|(name, ..)| offered(name));
    let arena = Arena::default();
    let loaded = Loader::new(defs.filter(|def| offered(def.name))).load(&arena, File { code, path: () });
    let near = |found: &str| {
        let place = found.chars().take(30).collect::<String>();
        if place.is_empty() { "at its end".to_owned() } else { format!("near `{place}`") }
    };
    let modules = loaded.map_err(|errors| {
        use jaq_core::load::Error;
        let what = errors.first().map(|(_, error)| match error {
            Error::Lex(all) => all.first().map(|(wanted, at)| format!("{} is expected {}", wanted.as_str(), near(at))),
            Error::Parse(all) => {
                all.first().map(|(wanted, at)| format!("{} is expected {}", wanted.as_str(), near(at)))
            }
            Error::Io(all) => all.first().map(|(path, _)| format!("there are no modules here: {path}")),
        });
        format!("not a program of jq: {}", what.flatten().unwrap_or_default())
    })?;
    Compiler::default().with_funs(funs).with_global_vars(VARIABLES).compile(modules).map_err(|errors| {
        let what = errors.first().and_then(|(_, all)| all.first());
        let what = what.map(|(name, kind)| format!("undefined {} `{name}`", kind.as_str()));
        format!("not a program of jq: {}", what.unwrap_or_default())
    })
}

fn parsed(text: Option<&[u8]>) -> Result<Val, Fault> {
    let Some(text) = text else { return Ok(Val::Null) };
    let found = if valid::is_json(text) { read::parse_single(text).ok() } else { None };
    found.ok_or_else(|| Fault { code: "json.syntax", message: "the payload is not valid JSON".to_owned() })
}

fn number(n: Option<i64>) -> Result<Val, Fault> {
    n.map_or(Ok(Val::Null), |n| parsed(Some(n.to_string().as_bytes())))
}

impl Jq {
    fn variable<R: Record>(&self, record: &R, index: usize) -> Result<Val, Fault> {
        if !self.used.contains(&index) {
            return Ok(Val::Null);
        }
        match VARIABLES[index] {
            "$key" => parsed(record.payload(Part::Key)),
            "$value" => parsed(record.payload(Part::Value)),
            "$topic" => Ok(Val::from(record.topic().to_owned())),
            "$partition" => number(record.partition().map(i64::from)),
            "$offset" => number(record.offset()),
            "$timestamp" => number(record.timestamp()),
            _ => {
                let mut members: Vec<(String, String)> = Vec::new();
                record.visit_headers(&mut |name, value, _| {
                    let value = value.map_or_else(
                        || "null".to_owned(),
                        |bytes| {
                            let text = String::from_utf8_lossy(bytes);
                            if valid::is_json(bytes) { text.into_owned() } else { quoted(&text) }
                        },
                    );
                    members.retain(|(known, _)| known != name);
                    members.push((name.to_owned(), value));
                });
                let members: Vec<String> = members.iter().map(|(n, v)| format!("{}:{v}", quoted(n))).collect();
                parsed(Some(format!("{{{}}}", members.join(",")).as_bytes()))
            }
        }
    }

    /// The outputs as JSON, at most `limit` of them.
    fn run<R: Record>(&self, record: &R, limit: usize) -> Result<Vec<Vec<u8>>, Fault> {
        let failed = |message: String| Fault { code: "transform.expression", message };
        let input = parsed(record.payload(self.part))?;
        let mut variables = Vec::with_capacity(VARIABLES.len());
        for index in 0..VARIABLES.len() {
            variables.push(self.variable(record, index)?);
        }
        let context = Ctx::<data::JustLut<Val>>::new(&self.program.lut, Vars::new(variables));
        let mut outputs = Vec::new();
        for output in self.program.id.run((context, input)).take(limit) {
            // What an error says may hold values of the payload.
            let output = output.map_err(|_| failed("the program failed on this record".to_owned()))?;
            let text = output.to_string().into_bytes();
            if !valid::is_json(&text) {
                return Err(failed("the program's output cannot be written as JSON".to_owned()));
            }
            outputs.push(text);
        }
        Ok(outputs)
    }

    fn put<R: Record>(&self, record: &mut R, output: &[u8]) {
        record.set_payload(self.part, Some(output).filter(|text| *text != b"null"));
        record.set_schema_id(self.part, 0);
    }
}

impl Class for Jq {
    const NAME: &'static str = "Jq";
    const PACKAGE: &'static str = "lockgate.";
    const DOC: &'static str =
        "A program of jq makes the new key or value, without a schema: one record, several or none.";
    const CONFIG: &'static [Definition] = CONFIG;

    fn new(part: Part, mut settings: Settings, _formats: Formats) -> Result<Self, Problems> {
        let code = settings.required_non_empty("filter");
        let (outputs, tombstones) = (settings.choice("outputs", &OUTPUTS), settings.choice("tombstones", &TOMBSTONES));
        let used = (0..VARIABLES.len()).filter(|index| code.contains(VARIABLES[*index])).collect();
        match compile(&code) {
            Ok(program) => settings.finish(Self { part, program, used, outputs, tombstones }),
            Err(why) => {
                if !code.is_empty() {
                    settings.problem("filter", why);
                }
                Err(settings.finish(()).err().unwrap_or_default())
            }
        }
    }

    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault> {
        if record.is_null(self.part) && self.tombstones != "apply" {
            return Ok(self.tombstones == "pass");
        }
        let limit = if self.outputs == "first" { 1 } else { OUTPUTS_MAX + 1 };
        let limit = if self.outputs == "one" { 2 } else { limit };
        let outputs = self.run(record, limit)?;
        if outputs.len() > OUTPUTS_MAX || (outputs.len() > 1 && self.outputs == "one") {
            let message = match self.outputs {
                "one" => "the program gave more than one output; `outputs` says what to do with them".to_owned(),
                _ => format!("the program gave more than {OUTPUTS_MAX} outputs"),
            };
            return Err(Fault { code: "transform.expression", message });
        }
        if self.outputs == "array" {
            let all = outputs.join(&b","[..]);
            self.put(record, &[b"[", &all[..], b"]"].concat());
            return Ok(true);
        }
        let Some((last, before)) = outputs.split_last() else { return Ok(false) };
        for output in before {
            self.put(record, output);
            record.split();
        }
        self.put(record, last);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
