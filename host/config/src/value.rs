//! Texts to typed values, by Kafka's config types.
//!
//! Enters: text. Leaves: a [`Value`] or Kafka's reason why not. Invariant: `render(parse(text))` parses to the same value.

use lockgate_model::package::ConfigType;

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `BOOLEAN`
    Bool(bool),
    /// `STRING`, `CLASS`, `PASSWORD`
    Text(String),
    /// `INT`, `SHORT`, `LONG`
    Int(i64),
    /// `DOUBLE`
    Double(f64),
    /// `LIST`
    List(Vec<String>),
}

/// Kafka's name of a type.
pub const fn type_name(kind: ConfigType) -> &'static str {
    match kind {
        ConfigType::Boolean => "BOOLEAN",
        ConfigType::String => "STRING",
        ConfigType::Int => "INT",
        ConfigType::Short => "SHORT",
        ConfigType::Long => "LONG",
        ConfigType::Double => "DOUBLE",
        ConfigType::List => "LIST",
        ConfigType::Class => "CLASS",
        ConfigType::Password => "PASSWORD",
    }
}

/// Without what Java calls blanks at either end: control characters too, and no blank beyond ASCII.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Parses a text, trimmed first as Kafka does. The error is the reason of `Invalid value V for configuration K: reason`.
pub fn parse(kind: ConfigType, text: &str) -> Result<Value, String> {
    let text = trim(text);
    let number = || format!("Not a number of type {}", type_name(kind));
    let int = |min: i64, max: i64| {
        let parsed = text.parse::<i64>().map_err(|_| number())?;
        if (min..=max).contains(&parsed) { Ok(Value::Int(parsed)) } else { Err(number()) }
    };
    match kind {
        ConfigType::Boolean if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        ConfigType::Boolean if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        ConfigType::Boolean => Err("Expected value to be either true or false".to_owned()),
        ConfigType::String | ConfigType::Class | ConfigType::Password => Ok(Value::Text(text.to_owned())),
        ConfigType::Int => int(i64::from(i32::MIN), i64::from(i32::MAX)),
        ConfigType::Short => int(i64::from(i16::MIN), i64::from(i16::MAX)),
        ConfigType::Long => int(i64::MIN, i64::MAX),
        ConfigType::Double => text.parse().map(Value::Double).map_err(|_| number()),
        ConfigType::List => Ok(Value::List(list(text))),
    }
}

/// A comma list with blanks around commas dropped; an empty text is an empty list.
pub fn list(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim().to_owned()).collect() }
}

/// The text that Kafka Connect shows for a parsed value.
pub fn render(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Text(text) => text.clone(),
        Value::Int(i) => i.to_string(),
        Value::Double(d) if d.fract() == 0.0 && d.abs() < 1e7 => format!("{d:.1}"),
        Value::Double(d) => d.to_string(),
        Value::List(items) => items.join(","),
    }
}

/// The text that Kafka's errors show: a list in brackets.
pub fn render_in_error(value: &Value) -> String {
    match value {
        Value::List(items) => format!("[{}]", items.join(", ")),
        other => render(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_the_range_of_their_type() {
        assert_eq!(parse(ConfigType::Int, " 7 "), Ok(Value::Int(7)));
        assert_eq!(parse(ConfigType::Int, "3000000000"), Err("Not a number of type INT".to_owned()));
        assert_eq!(parse(ConfigType::Long, "3000000000"), Ok(Value::Int(3_000_000_000)));
        assert_eq!(parse(ConfigType::Short, "-1"), Ok(Value::Int(-1)));
        assert_eq!(parse(ConfigType::Double, "x"), Err("Not a number of type DOUBLE".to_owned()));
    }

    #[test]
    fn blanks_are_javas() {
        assert_eq!(parse(ConfigType::String, "\u{1} a\u{7}"), Ok(Value::Text("a".into())));
        assert_eq!(parse(ConfigType::String, "a\u{a0}"), Ok(Value::Text("a\u{a0}".into())));
    }

    #[test]
    fn booleans_take_any_case_and_nothing_else() {
        assert_eq!(parse(ConfigType::Boolean, "TRUE"), Ok(Value::Bool(true)));
        assert_eq!(parse(ConfigType::Boolean, "yes"), Err("Expected value to be either true or false".to_owned()));
    }

    #[test]
    fn lists_drop_blanks_around_commas() {
        assert_eq!(parse(ConfigType::List, " a , b,c "), Ok(Value::List(vec!["a".into(), "b".into(), "c".into()])));
        assert_eq!(parse(ConfigType::List, "  "), Ok(Value::List(Vec::new())));
        assert_eq!(render(&Value::List(vec!["a".into(), "b".into()])), "a,b");
    }
}
