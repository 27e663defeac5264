//! The `.proto` text of a schema.
//!
//! Enters: a [`File`] drafted from a Connect schema. Leaves: its text, in the layout in which registries print theirs.
//! Invariant: equal drafts have equal text, since registries find schemas by it. Writing to a `String` cannot fail.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A file with one message.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) package: Option<String>,
    pub(crate) imports: BTreeSet<&'static str>,
    pub(crate) message: Message,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) oneofs: Vec<(String, Vec<Field>)>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
}

#[derive(Debug)]
pub(crate) struct Field {
    /// `repeated`, `optional` or nothing.
    pub(crate) label: &'static str,
    pub(crate) of: String,
    pub(crate) name: String,
    pub(crate) number: u32,
    /// Parameters of `(confluent.field_meta)`.
    pub(crate) meta: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) name: String,
    /// In the order of the text; a symbol with number zero stands first.
    pub(crate) symbols: Vec<(String, i32)>,
}

impl File {
    pub(crate) fn text(&self) -> String {
        let mut out = String::from("syntax = \"proto3\";\n");
        if let Some(package) = &self.package {
            let _ = writeln!(out, "package {package};");
        }
        out.push('\n');
        for import in &self.imports {
            let _ = writeln!(out, "import \"{import}\";");
        }
        if !self.imports.is_empty() {
            out.push('\n');
        }
        self.message.write(0, &mut out);
        out
    }
}

impl Message {
    fn write(&self, level: usize, out: &mut String) {
        let indent = "  ".repeat(level);
        let _ = writeln!(out, "{indent}message {} {{", self.name);
        for field in &self.fields {
            field.write(level + 1, out);
        }
        for (name, members) in &self.oneofs {
            let _ = writeln!(out, "\n{indent}  oneof {name} {{");
            for member in members {
                member.write(level + 2, out);
            }
            let _ = writeln!(out, "{indent}  }}");
        }
        for message in &self.messages {
            out.push('\n');
            message.write(level + 1, out);
        }
        for of in &self.enums {
            out.push('\n');
            of.write(level + 1, out);
        }
        let _ = writeln!(out, "{indent}}}");
    }
}

impl Field {
    fn write(&self, level: usize, out: &mut String) {
        let indent = "  ".repeat(level);
        let space = if self.label.is_empty() { "" } else { " " };
        let _ = write!(out, "{indent}{}{space}{} {} = {}", self.label, self.of, self.name, self.number);
        if !self.meta.is_empty() {
            let _ = writeln!(out, " [(confluent.field_meta) = {{\n{indent}  params: [");
            for (index, (key, value)) in self.meta.iter().enumerate() {
                let comma = if index + 1 < self.meta.len() { "," } else { "" };
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = write!(
                    out,
                    "{indent}    {{\n{indent}      key: \"{key}\",\n{indent}      value: \"{value}\"\n{indent}    }}{comma}\n"
                );
            }
            let _ = write!(out, "{indent}  ]\n{indent}}}]");
        }
        out.push_str(";\n");
    }
}

impl Enum {
    fn write(&self, level: usize, out: &mut String) {
        let indent = "  ".repeat(level);
        let _ = writeln!(out, "{indent}enum {} {{", self.name);
        let numbers: BTreeSet<i32> = self.symbols.iter().map(|(_, number)| *number).collect();
        if numbers.len() < self.symbols.len() {
            let _ = writeln!(out, "{indent}  option allow_alias = true;");
        }
        for (symbol, number) in &self.symbols {
            let _ = writeln!(out, "{indent}  {symbol} = {number};");
        }
        let _ = writeln!(out, "{indent}}}");
    }
}
