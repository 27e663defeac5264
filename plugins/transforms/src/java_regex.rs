//! Patterns of `java.util.regex` in the words of the engine that is here.
//!
//! Enters: a pattern as users write it for Kafka Connect. Leaves: the same in another syntax, or what Java would refuse.
//! Invariant: names of topics are ASCII, and so are Java's classes; what both engines read alike is not touched.

use std::iter::Peekable;
use std::str::Chars;

/// Java's classes of ASCII characters (and categories that have the same ASCII characters), and how they are written here.
const CLASSES: [(&str, &str); 24] = [
    ("Lower", "lower"),
    ("Upper", "upper"),
    ("ASCII", "ascii"),
    ("Alpha", "alpha"),
    ("Digit", "digit"),
    ("Alnum", "alnum"),
    ("Punct", "punct"),
    ("Graph", "graph"),
    ("Print", "print"),
    ("Blank", "blank"),
    ("Cntrl", "cntrl"),
    ("XDigit", "xdigit"),
    ("Space", "space"),
    ("L", "alpha"),
    ("IsL", "alpha"),
    ("IsAlphabetic", "alpha"),
    ("IsLetter", "alpha"),
    ("Lu", "upper"),
    ("IsUppercase", "upper"),
    ("Ll", "lower"),
    ("IsLowercase", "lower"),
    ("N", "digit"),
    ("Nd", "digit"),
    ("IsDigit", "digit"),
];

/// Translates a pattern.
///
/// # Errors
/// What Java refuses and the engine here would take.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator { rest: pattern.chars().peekable(), out: String::new(), depth: 0 };
    while let Some(c) = translator.rest.next() {
        translator.step(c)?;
    }
    Ok(translator.out)
}

/// True if white space and comments may not count in it: then what is put behind it has to begin on a new line.
pub fn has_comments(pattern: &str) -> bool {
    pattern.split("(?").skip(1).any(|flags| flags.chars().take_while(char::is_ascii_alphabetic).any(|flag| flag == 'x'))
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// How many classes are open.
    depth: usize,
}

impl Translator<'_> {
    fn step(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => return self.escape(),
            '[' => {
                self.depth += 1;
                self.out.push(c);
                // A bracket that comes first stands for itself in neither engine's negation.
                if self.rest.next_if_eq(&'^').is_some() {
                    self.out.push('^');
                }
            }
            ']' if self.depth > 0 => {
                self.depth -= 1;
                self.out.push(c);
            }
            '{' if self.depth == 0 => return self.counted(),
            '}' if self.depth == 0 => self.out.push_str("\\}"),
            other => self.out.push(other),
        }
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; a brace that is none of these is refused by Java.
    fn counted(&mut self) -> Result<(), String> {
        let inner: String = std::iter::from_fn(|| self.rest.next_if(|c| c.is_ascii_digit() || *c == ',')).collect();
        if !inner.starts_with(|c: char| c.is_ascii_digit()) || inner.matches(',').count() > 1 {
            return Err("Illegal repetition".to_owned());
        }
        if self.rest.next() != Some('}') {
            return Err("Unclosed counted closure".to_owned());
        }
        self.out.extend(["{", inner.as_ref(), "}"]);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.rest.next() else { return Err("Unexpected internal error".to_owned()) };
        let inside = self.depth > 0;
        match c {
            'Q' => self.quoted(),
            'h' => self.out.push_str(if inside { " \\t" } else { "[ \\t]" }),
            'R' => self.out.push_str("(?:\\r\\n|[\\n\\x0B\\x0C\\r])"),
            'Z' => self.out.push_str("(?=\\n?\\z)"),
            'e' => self.out.push_str("\\x1B"),
            'u' => {
                let digits: String = self.rest.by_ref().take(4).collect();
                self.out.extend(["\\x{", digits.as_ref(), "}"]);
            }
            'p' | 'P' => self.property(c == 'P'),
            // Their braces are no counts.
            'x' | 'k' if self.rest.peek().is_some_and(|next| matches!(next, '{' | '<')) => {
                self.out.push('\\');
                self.out.push(c);
                for next in self.rest.by_ref() {
                    self.out.push(next);
                    if matches!(next, '}' | '>') {
                        break;
                    }
                }
            }
            other => {
                self.out.push('\\');
                self.out.push(other);
            }
        }
        Ok(())
    }

    fn quoted(&mut self) {
        let rest: String = self.rest.clone().collect();
        let literal = rest.split("\\E").next().unwrap_or_default();
        for c in literal.chars() {
            if !c.is_alphanumeric() && c.is_ascii() {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        let behind = rest.get(literal.len() + 2..).unwrap_or_default().chars().count();
        let skip = self.rest.clone().count() - behind;
        self.rest.by_ref().take(skip).for_each(drop);
    }

    fn property(&mut self, negated: bool) {
        let name: String = if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|c| *c != '}').collect()
        } else {
            self.rest.next().into_iter().collect()
        };
        let known = CLASSES.iter().find(|(java, _)| *java == name).map(|(_, here)| here);
        match (known, negated) {
            (Some(here), false) => self.out.extend(["[[:", here, ":]]"]),
            (Some(here), true) => self.out.extend(["[^[:", here, ":]]"]),
            (None, false) => self.out.extend(["\\p{", name.as_ref(), "}"]),
            (None, true) => self.out.extend(["\\P{", name.as_ref(), "}"]),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{has_comments, translate};

    #[test]
    fn what_only_java_knows_is_written_in_other_words() {
        for (java, here) in [
            (r"\Qa.b\E.c", r"a\.b.c"),
            (r"\Qa.b", r"a\.b"),
            (r"\p{Alpha}+\P{Lower}", r"[[:alpha:]]+[^[:lower:]]"),
            (r"[\p{Alnum}_]{2,}", r"[[[:alnum:]]_]{2,}"),
            (r"\u0061\h}", r"\x{0061}[ \t]\}"),
            (r"[{}]\x{61}(?<n>a)\k<n>", r"[{}]\x{61}(?<n>a)\k<n>"),
        ] {
            assert_eq!(translate(java).unwrap(), here, "{java}");
        }
    }

    #[test]
    fn braces_that_java_refuses_are_refused() {
        for pattern in ["a{2", "a{", "{", "a{x}", "a{1,2,3}", "\\"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn comments_are_noticed() {
        assert!(has_comments("(?x) a # b") && has_comments("(?ix:a)"));
        assert!(!has_comments("(?i)x") && !has_comments("(?:x)"));
    }
}
