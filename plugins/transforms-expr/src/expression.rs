//! An expression of CEL over a record.
//!
//! Enters: its text once, then records. Leaves: a boolean, a text or null. Invariant: only what the expression names is read
//! of a record; an error never shows what a payload holds.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Program, Value, extensions};

use crate::json;
use crate::record::{Fault, Part, Record};
use crate::tree::Tree;
use crate::valid;

/// What an expression may name.
pub const VARIABLES: [&str; 9] =
    ["value", "key", "valueSchema", "keySchema", "topic", "partition", "offset", "timestamp", "headers"];

/// The expression, ready to run.
pub struct Expression {
    program: Program,
    env: Arc<Env>,
    names: Vec<&'static str>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expression").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Expression {
    /// Compiles it. Functions: CEL's own and its extension for strings.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut env = Env::stdlib();
        env.add_extension(extensions::strings).map_err(|why| why.to_string())?;
        let program = env.compile(text).map_err(|why| format!("not an expression of CEL: {why}"))?;
        let mut names = Vec::new();
        let references = program.references();
        for name in references.variables() {
            match VARIABLES.iter().find(|known| **known == name) {
                Some(known) => names.push(*known),
                // The names that macros bind, as `x` in `list.exists(x, x > 1)`, start like any other.
                None if bound(text, name) => {}
                None => {
                    return Err(format!("`{name}` is not known; an expression may name {}", VARIABLES.join(", ")));
                }
            }
        }
        Ok(Self { program, env: Arc::new(env), names })
    }

    /// Its value for a record.
    pub fn run<R: Record>(&self, record: &R) -> Result<Value, Fault> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for name in &self.names {
            let value = match *name {
                "value" => payload(record.payload(Part::Value))?,
                "key" => payload(record.payload(Part::Key))?,
                "valueSchema" => schema(record, Part::Value),
                "keySchema" => schema(record, Part::Key),
                "topic" => Value::from(record.topic()),
                "partition" => record.partition().map_or(Value::Null, |n| Value::Int(n.into())),
                "offset" => record.offset().map_or(Value::Null, Value::Int),
                "timestamp" => record.timestamp().map_or(Value::Null, Value::Int),
                _ => headers(record),
            };
            context.add_variable_from_value(*name, value);
        }
        self.program.execute(&context).map_err(|why| Fault { code: "transform.expression", message: refused(&why) })
    }
}

/// True for a name that a macro of the expression binds.
fn bound(text: &str, name: &str) -> bool {
    let macros = ["all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "bind"];
    macros.iter().any(|call| {
        text.match_indices(&format!(".{call}(")).any(|(at, found)| {
            let rest = text[at + found.len()..].trim_start();
            rest.strip_prefix(name).is_some_and(|after| after.trim_start().starts_with(','))
        })
    }) || name.starts_with(['@', '_'])
}

fn payload(text: Option<&[u8]>) -> Result<Value, Fault> {
    let Some(text) = text else { return Ok(Value::Null) };
    let found = if valid::is_json(text) { json::value(text) } else { None };
    found.ok_or_else(|| Fault { code: "json.syntax", message: "the payload is not valid JSON".to_owned() })
}

/// Name, version and type of a schema; null without one.
fn schema<R: Record>(record: &R, part: Part) -> Value {
    let Some(tree) = record.definition(part).and_then(|text| Tree::parse(text.as_bytes()).ok()) else {
        return Value::Null;
    };
    let text = |name: &str| tree.text(name).map_or(Value::Null, Value::from);
    let version = match tree.get("version") {
        Some(Tree::Raw(raw)) => raw.parse().map_or(Value::Null, Value::Int),
        _ => Value::Null,
    };
    Value::from(HashMap::from([
        ("name".to_owned(), text("name")),
        ("type".to_owned(), text("type")),
        ("version".to_owned(), version),
    ]))
}

/// The last value of each header: JSON where it is some, else text.
fn headers<R: Record>(record: &R) -> Value {
    let mut map: HashMap<String, Value> = HashMap::new();
    record.visit_headers(&mut |name, value, _| {
        let value = value.map_or(Value::Null, |bytes| {
            let json = if valid::is_json(bytes) { json::value(bytes) } else { None };
            json.unwrap_or_else(|| Value::from(&*String::from_utf8_lossy(bytes)))
        });
        map.insert(name.to_owned(), value);
    });
    Value::from(map)
}

/// What went wrong, without values.
fn refused(why: &ExecutionError) -> String {
    match why {
        ExecutionError::NoSuchKey(name) => format!("no such field: {name}; guard it with has(...)"),
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::UndeclaredReference(_)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::InvalidArgumentCount { .. } => why.to_string(),
        ExecutionError::ValuesNotComparable(..) => "values of different types are compared".to_owned(),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("the operator {operator} does not take values of these types")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::Overflow(operator, ..) => format!("the operator {operator} overflows"),
        ExecutionError::IndexOutOfBounds(_) => "an index is out of bounds".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("the function {function} failed"),
        _ => "the expression cannot be evaluated for this record".to_owned(),
    }
}
