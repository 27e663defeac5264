//! `sasl.jaas.config`: Java's login configuration, one entry.
//!
//! Enters: the text. Leaves: the login module and its options. Invariant: read as Kafka's own clients read it (Java's
//! `StreamTokenizer`: quotes of both kinds, escapes, comments); parsed, never evaluated; an error never quotes the text,
//! because it holds secrets.

use indexmap::IndexMap;

/// One login module.
#[derive(PartialEq, Eq)]
pub(super) struct Login {
    /// Its class.
    pub module: String,
    /// `name="value"`.
    pub options: IndexMap<String, String>,
}

enum Token {
    Word(String),
    Sign(char),
}

impl Login {
    /// Reads an entry: `module required name="value" ...;`.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = tokens(text)?.into_iter();
        let Some(Token::Word(module)) = tokens.next() else {
            return Err("it must begin with the class of a login module".to_owned());
        };
        match tokens.next() {
            Some(Token::Word(flag)) if FLAGS.contains(&flag.to_ascii_lowercase().as_str()) => {}
            _ => return Err("the login module must be followed by `required`".to_owned()),
        }
        let mut options = IndexMap::new();
        loop {
            match tokens.next() {
                None => return Err("it must end with a semicolon".to_owned()),
                Some(Token::Sign(';')) => break,
                Some(Token::Sign(_)) => return Err("there is a sign where the name of an option must be".to_owned()),
                Some(Token::Word(name)) => match (tokens.next(), tokens.next()) {
                    (Some(Token::Sign('=')), Some(Token::Word(value))) => drop(options.insert(name, value)),
                    _ => return Err(format!("option {name} needs a value: {name}=\"...\"")),
                },
            }
        }
        if tokens.next().is_some() {
            return Err("it must hold one login module, not several".to_owned());
        }
        Ok(Self { module, options })
    }

    /// The module's class without its package.
    pub fn class(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or_default()
    }
}

const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '"' | '\'' => found.push(Token::Word(quoted(&mut chars, c)?)),
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.peek() == Some(&'*') => {
                let mut last = ' ';
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                found.push(Token::Word(word));
            }
            c => found.push(Token::Sign(c)),
        }
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '.') || c >= '\u{a0}'
}

/// The rest of a quoted text, with Java's escapes.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) -> Result<String, String> {
    let mut value = String::new();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Ok(value),
            '\n' | '\r' => break,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some('b') => value.push('\u{8}'),
                Some('f') => value.push('\u{c}'),
                Some('v') => value.push('\u{b}'),
                Some('a') => value.push('\u{7}'),
                Some(first) if first.is_digit(8) => value.push(octal(chars, first)),
                Some(c) => value.push(c),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// Up to three octal digits, the first of three at most 3.
fn octal(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, first: char) -> char {
    let mut code = first.to_digit(8).unwrap_or(0);
    let more = if first <= '3' { 2 } else { 1 };
    for _ in 0..more {
        let Some(digit) = chars.next_if(|c| c.is_digit(8)) else { break };
        code = code * 8 + digit.to_digit(8).unwrap_or(0);
    }
    char::from_u32(code).unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn options(text: &str) -> Vec<(String, String)> {
        Login::parse(text).map_err(|e| panic!("{e}")).unwrap().options.into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn entries_are_read_as_java_reads_them() {
        let two = pairs(&[("username", "ann"), ("password", "p w")]);
        for text in [
            r#"a.b.PlainLoginModule required username="ann" password="p w";"#,
            "a.b.PlainLoginModule REQUIRED\n  username='ann'\n  password = \"p w\" ;",
            "a.b.PlainLoginModule required /* who */ username=ann // and\n password=\"p\\040w\";",
        ] {
            assert_eq!(options(text), two, "{text}");
        }
        assert_eq!(options(r#"M required p="a;b=c\"d\\e'f" q='"';"#), pairs(&[("p", r#"a;b=c"d\e'f"#), ("q", "\"")]));
        assert_eq!(
            Login::parse("org.x.ScramLoginModule required;").map(|l| l.class().to_owned()).unwrap(),
            "ScramLoginModule"
        );
    }

    #[test]
    fn what_java_refuses_is_refused_without_quoting_it() {
        for text in [
            "",
            "M",
            "M username=\"hunter2\";",
            "M required password=\"hunter2\"",
            "M required password=\"hunter2;",
            "M required password \"hunter2\";",
            "M required password=;",
            "M required a=\"hunter2\"; N required;",
        ] {
            let Err(why) = Login::parse(text) else { panic!("{text} was taken") };
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
