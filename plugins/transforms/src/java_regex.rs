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

/// General categories, and groups of them.
const CATEGORIES: &str =
    "Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf L M N Z C P S LC";

/// Translates a pattern.
///
/// # Errors
/// What Java refuses and the engine here would take.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator::new(pattern);
    let names: Vec<_> = translator.groups.iter().filter(|name| !name.is_empty()).collect();
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        return Err(format!("Named capturing group <{}> is already defined", names[twice]));
    }
    while let Some(c) = translator.rest.next() {
        translator.step(c)?;
    }
    Ok(translator.out)
}

/// Names of the capturing groups of a pattern, empty for those without one.
fn groups(pattern: &str) -> Vec<String> {
    let (mut found, mut depth, mut rest) = (Vec::new(), 0_usize, pattern);
    while let Some(c) = rest.chars().next() {
        let all = rest;
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' if rest.starts_with('Q') => rest = rest.split_once("\\E").map_or("", |(_, behind)| behind),
            '\\' => rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default(),
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '(' if depth == 0 && !rest.starts_with('?') => found.push(String::new()),
            '(' if depth == 0 => found.extend(group_name(all)),
            _ => {}
        }
    }
    found
}

/// The name of a group, of the text that begins with its parenthesis.
fn group_name(text: &str) -> Option<String> {
    let name = text.strip_prefix("(?<").filter(|rest| !rest.starts_with(['=', '!']))?;
    name.split_once('>').map(|(name, _)| name.to_owned())
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
    /// Names of all capturing groups, empty for those without one, and how many of them have begun.
    groups: Vec<String>,
    begun: usize,
    /// Where groups that are open begin in the outcome, and whether they are assertions.
    open: Vec<(usize, bool)>,
    /// Where the last atom begins, if it is an assertion.
    assertion: Option<usize>,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        let (rest, groups) = (pattern.chars().peekable(), groups(pattern));
        Self { rest, out: String::new(), depth: 0, groups, begun: 0, open: Vec::new(), assertion: None }
    }
}

impl Translator<'_> {
    fn step(&mut self, c: char) -> Result<(), String> {
        let assertion = if self.depth == 0 { self.assertion.take() } else { None };
        if let (Some(start), '*' | '+' | '?' | '{') = (assertion, c) {
            return self.repeated(start, c);
        }
        let start = self.out.len();
        match c {
            '\\' => return self.escape(),
            '^' | '$' if self.depth == 0 => {
                self.assertion = Some(start);
                self.out.push(c);
            }
            '(' if self.depth == 0 => self.group(start),
            ')' if self.depth == 0 => {
                self.out.push(c);
                self.assertion = self.open.pop().filter(|(_, assertion)| *assertion).map(|(start, _)| start);
            }
            '[' if self.depth > 0 && self.rest.peek() == Some(&':') => {
                // To the engine here it would be the name of a class, if there were not a second colon.
                self.depth += 1;
                self.out.push_str("[:");
            }
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

    /// How often an assertion holds is of no matter, but whether it has to: only Java takes a count behind one.
    fn repeated(&mut self, start: usize, count: char) -> Result<(), String> {
        let optional = match count {
            '{' => {
                let end = self.out.len();
                self.counted()?;
                let counted = self.out.split_off(end);
                counted[1..counted.len() - 1].split(',').next().is_some_and(|least| least.bytes().all(|b| b == b'0'))
            }
            other => other != '+',
        };
        self.rest.next_if(|c| matches!(c, '?' | '+'));
        if let Some(c) = self.rest.next_if(|c| matches!(c, '?' | '+' | '*')) {
            return Err(format!("Dangling meta character '{c}'"));
        }
        if optional {
            self.out.insert_str(start, "(?:");
            self.out.push_str("|)");
        }
        Ok(())
    }

    /// The beginning of a group.
    fn group(&mut self, start: usize) {
        let rest: String = self.rest.clone().take(3).collect();
        let assertion = ["?=", "?!", "?<=", "?<!"].iter().any(|begin| rest.starts_with(begin));
        self.open.push((start, assertion));
        self.out.push('(');
        let named = rest.starts_with("?<") && !assertion;
        if rest.starts_with('?') && !named {
            return;
        }
        self.begun += 1;
        // The engine here numbers groups or names them: where one has a name, all get one.
        if !named && self.named() {
            self.out.extend(["?<", &self.name(self.begun), ">"]);
        }
    }

    fn named(&self) -> bool {
        self.groups.iter().any(|name| !name.is_empty())
    }

    fn name(&self, number: usize) -> String {
        let given = self.groups.get(number - 1).filter(|name| !name.is_empty());
        given.cloned().unwrap_or_else(|| format!("group{number}"))
    }

    /// `\\n`: as many digits as make a group that there is; one that there is not, or not yet, never matches.
    fn reference(&mut self, first: u32) {
        let mut number = first as usize;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            let longer = number * 10 + digit as usize;
            if longer > self.begun {
                break;
            }
            number = longer;
            self.rest.next();
        }
        if number > self.begun {
            self.assertion = Some(self.out.len());
            self.out.push_str("(?!)");
        } else if self.named() {
            self.out.extend(["\\k<", &self.name(number), ">"]);
        } else {
            // In brackets: a digit may follow that is none of its own.
            self.out.extend(["(?:\\", &number.to_string(), ")"]);
        }
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
        let (inside, start) = (self.depth > 0, self.out.len());
        if !inside && matches!(c, 'b' | 'B' | 'A' | 'Z' | 'z' | 'G') {
            self.assertion = Some(start);
        }
        match c {
            'Q' => self.quoted(),
            '1'..='9' if !inside => self.reference(c.to_digit(10).unwrap_or(0)),
            'h' => self.out.push_str(if inside { " \\t" } else { "[ \\t]" }),
            'R' => self.out.push_str("(?:\\r\\n|[\\n\\x0B\\x0C\\r])"),
            'Z' => self.out.push_str("(?=\\n?\\z)"),
            'e' => self.out.push_str("\\x1B"),
            'u' => {
                let digits: String = self.rest.by_ref().take(4).collect();
                self.out.extend(["\\x{", digits.as_ref(), "}"]);
            }
            'p' | 'P' => return self.property(c == 'P'),
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

    fn property(&mut self, negated: bool) -> Result<(), String> {
        let name: String = if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|c| *c != '}').collect()
        } else {
            self.rest.next().into_iter().collect()
        };
        let known = CLASSES.iter().find(|(java, _)| *java == name).map(|(_, here)| here);
        if !is_property(&name) {
            return Err(format!("Unknown character property name {{{name}}}"));
        }
        match (known, negated) {
            (Some(here), false) => self.out.extend(["[[:", here, ":]]"]),
            (Some(here), true) => self.out.extend(["[^[:", here, ":]]"]),
            (None, false) => self.out.extend(["\\p{", name.as_ref(), "}"]),
            (None, true) => self.out.extend(["\\P{", name.as_ref(), "}"]),
        }
        Ok(())
    }
}

/// True for what Java takes as the name of a property: its own words by their letters, others by what they begin with.
fn is_property(name: &str) -> bool {
    let begins = ["Is", "In", "java", "script=", "sc=", "block=", "blk=", "general_category=", "gc="];
    CLASSES.iter().any(|(java, _)| *java == name)
        || CATEGORIES.split(' ').any(|category| category == name)
        || begins.iter().any(|begin| name.starts_with(begin))
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
            (r"^*a$+\b?(?=b){0,2}?(?!c){2}d", r"(?:^|)a$(?:\b|)(?:(?=b)|)(?!c)d"),
            (r"\1(a)\1\11[(]\(\2", r"(?!)(a)(?:\1)(?:\1)1[(]\((?!)"),
            (r"(a)(?<n>b)\1\2", r"(?<group1>a)(?<n>b)\k<group1>\k<n>"),
            (r"[[:alpha:]]x", r"[[::alpha:]]x"),
        ] {
            assert_eq!(translate(java).unwrap(), here, "{java}");
        }
    }

    #[test]
    fn braces_that_java_refuses_are_refused() {
        for pattern in
            ["a{2", "a{", "{", "a{x}", "a{1,2,3}", "\\", "^*++", "(?=a)???", r"\p{LL}", r"\p{alpha}", "(?<n>a)(?<n>b)"]
        {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn comments_are_noticed() {
        assert!(has_comments("(?x) a # b") && has_comments("(?ix:a)"));
        assert!(!has_comments("(?i)x") && !has_comments("(?:x)"));
    }
}
