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

mod calendar;
mod parse;
mod zones;

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

/// Years back from now that the years of two digits begin.
const CENTURY_BACK: i64 = 80;

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    tokens: Vec<Token>,
    /// Where the hundred years begin that years of two digits lie in: milliseconds, and the year.
    century: (i64, i64),
}

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
                if c == 'X' && count > 3 {
                    return Err(format!("invalid ISO 8601 format: length={count}"));
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
        Ok(Self { tokens, century: century(now()) })
    }

    /// Writes a time.
    pub fn print(&self, ms: i64) -> String {
        let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, date) = civil(day);
        let (hour, of_era) = (rest / 3_600_000, if year > 0 { year } else { 1 - year });
        // Not the date: October 1582 lacks ten days.
        let first = days(year, month, 1);
        let of_month = day - first;
        let mut out = String::new();
        for token in &self.tokens {
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
                'W' => (of_month + (first + 4).rem_euclid(7)) / 7 + 1,
                'F' => of_month / 7 + 1,
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
        parse::parse(&self.tokens, text, self.century)
    }
}

/// Milliseconds since the epoch; 0 where no clock is to be had.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// The same moment that many years back.
fn century(now: i64) -> (i64, i64) {
    let (day, rest) = (now.div_euclid(DAY_MS), now.rem_euclid(DAY_MS));
    let (year, month, date) = civil(day);
    let year = year - CENTURY_BACK;
    let last = days(year, month + 1, 1) - days(year, month, 1);
    (days(year, month, date.min(last)) * DAY_MS + rest, year)
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
        assert!(Format::new("XXXX").is_err() && Format::new("yyyy b").is_err() && Format::new("'x").is_err());
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
            // What Java makes of weeks: the second Sunday of the month, the fifth week of it, the first day of a week year.
            ("F", "2", Some(864_000_000)),
            ("KKW", "885", Some(2_390_400_000)),
            ("YYYY-MM-dd", "2020-05-05", Some(1_577_577_600_000)),
            ("dd.MM.yyyy z", "01.07.2020 PDT", Some(1_593_586_800_000)),
            ("HH:mm XXX", "12:00 +50", None),
            ("HH:mm XX", "12:00 +01:00", None),
            ("dH", " 11", None),
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
