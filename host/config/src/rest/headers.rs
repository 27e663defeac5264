//! `response.http.headers.config`: headers that every answer carries.
//!
//! Enters: the text of the key. Leaves: headers in order. Invariant: a header that is accepted can be sent: name and value
//! hold nothing that HTTP forbids.

use std::time::{Duration, UNIX_EPOCH};

/// What is done with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderAction {
    /// It replaces one of the same name.
    Set,
    /// It stands beside others of the same name.
    Add,
}

/// A header of every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// `set`, `setDate`: replace; `add`, `addDate`: add.
    pub action: HeaderAction,
    /// Its name.
    pub name: String,
    /// Its value; of `setDate` and `addDate` the date as HTTP writes it, given as milliseconds since 1970.
    pub value: String,
}

const FORM: &str = "a header is written `[action] [name]:[value]`, the action being one of set, add, setDate, addDate";

/// `[action] [name]:[value], ...`; a value with a comma stands in double quotes together with action and name.
pub fn parse(text: &str) -> Result<Vec<ResponseHeader>, String> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut part = String::new();
    for c in text.chars().chain([',']) {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    if quoted {
        return Err("a double quote is not closed".to_owned());
    }
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(header).collect()
}

fn header(part: &str) -> Result<ResponseHeader, String> {
    let (action, rest) = part.split_once(char::is_whitespace).ok_or(FORM)?;
    let (action, is_date) = match action.to_ascii_lowercase().as_str() {
        "set" => (HeaderAction::Set, false),
        "add" => (HeaderAction::Add, false),
        "setdate" => (HeaderAction::Set, true),
        "adddate" => (HeaderAction::Add, true),
        _ => return Err(format!("the action '{action}' is none of set, add, setDate, addDate")),
    };
    let (name, value) = rest.split_once(':').ok_or(FORM)?;
    let (name, value) = (name.trim(), value.trim());
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("'{name}' is not a name of a header"));
    }
    if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        return Err(format!("the value of the header {name} holds control characters"));
    }
    let value = if is_date { date(name, value)? } else { value.to_owned() };
    Ok(ResponseHeader { action, name: name.to_owned(), value })
}

/// The last second that HTTP can write: the end of the year 9999.
const LAST_DATE_MS: u64 = 253_402_300_799_999;

fn date(name: &str, millis: &str) -> Result<String, String> {
    let millis: u64 = millis.parse().ok().filter(|ms| *ms <= LAST_DATE_MS).ok_or_else(|| {
        format!("the date of the header {name} is milliseconds since 1970 (0 to {LAST_DATE_MS}), found '{millis}'")
    })?;
    Ok(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(HeaderAction, String, String)> {
        parse(text).unwrap().into_iter().map(|h| (h.action, h.name, h.value)).collect()
    }

    #[test]
    fn response_headers_may_hold_commas_in_quotes_and_dates_in_milliseconds() {
        let headers = shown("add X-A: 1, \"set Cache-Control: no-cache, no-store\", setDate Expires: 784111777000");
        let expected = [
            (HeaderAction::Add, "X-A", "1"),
            (HeaderAction::Set, "Cache-Control", "no-cache, no-store"),
            (HeaderAction::Set, "Expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(headers, expected.map(|(action, n, v)| (action, n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_with_the_reason() {
        for (text, why) in [
            ("remove X: 1", "none of set, add"),
            ("\"set X: 1", "not closed"),
            ("set X", "is written"),
            ("set X Y: 1", "not a name"),
            ("set X: a\nb", "control characters"),
            ("setDate X: soon", "milliseconds since 1970"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
