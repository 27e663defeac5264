//! The shapes of the records.
//!
//! Enters: a number. Leaves: the record's JSON text, and where in it the key lies. Invariant: nothing but (stream, number)
//! decides what is written; nothing is allocated for a record.

use std::ops::Range;

/// Milliseconds since the epoch of record 0; record n is n milliseconds later.
const EPOCH_MS: u64 = 1_700_000_000_000;
/// Bytes at most of a JSON record below; checked by a test.
const JSON_BYTES_MAX: usize = 256;

/// One field: its text before the value, and what the value is.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The record's number.
    Number,
    /// `low` to `low + span - 1`.
    Whole(u64, u64),
    /// The same, with two digits behind the point.
    Hundredths(u64, u64),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A prefix and a number below the bound.
    Named(&'static str, u64),
    /// Milliseconds since the epoch.
    Time,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

const ORDERS: &[Field] = &[
    field("orderid", Kind::Number),
    field("ordertime", Kind::Time),
    field("itemid", Kind::Named("Item_", 1000)),
    field("orderunits", Kind::Hundredths(10, 1000)),
    field("city", Kind::Named("City_", 100)),
    field("zipcode", Kind::Whole(10_000, 90_000)),
];
const USERS: &[Field] = &[
    field("userid", Kind::Named("User_", 10_000)),
    field("registertime", Kind::Time),
    field("regionid", Kind::Named("Region_", 10)),
    field("gender", Kind::Choice(&["FEMALE", "MALE", "OTHER"])),
];
const CLICKS: &[Field] = &[
    field("ip", Kind::Named("10.0.0.", 256)),
    field("userid", Kind::Named("User_", 10_000)),
    field("time", Kind::Time),
    field("request", Kind::Choice(&["GET /index.html", "GET /cart", "POST /cart", "GET /images/logo.png"])),
    field("status", Kind::Choice(&["200", "200", "200", "302", "404", "500"])),
    field("bytes", Kind::Whole(200, 60_000)),
];
const SENSORS: &[Field] = &[
    field("sensor", Kind::Named("Sensor_", 500)),
    field("time", Kind::Time),
    field("temperature", Kind::Hundredths(1500, 2000)),
    field("humidity", Kind::Hundredths(2000, 6000)),
    field("battery", Kind::Whole(0, 101)),
];

/// A shape, ready to write.
pub struct Template {
    stream: u64,
    fields: Vec<(Vec<u8>, Kind)>,
    key: Option<usize>,
    /// `raw`: what is written, with room for the number.
    raw: Vec<u8>,
}

impl Template {
    /// The shape of this name. The error lists the fields where `key` is none of them.
    pub fn new(name: &str, stream: u64, key: Option<&str>, size: usize, json: bool) -> Result<Self, String> {
        let fields = match name {
            "users" => USERS,
            "clicks" => CLICKS,
            "sensors" => SENSORS,
            "raw" => &[],
            _ => ORDERS,
        };
        let position = key.map(|k| fields.iter().position(|f| f.name == k));
        if position == Some(None) {
            let names: Vec<&str> = fields.iter().map(|f| f.name).collect();
            return Err(if names.is_empty() { "no fields".to_owned() } else { names.join(", ") });
        }
        let mut raw = Vec::new();
        if name == "raw" {
            raw = (0..size).map(|at| b"abcdefghijklmnopqrstuvwxyz"[at % 26]).collect();
            if json {
                (raw[0], raw[size - 1]) = (b'"', b'"');
            }
        }
        let before = |(at, f): (usize, &Field)| {
            let open = if at == 0 { "{" } else { "," };
            (format!("{open}\"{}\":", f.name).into_bytes(), f.kind)
        };
        Ok(Self { stream, fields: fields.iter().enumerate().map(before).collect(), key: position.flatten(), raw })
    }

    /// Bytes at most of a record.
    pub fn bytes_max(&self) -> usize {
        if self.raw.is_empty() { JSON_BYTES_MAX } else { self.raw.len() }
    }

    /// Appends record n; answers where in it the key lies (empty: no key).
    #[inline]
    pub fn write(&mut self, n: u64, out: &mut Vec<u8>) -> Range<usize> {
        let start = out.len();
        if !self.raw.is_empty() {
            out.extend_from_slice(&self.raw);
            number_into(&mut out[start..], n);
            return 0..0;
        }
        let mut key = 0..0;
        for (at, (before, kind)) in self.fields.iter().enumerate() {
            out.extend_from_slice(before);
            let from = out.len() - start;
            value(*kind, n, mix(self.stream.wrapping_add(n.wrapping_mul(16)).wrapping_add(at as u64)), out);
            if self.key == Some(at) {
                key = from..out.len() - start;
            }
        }
        out.push(b'}');
        key
    }
}

/// Writes the number's digits behind the first byte, as far as there is room.
fn number_into(bytes: &mut [u8], mut n: u64) {
    let last = bytes.len().saturating_sub(1).min(17);
    for byte in bytes[1.min(last)..last].iter_mut().rev() {
        *byte = b'0' + digit(n % 10);
        n /= 10;
    }
}

#[inline]
fn value(kind: Kind, n: u64, random: u64, out: &mut Vec<u8>) {
    let below = |bound: u64| ((u128::from(random) * u128::from(bound)) >> 64) as u64;
    match kind {
        Kind::Number => decimal(n, out),
        Kind::Whole(low, span) => decimal(low + below(span), out),
        Kind::Hundredths(low, span) => {
            let all = low + below(span);
            decimal(all / 100, out);
            out.extend_from_slice(&[b'.', b'0' + digit(all / 10 % 10), b'0' + digit(all % 10)]);
        }
        Kind::Choice(texts) => {
            let text = texts[usize::try_from(below(texts.len() as u64)).unwrap_or(0)];
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
        Kind::Named(prefix, bound) => {
            out.push(b'"');
            out.extend_from_slice(prefix.as_bytes());
            decimal(below(bound), out);
            out.push(b'"');
        }
        Kind::Time => decimal(EPOCH_MS + n, out),
    }
}

/// A value below 10 fits a byte.
const fn digit(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

#[inline]
fn decimal(mut n: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + digit(n % 10);
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// `SplitMix64`: each number gives its own well-mixed bits, so that record n needs none of those before it.
#[inline]
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(name: &str, seed: u64, n: u64, key: Option<&str>) -> (String, String) {
        let mut template = Template::new(name, seed, key, 40, false).unwrap();
        let mut out = b"before".to_vec();
        let range = template.write(n, &mut out);
        let text = String::from_utf8(out[6..].to_vec()).unwrap();
        let key = text[range].to_owned();
        (text, key)
    }

    #[test]
    fn a_record_is_a_function_of_seed_and_number() {
        for name in ["orders", "users", "clicks", "sensors", "raw"] {
            assert_eq!(record(name, 1, 77, None), record(name, 1, 77, None));
            assert_ne!(record(name, 1, 77, None), record(name, 1, 78, None));
        }
        assert_ne!(record("users", 1, 77, None), record("users", 2, 77, None));
    }

    #[test]
    fn records_stay_below_the_bound_and_the_key_is_the_fields_text() {
        for name in ["orders", "users", "clicks", "sensors"] {
            assert!(record(name, 9, u64::MAX - EPOCH_MS, None).0.len() <= JSON_BYTES_MAX, "{name}");
        }
        let (text, key) = record("users", 1, 5, Some("userid"));
        assert!(key.starts_with("\"User_") && text.contains(&format!("{{\"userid\":{key},")));
        assert_eq!(record("orders", 1, 42, Some("orderid")).1, "42");
        assert!(Template::new("users", 1, Some("x"), 2, false).is_err_and(|f| f.starts_with("userid, ")));
    }

    #[test]
    fn raw_records_have_the_size_asked_for_and_are_json_where_it_is_wanted() {
        for size in [2, 3, 18, 100] {
            let mut out = Vec::new();
            Template::new("raw", 1, None, size, true).unwrap().write(7, &mut out);
            assert_eq!((out.len(), out[0], out[size - 1]), (size, b'"', b'"'));
        }
    }
}
