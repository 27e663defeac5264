//! The names in a project.
//!
//! Enters: the name of a package. Leaves: what it is called in code and files. Invariant: in every language a word of code is never
//! a keyword, a module of its library or a word of the template: a name of one word gets the kind behind it.

/// Characters of a name at most: a package's name has 64, and the kind may be added.
const LENGTH_MAX: usize = 48;
/// Names that cargo, Go or Lockgate itself use for something else.
const TAKEN: [&str; 19] = [
    "lockgate",
    "lockgate-sdk",
    "test",
    "tests",
    "core",
    "std",
    "alloc",
    "proc-macro",
    "build",
    "deps",
    "examples",
    "main",
    "cmd",
    "all",
    "my-open",
    "my-put",
    "my-poll",
    "my-apply",
    "my-close",
];
/// Keywords of Rust, which a crate cannot be called.
const KEYWORDS: [&str; 45] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "use", "while",
];

/// One name in the ways of writing of all languages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    kind: String,
    /// `big-orders`
    package: String,
    /// `big_orders`
    snake: String,
    /// `BigOrders`
    pascal: String,
    /// `bigOrders`
    camel: String,
}

impl Names {
    /// Of a package; the error says what a name may be.
    pub(super) fn new(package: &str, kind: &str) -> Result<Self, String> {
        check(package)?;
        let full = if package.contains('-') { package.to_owned() } else { format!("{package}-{kind}") };
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..]; // a word is ASCII and not empty: checked
        let pascal: String = full.split('-').map(capital).collect();
        let camel = pascal[..1].to_lowercase() + &pascal[1..];
        Ok(Self { kind: kind.to_owned(), package: package.to_owned(), snake: full.replace('-', "_"), pascal, camel })
    }

    /// A text or a path of a template with these names in it.
    pub(super) fn put_into(&self, text: &str) -> String {
        let capital = self.kind[..1].to_uppercase() + &self.kind[1..];
        text.replace(&format!("my-{}", self.kind), &self.package)
            .replace(&format!("my_{}", self.kind), &self.snake)
            .replace(&format!("My{capital}"), &self.pascal)
            .replace(&format!("my{capital}"), &self.camel)
    }
}

fn check(name: &str) -> Result<(), String> {
    let allowed = "a name has lower-case letters, digits and single hyphens between them, and begins with a letter, such as orders-sink";
    let words_fit = name
        .split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    if !words_fit || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        let near: String =
            name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let near = near.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let near = near.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        let instead = if near.is_empty() { String::new() } else { format!("; how about {near}?") };
        return Err(format!("{name:?} cannot be the name of a package: {allowed}{instead}"));
    }
    if name.len() > LENGTH_MAX {
        return Err(format!("{name} has {} characters; a name has at most {LENGTH_MAX}", name.len()));
    }
    if TAKEN.contains(&name) || KEYWORDS.contains(&name) || name.starts_with("lg-") || name.starts_with("lgt-") {
        return Err(format!("{name} means something else to a compiler; how about {name}-plugin?"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_put_into_code_and_paths_in_each_way_of_writing() {
        let names = Names::new("big-orders", "sink").unwrap();
        let text = "my-sink my_sink.c com.example.MySink *mySink my.tombstone";
        assert_eq!(names.put_into(text), "big-orders big_orders.c com.example.BigOrders *bigOrders my.tombstone");
    }

    #[test]
    fn a_name_of_one_word_never_becomes_a_word_of_the_language() {
        let names = Names::new("json", "source").unwrap();
        assert_eq!(names.put_into("my-source my_source MySource mySource"), "json json_source JsonSource jsonSource");
    }

    #[test]
    fn a_bad_name_says_what_a_good_one_is_and_offers_one() {
        for (bad, offered) in
            [("My Sink", "my-sink"), ("orders_sink", "orders-sink"), ("2nd-sink", "nd-sink"), ("a--b", "a-b")]
        {
            let said = Names::new(bad, "sink").unwrap_err();
            assert!(said.contains("lower-case letters") && said.contains(&format!("how about {offered}?")), "{said}");
        }
        assert!(Names::new("-", "sink").unwrap_err().contains("cannot be the name"));
        assert!(Names::new("struct", "sink").unwrap_err().contains("how about struct-plugin?"));
        assert!(Names::new(&"x".repeat(49), "sink").unwrap_err().contains("at most 48"));
    }
}
