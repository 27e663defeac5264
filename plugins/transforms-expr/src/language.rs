//! The languages that expressions may be written in, and what to say about the others.
//!
//! Enters: the settings `language` and an expression. Leaves: nothing, or a problem that shows the expression in CEL.
//! Invariant: an expression is never guessed and run; the hint is for the user to judge.

use fancy_regex::Regex;

/// Ways to write a string, and how operators and calls of Groovy and JavaScript are written in CEL.
const REWRITES: [(&str, &str); 14] = [
    (r"^\s*return\s+", ""),
    (r";\s*$", ""),
    (r"===", "=="),
    (r"!==", "!="),
    (r"\?\.", "."),
    (r"\bheaders?\.(\w+)\.value(\(\))?", "headers.$1"),
    (r"\b(value|key|headers?)\.get\((['\x22])(\w+)['\x22]\)", "$1.$3"),
    (r"\.equals\(([^()]*)\)", " == $1"),
    (r"\s*==~\s*/([^/]*)/", ".matches('^(?:$1)$$')"),
    (r"\s*=~\s*/([^/]*)/", ".matches('$1')"),
    (r"\.(?:length|size)\(\)|\.length\b", ".size()"),
    (r"\.toLowerCase\(\)", ".lowerAscii()"),
    (r"\.toUpperCase\(\)", ".upperAscii()"),
    (r"\.includes\(", ".contains("),
];

/// True for CEL.
pub fn is_cel(language: &str) -> bool {
    let name = language.trim().to_ascii_lowercase();
    matches!(name.strip_prefix("jsr223.").unwrap_or(&name), "cel" | "cel-rust")
}

/// What the expression probably is in CEL.
pub fn in_cel(expression: &str) -> String {
    let mut text = expression.trim().to_owned();
    for (from, to) in REWRITES {
        if let Ok(regex) = Regex::new(from) {
            text = regex.replace_all(&text, to).into_owned();
        }
    }
    text
}

/// The problem with another language.
pub fn refusal(language: &str, expression: &str, compiles: impl FnOnce(&str) -> bool) -> String {
    let cel = in_cel(expression);
    let hint = if expression.trim().is_empty() {
        String::new()
    } else if compiles(&cel) {
        format!("; in CEL the expression is probably: {cel}")
    } else {
        "; the expression has to be rewritten, see https://cel.dev".to_owned()
    };
    format!("`{language}` is not available, expressions are written in CEL here: set `language` to cel{hint}")
}

#[cfg(test)]
mod tests {
    use super::{in_cel, is_cel, refusal};

    #[test]
    fn expressions_of_groovy_and_javascript_are_shown_in_cel() {
        for (other, cel) in [
            ("value.op == 'u' && value.before.id == 2", "value.op == 'u' && value.before.id == 2"),
            ("return value.op === 'u';", "value.op == 'u'"),
            ("value.op.equals('u') ? 'updates' : null", "value.op == 'u' ? 'updates' : null"),
            ("value.get('op') !== 'd'", "value.op != 'd'"),
            ("value.after?.name ==~ /a.*/", "value.after.name.matches('^(?:a.*)$')"),
            ("headers.idh.value == 'x'", "headers.idh == 'x'"),
            ("value.name.toLowerCase().length() > 3", "value.name.lowerAscii().size() > 3"),
            ("topic.includes('x')", "topic.contains('x')"),
        ] {
            assert_eq!(in_cel(other), cel);
        }
        for (language, expected) in [("cel", true), ("jsr223.CEL", true), ("jsr223.groovy", false), ("", false)] {
            assert_eq!(is_cel(language), expected, "{language}");
        }
        let text = refusal("jsr223.groovy", "value.op == 'u'", |_| true);
        assert!(text.contains("`jsr223.groovy`") && text.ends_with("probably: value.op == 'u'"), "{text}");
        assert!(refusal("js", "function() {}", |_| false).contains("has to be rewritten"));
    }
}
