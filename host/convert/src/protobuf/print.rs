//! The `.proto` text of a schema.
//!
//! Enters: a [`File`] drafted from a Connect schema. Leaves: its text, in the layout in which registries print theirs.
//! Invariant: equal drafts have equal text, since registries find schemas by it.

use std::collections::BTreeSet;

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
            out.push_str(&format!("package {package};\n"));
        }
        out.push('\n');
        for import in &self.imports {
            out.push_str(&format!("import \"{import}\";\n"));
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
        out.push_str(&format!("{indent}message {} {{\n", self.name));
        for field in &self.fields {
            field.write(level + 1, out);
        }
        for (name, members) in &self.oneofs {
            out.push_str(&format!("\n{indent}  oneof {name} {{\n"));
            for member in members {
                member.write(level + 2, out);
            }
            out.push_str(&format!("{indent}  }}\n"));
        }
        for message in &self.messages {
            out.push('\n');
            message.write(level + 1, out);
        }
        for of in &self.enums {
            out.push('\n');
            of.write(level + 1, out);
        }
        out.push_str(&format!("{indent}}}\n"));
    }
}

impl Field {
    fn write(&self, level: usize, out: &mut String) {
        let indent = "  ".repeat(level);
        let space = if self.label.is_empty() { "" } else { " " };
        out.push_str(&format!("{indent}{}{space}{} {} = {}", self.label, self.of, self.name, self.number));
        if !self.meta.is_empty() {
            out.push_str(&format!(" [(confluent.field_meta) = {{\n{indent}  params: [\n"));
            for (index, (key, value)) in self.meta.iter().enumerate() {
                let comma = if index + 1 < self.meta.len() { "," } else { "" };
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                out.push_str(&format!(
                    "{indent}    {{\n{indent}      key: \"{key}\",\n{indent}      value: \"{value}\"\n{indent}    }}{comma}\n"
                ));
            }
            out.push_str(&format!("{indent}  ]\n{indent}}}]"));
        }
        out.push_str(";\n");
    }
}

impl Enum {
    fn write(&self, level: usize, out: &mut String) {
        let indent = "  ".repeat(level);
        out.push_str(&format!("{indent}enum {} {{\n", self.name));
        let numbers: BTreeSet<i32> = self.symbols.iter().map(|(_, number)| *number).collect();
        if numbers.len() < self.symbols.len() {
            out.push_str(&format!("{indent}  option allow_alias = true;\n"));
        }
        for (symbol, number) in &self.symbols {
            out.push_str(&format!("{indent}  {symbol} = {number};\n"));
        }
        out.push_str(&format!("{indent}}}\n"));
    }
}
