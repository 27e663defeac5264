//! An expression of CEL over a record.
//!
//! Enters: its text once, then records. Leaves: a boolean, a text or null. Invariant: only what the expression names is read
//! of a record; an error never shows what a payload holds.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Program, Value, extensions};

use crate::json::{self, Boxed};
use crate::record::{Fault, Part, Record};
use crate::schemas::Plans;
use crate::tree::Tree;

/// What an expression may name.
pub const VARIABLES: [&str; 9] =
    ["value", "key", "valueSchema", "keySchema", "topic", "partition", "offset", "timestamp", "headers"];

/// The expression, ready to run.
pub struct Expression {
    program: Program,
    env: Arc<Env>,
    names: Vec<&'static str>,
    schemas: RefCell<Plans<Schema>>,
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
        Ok(Self { program, env: Arc::new(env), names, schemas: RefCell::default() })
    }

    /// Its value for a record.
    pub fn run<R: Record>(&self, record: &R) -> Result<Value, Fault> {
        let headers = if self.names.contains(&"headers") { headers(record) } else { Vec::new() };
        let schema = |name: &str, part| self.names.contains(&name).then(|| self.schema(record, part)).flatten();
        let (key, value) = (schema("keySchema", Part::Key), schema("valueSchema", Part::Value));
        let mut context = Context::with_env(Arc::clone(&self.env));
        for name in &self.names {
            let value = match *name {
                "value" => payload(record.payload(Part::Value))?,
                "key" => payload(record.payload(Part::Key))?,
                "valueSchema" => value.as_deref().map_or_else(|| json::number(None), Schema::value),
                "keySchema" => key.as_deref().map_or_else(|| json::number(None), Schema::value),
                "topic" => json::text(record.topic()),
                "partition" => json::number(record.partition().map(i64::from)),
                "offset" => json::number(record.offset()),
                "timestamp" => json::number(record.timestamp()),
                _ => json::object(headers.iter().map(|(name, value)| (name.as_str(), header(value.as_deref())))),
            };
            context.add_variable_as_val(*name, value);
        }
        self.program.execute(&context).map_err(|why| Fault { code: "transform.expression", message: refused(&why) })
    }
}

impl Expression {
    /// What there is to see of a part's schema, worked out once for each.
    fn schema<R: Record>(&self, record: &R, part: Part) -> Option<Rc<Schema>> {
        let id = record.schema_id(part);
        let mut schemas = self.schemas.borrow_mut();
        match schemas.find(id) {
            _ if id == 0 => None,
            Some(schema) => Some(schema),
            None => Some(schemas.keep(id, Schema::of(record, part)?)),
        }
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

fn payload(text: Option<&[u8]>) -> Result<Boxed<'_>, Fault> {
    let Some(text) = text else { return Ok(json::number(None)) };
    json::value(text).ok_or_else(|| Fault { code: "json.syntax", message: "the payload is not valid JSON".to_owned() })
}

/// What an expression sees of a schema.
struct Schema {
    name: Option<String>,
    of: Option<String>,
    version: Option<i64>,
}

impl Schema {
    /// None without a schema.
    fn of<R: Record>(record: &R, part: Part) -> Option<Self> {
        let tree = Tree::parse(record.definition(part)?.as_bytes()).ok()?;
        let version = match tree.get("version") {
            Some(Tree::Raw(raw)) => raw.parse().ok(),
            _ => None,
        };
        Some(Self { name: tree.text("name"), of: tree.text("type"), version })
    }

    fn value(&self) -> Boxed<'_> {
        json::object([
            ("name", text(self.name.as_deref())),
            ("type", text(self.of.as_deref())),
            ("version", json::number(self.version)),
        ])
    }
}

fn text(text: Option<&str>) -> Boxed<'_> {
    text.map_or_else(|| json::number(None), json::text)
}

/// The last value of each header.
fn headers<R: Record>(record: &R) -> Vec<(String, Option<Vec<u8>>)> {
    let mut all: Vec<(String, Option<Vec<u8>>)> = Vec::new();
    record.visit_headers(&mut |name, value, _| {
        all.retain(|(known, _)| known != name);
        all.push((name.to_owned(), value.map(<[u8]>::to_vec)));
    });
    all
}

/// JSON where it is some, else text where it is some.
fn header(value: Option<&[u8]>) -> Boxed<'_> {
    let Some(bytes) = value else { return json::number(None) };
    let text = || std::str::from_utf8(bytes).ok().map(json::text);
    json::value(bytes).or_else(text).unwrap_or_else(|| json::number(None))
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
