//! `sasl.jaas.config` for the mechanisms with a user name and a password.
//!
//! Enters: Java's login configuration text. Leaves: `sasl.username` and `sasl.password`. Invariant: the text is parsed,
//! never evaluated; a reason never quotes it.

/// User name and password of a PLAIN or SCRAM login module. Anything else is refused with the reason.
pub(super) fn jaas(text: &str) -> Result<Vec<(String, String)>, String> {
    let text = text.trim().trim_end_matches(';').trim();
    let module = text.split_whitespace().next().unwrap_or_default();
    let known = module.ends_with(".PlainLoginModule") || module.ends_with(".ScramLoginModule");
    if !known {
        return Err("only the PLAIN and SCRAM login modules are known; set sasl.username and sasl.password".to_owned());
    }
    let (mut username, mut password) = (None, None);
    let mut rest = &text[module.len()..];
    while let Some((name, value, after)) = option(rest)? {
        match name {
            "username" => username = Some(value),
            "password" => password = Some(value),
            _ => {}
        }
        rest = after;
    }
    match (username, password) {
        (Some(username), Some(password)) => {
            Ok(vec![("sasl.username".to_owned(), username), ("sasl.password".to_owned(), password)])
        }
        _ => Err("the login module needs username=\"...\" and password=\"...\"".to_owned()),
    }
}

/// The next `name="value"` and what follows it.
fn option(text: &str) -> Result<Option<(&str, String, &str)>, String> {
    let Some((left, right)) = text.split_once('=') else { return Ok(None) };
    let name = left.split_whitespace().last().unwrap_or_default();
    let right = right.trim_start();
    let Some(quoted) = right.strip_prefix('"') else {
        let end = right.find(char::is_whitespace).unwrap_or(right.len());
        return Ok(Some((name, right[..end].to_owned(), &right[end..])));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(Some((name, value, &quoted[at + 1..]))),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}
