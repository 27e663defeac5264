//! Dates as `java.text.SimpleDateFormat` writes and reads them, in UTC and US English.
//!
//! Enters: a pattern; milliseconds or text. Leaves: text or milliseconds. Invariant: reading is lenient (month 13 is January
//! of the next year) and ignores what follows; S is the number of milliseconds, not a fraction.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "months, weekdays and hours are small"
)]

use std::fmt::Write as _;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Field(char, usize),
}

/// The three forms of `Values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iso {
    /// Days since the epoch.
    Date(i64),
    /// Milliseconds of the day.
    Time(i64),
    /// Milliseconds since the epoch.
    Timestamp(i64),
}

/// Reads `yyyy-MM-dd`, `HH:mm:ss.SSS'Z'` or `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`, by its length.
pub fn iso(text: &str) -> Option<Iso> {
    if !text.is_ascii() || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let read = |pattern: &str| Format::new(pattern).ok()?.parse(text);
    match text.len() {
        10 => read("yyyy-MM-dd").map(|ms| Iso::Date(ms.div_euclid(DAY_MS))),
        13 => read("HH:mm:ss.SSS'Z'").map(Iso::Time),
        24 => read("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").map(Iso::Timestamp),
        _ => None,
    }
}

/// The text of a date in `Values`: a time below one day, a date at whole days, a timestamp elsewhere.
pub fn by_magnitude(ms: i64) -> String {
    let pattern = match ms {
        i64::MIN..DAY_MS => "HH:mm:ss.SSS'Z'",
        _ if ms % DAY_MS == 0 => "yyyy-MM-dd",
        _ => "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    };
    Format::new(pattern).map(|format| format.print(ms)).unwrap_or_default()
}

impl Format {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut text = String::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\'' {
                if chars.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                    continue;
                }
                loop {
                    match chars.next() {
                        Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
                        Some('\'') => break,
                        Some(c) => text.push(c),
                        None => return Err("Unterminated quote".to_owned()),
                    }
                }
            } else if c.is_ascii_alphabetic() {
                if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(c) {
                    return Err(format!("Illegal pattern character '{c}'"));
                }
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if !text.is_empty() {
                    tokens.push(Token::Text(std::mem::take(&mut text)));
                }
                tokens.push(Token::Field(c, count));
            } else {
                text.push(c);
            }
        }
        if !text.is_empty() {
            tokens.push(Token::Text(text));
        }
        Ok(Self(tokens))
    }

    /// Writes a time.
    pub fn print(&self, ms: i64) -> String {
        let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, date) = civil(day);
        let (hour, of_era) = (rest / 3_600_000, if year > 0 { year } else { 1 - year });
        let mut out = String::new();
        for token in &self.0 {
            let (field, width) = match token {
                Token::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Token::Field(field, width) => (*field, *width),
            };
            // In range: months are 1 to 12, days of the week 0 to 6.
            let (name, weekday) = (MONTHS[(month - 1) as usize], (day + 3).rem_euclid(7) as usize);
            let number = match field {
                'y' if width == 2 => of_era.rem_euclid(100),
                'Y' if width == 2 => week(day, year).0.rem_euclid(100),
                'Y' => week(day, year).0,
                'w' => week(day, year).1,
                // Weeks begin on Sunday, and the first one may be short.
                'W' => (date - 1 + (days(year, month, 1) + 4).rem_euclid(7)) / 7 + 1,
                'F' => (date - 1) / 7 + 1,
                'y' => of_era,
                'M' | 'L' if width < 3 => month,
                'D' => day - days(year, 1, 1) + 1,
                'd' => date,
                'u' => weekday as i64 + 1,
                'H' => hour,
                // From 1 to 24, and from 1 to 12.
                'k' => (hour + 23) % 24 + 1,
                'K' => hour % 12,
                'h' => (hour + 11) % 12 + 1,
                'm' => rest / 60_000 % 60,
                's' => rest / 1000 % 60,
                'S' => rest % 1000,
                'G' => {
                    out.push_str(if year > 0 { "AD" } else { "BC" });
                    continue;
                }
                _ => {
                    out.push_str(word(field, width, name, DAYS[weekday], hour));
                    continue;
                }
            };
            // Writing to a String cannot fail.
            let _ = write!(out, "{number:0width$}");
        }
        out
    }

    /// Reads a time from the start of a text.
    pub fn parse(&self, text: &str) -> Option<i64> {
        let (mut rest, mut parts) = (text, Parts::default());
        for (index, token) in self.0.iter().enumerate() {
            rest = match token {
                Token::Text(text) => rest.strip_prefix(text.as_str())?,
                Token::Field(field, width) => {
                    // Numbers that touch have the width of their letters.
                    let touches = matches!(self.0.get(index + 1), Some(Token::Field(next, w)) if numeric(*next, *w));
                    parts.read(*field, *width, touches, rest)?
                }
            };
        }
        Some(parts.millis())
    }
}

/// The fields that are words.
fn word<'a>(field: char, width: usize, month: &'a str, day: &'a str, hour: i64) -> &'a str {
    match (field, width) {
        ('M' | 'L', 3) => &month[..3],
        ('M' | 'L', _) => month,
        ('E', 0..4) => &day[..3],
        ('E', _) => day,
        ('a', _) if hour < 12 => "AM",
        ('a', _) => "PM",
        ('z', 0..4) => "UTC",
        ('z', _) => "Coordinated Universal Time",
        ('Z', _) => "+0000",
        _ => "Z",
    }
}

fn numeric(field: char, width: usize) -> bool {
    match field {
        'M' | 'L' => width < 3,
        other => !"EazZXG".contains(other),
    }
}

#[derive(Debug, Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    date: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    afternoon: bool,
    before_christ: bool,
    minute: i64,
    second: i64,
    ms: i64,
    zone_ms: i64,
}

impl Parts {
    fn read<'a>(&mut self, field: char, width: usize, touches: bool, text: &'a str) -> Option<&'a str> {
        if !numeric(field, width) {
            return self.word(field, text);
        }
        let text = text.trim_start_matches(' ');
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let limit = if touches { width } else { 18 };
        let count = digits.bytes().take(limit).take_while(u8::is_ascii_digit).count();
        let n: i64 = sign * digits[..count].parse::<i64>().ok()?;
        match field {
            // Two digits lie within 80 years before and 20 after; taken from the year 2026.
            'y' if width <= 2 && count == 2 => self.year = Some(if n > 46 { 1900 + n } else { 2000 + n }),
            'y' | 'Y' => self.year = Some(n),
            'M' | 'L' => self.month = Some(n),
            'd' => self.date = Some(n),
            'D' => self.day_of_year = Some(n),
            'H' | 'K' => self.hour = n,
            'k' => self.hour = if n == 24 { 0 } else { n },
            'h' => self.hour = if n == 12 { 0 } else { n },
            'm' => self.minute = n,
            's' => self.second = n,
            'S' => self.ms = n,
            _ => {}
        }
        Some(&digits[count..])
    }

    fn word<'a>(&mut self, field: char, text: &'a str) -> Option<&'a str> {
        let strip =
            |word: &str| text.get(..word.len()).filter(|t| t.eq_ignore_ascii_case(word)).map(|t| &text[t.len()..]);
        match field {
            'M' | 'L' => (0..12).find_map(|index| {
                let rest = strip(MONTHS[index]).or_else(|| strip(&MONTHS[index][..3]))?;
                self.month = Some(index as i64 + 1);
                Some(rest)
            }),
            'E' => DAYS.iter().find_map(|day| strip(day).or_else(|| strip(&day[..3]))),
            'a' => {
                self.afternoon = strip("PM").is_some();
                strip("PM").or_else(|| strip("AM"))
            }
            'G' => {
                self.before_christ = strip("BC").is_some();
                strip("BC").or_else(|| strip("AD"))
            }
            _ => strip("UTC").or_else(|| strip("GMT")).or_else(|| strip("Z")).or_else(|| self.zone(text)),
        }
    }

    /// `+hhmm`, `+hh:mm` or `+hh`.
    fn zone<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let digits = text.strip_prefix(['+', '-'])?;
        let hours: i64 = digits.get(..2)?.parse().ok()?;
        let rest = &digits[2..];
        let rest_digits = rest.strip_prefix(':').unwrap_or(rest);
        let minutes = rest_digits.get(..2).and_then(|m| m.parse::<i64>().ok());
        self.zone_ms = sign * (hours * 60 + minutes.unwrap_or(0)) * 60_000;
        Some(if minutes.is_some() { &rest_digits[2..] } else { rest })
    }

    fn millis(&self) -> i64 {
        let bound = |n: i64| n.clamp(-1_000_000_000_000, 1_000_000_000_000);
        let year = self.year.unwrap_or(1970).clamp(-290_000_000, 290_000_000);
        let year = if self.before_christ { 1 - year } else { year };
        let month = bound(self.month.unwrap_or(1)).clamp(-1_000_000, 1_000_000);
        let day = match (self.day_of_year, self.month, self.date) {
            (Some(n), None, None) => days(year, 1, 1) + bound(n).clamp(-1_000_000_000, 1_000_000_000) - 1,
            _ => days(year, month, bound(self.date.unwrap_or(1)).clamp(-1_000_000_000, 1_000_000_000)),
        };
        let hour = bound(self.hour) + if self.afternoon { 12 } else { 0 };
        let clock = ((hour * 60 + bound(self.minute)) * 60 + bound(self.second)).saturating_mul(1000);
        day.saturating_mul(DAY_MS).saturating_add(clock).saturating_add(bound(self.ms)).saturating_sub(self.zone_ms)
    }
}

/// Year and week of a day, as in the United States: weeks begin on Sunday, the first one holds the first of January.
fn week(day: i64, year: i64) -> (i64, i64) {
    let sunday = |of: i64| of - (of + 4).rem_euclid(7);
    let year = if day >= sunday(days(year + 1, 1, 1)) { year + 1 } else { year };
    (year, (day - sunday(days(year, 1, 1))) / 7 + 1)
}

/// The day on which the Gregorian calendar began, 1582-10-15: before it Java has the Julian one.
const GREGORIAN: i64 = -141_427;

/// Days since the epoch of a date; months and days beyond their range roll over.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (rolled, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = if month <= 2 { rolled - 1 } else { rolled };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let gregorian = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + of_year - 719_468;
    if year >= 1582 && gregorian >= GREGORIAN {
        return gregorian;
    }
    y * 365 + y.div_euclid(4) + of_year - 719_470
}

/// Year (0 is 1 BC), month and day of a day since the epoch.
fn civil(day: i64) -> (i64, i64, i64) {
    let (year, of_year) = if day >= GREGORIAN {
        let z = day.saturating_add(719_468);
        let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        (year_of_era + era * 400, of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100))
    } else {
        let z = day.saturating_add(719_470);
        let (cycle, of_cycle) = (z.div_euclid(1461), z.rem_euclid(1461));
        let year_of_cycle = (of_cycle - of_cycle / 1460) / 365;
        (year_of_cycle + cycle * 4, of_cycle - 365 * year_of_cycle)
    };
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Format, Iso, iso};

    const LEAP: i64 = 1_582_934_400_123 + 13 * 3_600_000;

    #[test]
    fn patterns_print_as_java_prints_them() {
        for (pattern, text) in [
            ("yyyyMMdd", "20200229"),
            ("yy-M-d", "20-2-29"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2020-02-29T13:00:00.123Z"),
            ("SSSSSS", "000123"),
            ("EEE, d MMM yyyy hh a z", "Sat, 29 Feb 2020 01 PM UTC"),
            ("EEEE MMMM D u k K", "Saturday February 60 6 13 1"),
            ("''Z X", "'+0000 Z"),
        ] {
            assert_eq!(Format::new(pattern).unwrap().print(LEAP), text, "{pattern}");
        }
        assert_eq!(Format::new("yyyy-MM-dd HH").unwrap().print(-1), "1969-12-31 23");
        assert!(Format::new("yyyy b").is_err() && Format::new("'x").is_err());
        assert!(!Format::new("yyyy").unwrap().print(i64::MIN).is_empty());
    }

    #[test]
    fn reading_is_lenient_and_takes_a_prefix() {
        for (pattern, text, ms) in [
            ("yyyy-MM-dd", "2020-02-30 and more", Some(1_583_020_800_000)),
            ("yyyyMMddHHmmss", "20200229130000", Some(1_582_981_200_000)),
            ("yyyy-MM-dd", "2019-13-45", Some(1_581_638_400_000)),
            ("dd MMM yyyy", "29 feb 2020", Some(1_582_934_400_000)),
            ("HH:mm:ss.SSS'Z'", "24:00:00.000Z", Some(86_400_000)),
            ("yyyy-MM-dd HH:mm Z", "2020-02-29 13:00 +0100", Some(1_582_977_600_000)),
            ("yyyy", "x", None),
            ("yyyy-MM", "2020", None),
        ] {
            assert_eq!(Format::new(pattern).unwrap().parse(text), ms, "{text}");
        }
        assert_eq!(iso("1970-01-02"), Some(Iso::Date(1)));
        assert_eq!(iso("1970/01/02"), None);
        assert_eq!(iso("ä970-01-02"), None);
        assert!(Format::new("yyyy-MM-dd").unwrap().parse("999999999999999999-999999999999999999-1").is_some());
    }
}
