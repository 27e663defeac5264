//! `topics.regex`: Java's regular expressions in the POSIX form that librdkafka takes.
//!
//! Enters: a Java pattern. Leaves: `^(...)$` in POSIX extended syntax. Invariant: it matches the same whole names, or the
//! pattern is refused with the part that cannot be said in POSIX.

use lockgate_model::fault::KafkaFault;

use crate::fault::own;

/// The whole-name pattern for librdkafka.
pub(super) fn posix(pattern: &str) -> Result<String, KafkaFault> {
    let mut out = String::from("^(");
    let mut chars = pattern.chars().peekable();
    let mut quantified = false;
    while let Some(c) = chars.next() {
        let repeats = matches!(c, '*' | '+' | '?' | '}');
        match c {
            // Lazy and possessive quantifiers match the same whole names as greedy ones, possessive ones aside.
            '?' if quantified => {
                quantified = false;
                continue;
            }
            '+' if quantified => return Err(refused(pattern, "a possessive quantifier")),
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('s') => out.push_str("[[:space:]]"),
                Some(c) if c.is_ascii_alphanumeric() => return Err(refused(pattern, &format!("\\{c}"))),
                Some(c) => out.extend(['\\', c]),
                None => return Err(refused(pattern, "a lone backslash at its end")),
            },
            '(' if chars.peek() == Some(&'?') => {
                chars.next();
                match chars.next() {
                    Some(':') => out.push('('),
                    other => return Err(refused(pattern, &format!("(?{}", other.unwrap_or(' ')))),
                }
            }
            '[' => bracket(pattern, &mut chars, &mut out)?,
            c => out.push(c),
        }
        quantified = repeats;
    }
    out.push_str(")$");
    Ok(out)
}

/// A character class: in POSIX a backslash is itself there, and `]`, `^`, `-` stand where they mean themselves.
fn bracket(
    pattern: &str,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), KafkaFault> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut last = String::new();
    loop {
        match chars.next() {
            Some(']') => break,
            Some('[' | '&') => return Err(refused(pattern, "a nested character class")),
            Some('\\') => match chars.next() {
                Some('d') => out.push_str("0-9"),
                Some('w') => out.push_str("A-Za-z0-9_"),
                Some('-') => last.push('-'),
                Some(c) if c.is_ascii_alphanumeric() || c == ']' || c == '^' => {
                    return Err(refused(pattern, &format!("[\\{c}]")));
                }
                Some(c) => out.push(c),
                None => return Err(refused(pattern, "an open character class")),
            },
            Some(c) => out.push(c),
            None => return Err(refused(pattern, "an open character class")),
        }
    }
    out.push_str(&last);
    out.push(']');
    Ok(())
}

fn refused(pattern: &str, part: &str) -> KafkaFault {
    own(false, "invalid-pattern", format!("topics.regex={pattern} has {part}, which the Kafka client cannot match"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn java_patterns_become_posix_patterns_over_whole_names() {
        for (java, expected) in [
            ("orders", "^(orders)$"),
            ("a|b", "^(a|b)$"),
            (r"db\.(?:x|y)\.\w+", r"^(db\.(x|y)\.[A-Za-z0-9_]+)$"),
            (r"t-\d{2,3}", "^(t-[0-9]{2,3})$"),
            (r"a.*?b", "^(a.*b)$"),
            (r"[\w\-.]+", "^([A-Za-z0-9_.-]+)$"),
        ] {
            assert_eq!(posix(java).unwrap(), expected);
        }
    }

    #[test]
    fn what_posix_cannot_say_is_refused_by_name() {
        for (java, part) in [("(?!x).*", "(?!"), (r"\p{L}+", r"\p"), (r"a\", "backslash"), ("[a", "open")] {
            let fault = posix(java).unwrap_err();
            assert!(fault.message.contains(part), "{}", fault.message);
            assert!(!fault.retriable);
        }
    }
}
