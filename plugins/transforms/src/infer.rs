//! Schemas of JSON whose structure nobody declared, as Debezium infers them.
//!
//! Enters: JSON. Leaves: a schema, and the payload that fits it. Invariant: everything is optional; a list has one type of
//! element, or it is refused; what has no type (an empty list, a null) is left out.

use crate::scan::quoted;
use crate::tree::Tree;

/// What a null in JSON becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// It is left out.
    Ignore,
    /// An optional field of bytes that is null.
    Bytes,
}

/// The schema of a value; none where it has no type. `name` is that of the struct, if it is one.
pub fn schema(value: &Tree, name: &str, nulls: Nulls) -> Result<Option<Tree>, String> {
    let scalar = |of: &str| Ok(Some(Tree::scalar(of, true)));
    match value {
        Tree::Raw(raw) => match raw.as_bytes().first() {
            Some(b'"') => scalar("string"),
            Some(b't' | b'f') => scalar("boolean"),
            Some(b'n') => Ok((nulls == Nulls::Bytes).then(|| Tree::scalar("bytes", true))),
            _ => scalar(number(raw)),
        },
        Tree::Array(items) if items.is_empty() => Ok(None),
        Tree::Array(items) => Ok(Some(Tree::Object(vec![
            ("type".to_owned(), Tree::string("array")),
            ("items".to_owned(), element(items, name, nulls)?),
            ("optional".to_owned(), Tree::boolean(true)),
        ]))),
        Tree::Object(members) => {
            let mut fields: Vec<Tree> = Vec::new();
            for (key, value) in members {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let known = fields.iter().any(|field| field.text("field").as_deref() == Some(key));
                if let (Some(field), false) = (schema(value, &inner, nulls)?, known) {
                    fields.push(field.named(key));
                }
            }
            let mut tree = Tree::record(fields);
            tree.set("optional", Tree::boolean(true));
            if !name.is_empty() {
                tree.set("name", Tree::string(name));
            }
            Ok(Some(tree))
        }
    }
}

fn number(raw: &str) -> &'static str {
    match raw.parse::<i64>() {
        Ok(n) if i32::try_from(n).is_ok() => "int32",
        Ok(_) => "int64",
        Err(_) => "double",
    }
}

/// The one type of a list's elements; structs are merged.
fn element(items: &[Tree], name: &str, nulls: Nulls) -> Result<Tree, String> {
    let mut merged: Option<Tree> = None;
    for item in items.iter().filter(|item| !matches!(item, Tree::Raw(raw) if raw == "null")) {
        let name = if matches!(item, Tree::Object(_)) { name } else { "" };
        let Some(found) = schema(item, name, nulls)? else { continue };
        merged = Some(match merged {
            None => found,
            Some(so_far) => merge(so_far, &found)?,
        });
    }
    merged.ok_or_else(|| "a list has no element whose type can be told".to_owned())
}

fn merge(left: Tree, right: &Tree) -> Result<Tree, String> {
    let of = |tree: &Tree| tree.text("type").unwrap_or_default();
    if left == *right {
        return Ok(left);
    }
    if of(&left) != "struct" || of(right) != "struct" {
        return Err(format!("a list is not homogenous: {} and {}", of(&left), of(right)));
    }
    let (Some(Tree::Array(mut fields)), Some(Tree::Array(more))) = (left.get("fields").cloned(), right.get("fields"))
    else {
        return Ok(left);
    };
    for field in more {
        match fields.iter_mut().find(|known| known.text("field") == field.text("field")) {
            None => fields.push(field.clone()),
            Some(known) if *known == *field => {}
            Some(known) if of(known) == "bytes" => *known = field.clone(),
            Some(known) => *known = merge(known.clone(), field)?,
        }
    }
    let mut tree = left;
    tree.set("fields", Tree::Array(fields));
    Ok(tree)
}

/// The payload of a value under its schema: fields of the schema only, null where an element lacks one.
pub fn fitted(value: &Tree, schema: &Tree, out: &mut String) {
    match (value, schema.get("fields"), schema.get("items")) {
        (Tree::Object(_), Some(Tree::Array(fields)), _) => {
            for (index, field) in fields.iter().enumerate() {
                let name = field.text("field").unwrap_or_default();
                out.push(if index == 0 { '{' } else { ',' });
                out.push_str(&quoted(&name));
                out.push(':');
                match value.get(&name) {
                    Some(value) => fitted(value, field, out),
                    None => out.push_str("null"),
                }
            }
            out.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        (Tree::Array(items), _, Some(element)) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                fitted(item, element, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        (other, _, _) => out.push_str(&other.write()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Nulls, fitted, schema};
    use crate::tree::Tree;

    #[test]
    fn types_are_inferred_as_debezium_does() {
        for (json, nulls, fields, payload) in [
            (
                r#"{"a":1,"b":5000000000,"c":1.5,"d":"x","e":true,"f":null,"g":[]}"#,
                Nulls::Ignore,
                "a:int32 b:int64 c:double d:string e:boolean",
                r#"{"a":1,"b":5000000000,"c":1.5,"d":"x","e":true}"#,
            ),
            (r#"{"a":null}"#, Nulls::Bytes, "a:bytes", r#"{"a":null}"#),
            (r#"{"a":18446744073709551616}"#, Nulls::Ignore, "a:double", r#"{"a":18446744073709551616}"#),
            (
                r#"{"l":[{"a":1},{"b":"x"},null]}"#,
                Nulls::Ignore,
                "l:array",
                r#"{"l":[{"a":1,"b":null},{"a":null,"b":"x"},null]}"#,
            ),
            ("{}", Nulls::Ignore, "", "{}"),
        ] {
            let tree = Tree::parse(json.as_bytes()).unwrap();
            let found = schema(&tree, "p", nulls).unwrap().unwrap();
            let Some(Tree::Array(list)) = found.get("fields") else { panic!("no struct") };
            let names: Vec<String> =
                list.iter().map(|f| format!("{}:{}", f.text("field").unwrap(), f.text("type").unwrap())).collect();
            let mut out = String::new();
            fitted(&tree, &found, &mut out);
            assert_eq!((names.join(" ").as_str(), out.as_str()), (fields, payload), "{json}");
            assert_eq!(found.text("name").as_deref(), Some("p"));
        }
        for json in [r#"{"l":[1,"x"]}"#, r#"{"l":[1,2.0]}"#, r#"{"l":[null]}"#] {
            assert!(schema(&Tree::parse(json.as_bytes()).unwrap(), "p", Nulls::Ignore).is_err(), "{json}");
        }
    }
}
