//! Text read as `java.text.SimpleDateFormat` reads it, in UTC and US English.
//!
//! Enters: the tokens of a pattern, a text. Leaves: milliseconds. Invariant: what follows is ignored; numbers that touch have the
//! width of their letters, white space before them included.

use super::calendar::{Field, Fields, from_monday};
use super::zones::zone;
use super::{DAYS, MONTHS, Token};

/// Eras, their long names first.
const ERAS: [(&str, i64); 4] = [("Before Christ", 0), ("Anno Domini", 1), ("BC", 0), ("AD", 1)];
const HALVES: [(&str, i64); 2] = [("AM", 0), ("PM", 1)];

/// Reads a time from the start of a text. Years of two digits lie in the hundred years from `century` on, milliseconds since
/// the epoch and the year of it.
pub fn parse(tokens: &[Token], text: &str, century: (i64, i64)) -> Option<i64> {
    let (mut rest, mut fields, mut ambiguous) = (text, Fields::default(), None);
    for (index, token) in tokens.iter().enumerate() {
        rest = match token {
            Token::Text(text) => rest.strip_prefix(text.as_str())?,
            Token::Field(letter, width) => {
                let touches = matches!(tokens.get(index + 1), Some(Token::Field(next, w)) if numeric(*next, *w));
                let of = Letters { letter: *letter, width: *width, touches };
                of.read(rest, &mut fields, century.1, &mut ambiguous)?
            }
        };
    }
    let time = fields.millis()?;
    match ambiguous {
        Some(year) if time < century.0 => {
            fields.set(Field::Year, year + 100);
            fields.millis()
        }
        _ => Some(time),
    }
}

/// True for fields that are written as numbers.
pub fn numeric(letter: char, width: usize) -> bool {
    match letter {
        'M' | 'L' => width < 3,
        other => !"EazZXG".contains(other),
    }
}

/// Letters of a pattern that stand for one field.
struct Letters {
    letter: char,
    width: usize,
    /// True if a number follows at once.
    touches: bool,
}

impl Letters {
    fn read<'a>(
        &self,
        text: &'a str,
        fields: &mut Fields,
        century: i64,
        ambiguous: &mut Option<i64>,
    ) -> Option<&'a str> {
        let begin = text.trim_start_matches([' ', '\t']);
        if begin.is_empty() {
            return None;
        }
        if !numeric(self.letter, self.width) {
            return self.word(text, begin, fields);
        }
        // Java cuts the text behind the letters' width from where the white space began.
        let within = if self.touches {
            let end = text
                .char_indices()
                .nth(self.width)
                .map_or_else(|| (text.chars().count() == self.width).then_some(text.len()), |(at, _)| Some(at))?;
            text.get(text.len() - begin.len()..end)?
        } else {
            begin
        };
        let (n, len) = number(within)?;
        let (digits, rest) = begin.split_at(len);
        let year = matches!(self.letter, 'y' | 'Y') && self.width <= 2;
        if year && digits.chars().count() == 2 && !digits.starts_with('-') {
            let pivot = century.rem_euclid(100);
            let year = n + century - pivot + if n < pivot { 100 } else { 0 };
            *ambiguous = (n == pivot).then_some(year);
            fields.set(self.field(), year);
        } else {
            fields.set(self.field(), self.value(n));
        }
        Some(rest)
    }

    /// The field of a calendar that a number is.
    const fn field(&self) -> Field {
        match self.letter {
            'y' => Field::Year,
            'Y' => Field::WeekYear,
            'M' | 'L' => Field::Month,
            'u' => Field::DayOfWeek,
            'k' | 'H' => Field::HourOfDay,
            'h' | 'K' => Field::Hour,
            'd' => Field::Date,
            'D' => Field::DayOfYear,
            'm' => Field::Minute,
            's' => Field::Second,
            'S' => Field::Millisecond,
            'w' => Field::WeekOfYear,
            'W' => Field::WeekOfMonth,
            _ => Field::DayOfWeekInMonth,
        }
    }

    /// A number in the calendar's way of counting.
    const fn value(&self, n: i64) -> i64 {
        match (self.letter, n) {
            ('M' | 'L', _) => n - 1,
            ('u', 1..=7) => from_monday(n),
            ('k', 24) | ('h', 12) => 0,
            _ => n,
        }
    }

    /// Fields that are words; only before zones there may be white space.
    fn word<'a>(&self, text: &'a str, begin: &'a str, fields: &mut Fields) -> Option<&'a str> {
        let numbered = |names: &'static [&'static str], from: i64| {
            let all = names.iter().zip(from..);
            all.flat_map(|(name, n)| [(*name, n), (&name[..3], n)]).collect::<Vec<_>>()
        };
        match self.letter {
            'M' | 'L' => longest(text, &numbered(&MONTHS, 0), Field::Month, fields),
            'E' => {
                let mut days = numbered(&DAYS, 2);
                days.iter_mut().filter(|day| day.1 == 8).for_each(|day| day.1 = 1);
                longest(text, &days, Field::DayOfWeek, fields)
            }
            'a' => longest(text, &HALVES, Field::Afternoon, fields),
            'G' => longest(text, &ERAS, Field::Era, fields),
            'X' => {
                if let Some(rest) = begin.strip_prefix('Z') {
                    fields.zone_ms = 0;
                    return Some(rest);
                }
                let offset = if self.width == 3 { Offset::Colon } else { Offset::Digits { minutes: self.width > 1 } };
                offset.read(begin, fields)
            }
            _ if begin.starts_with(['+', '-']) => Offset::Digits { minutes: true }.read(begin, fields),
            _ => {
                if let Some(rest) = strip(text, "GMT") {
                    if rest.starts_with(['+', '-']) {
                        return Offset::Loose.read(rest, fields);
                    }
                    fields.zone_ms = 0;
                    return Some(rest);
                }
                let (len, ahead) = zone(begin)?;
                fields.zone_ms = ahead;
                Some(&begin[len..])
            }
        }
    }
}

fn strip<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|start| &text[start.len()..])
}

/// Sets a field to the number of the longest word that the text begins with.
fn longest<'a>(text: &'a str, words: &[(&str, i64)], field: Field, fields: &mut Fields) -> Option<&'a str> {
    let found = words.iter().filter_map(|(word, n)| Some((strip(text, word)?, *n)));
    let (rest, n) = found.min_by_key(|(rest, _)| rest.len())?;
    fields.set(field, n);
    Some(rest)
}

/// How the distance to UTC is written.
enum Offset {
    /// `+hh` or `+hhmm`.
    Digits { minutes: bool },
    /// `+hh:mm`.
    Colon,
    /// `+h:mm` or `+hh:mm`.
    Loose,
}

impl Offset {
    fn read<'a>(&self, text: &'a str, fields: &mut Fields) -> Option<&'a str> {
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let rest = &text[1..];
        let one_digit = matches!(self, Self::Loose) && !rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let (hours, rest) = digits(rest, if one_digit { 1 } else { 2 })?;
        let (minutes, rest) = match self {
            Self::Digits { minutes: false } => (0, rest),
            Self::Digits { minutes: true } => digits(rest, 2)?,
            Self::Colon | Self::Loose => digits(rest.strip_prefix(':')?, 2)?,
        };
        fields.zone_ms = sign * (hours * 60 + minutes) * 60_000;
        (hours < 24 && minutes < 60).then_some(rest)
    }
}

/// That many digits.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let all = text.get(..count).filter(|all| all.bytes().all(|b| b.is_ascii_digit()))?;
    Some((all.parse().ok()?, &text[count..]))
}

/// A whole number as `DecimalFormat` reads it, and its length. It has 32 bits: what is larger wraps, and beyond 64 bits ends
/// at the ends.
#[expect(clippy::cast_possible_truncation, reason = "as Java does it")]
fn number(text: &str) -> Option<(i64, usize)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits: String = unsigned.chars().map_while(crate::number::digit).map(|d| char::from(b'0' + d)).collect();
    let width: usize = unsigned.chars().take(digits.len()).map(char::len_utf8).sum();
    if digits.is_empty() {
        return None;
    }
    let mut len = text.len() - unsigned.len() + width;
    let sign = if unsigned.len() < text.len() { "-" } else { "" };
    let mut made = format!("{sign}{digits}");
    let power = unsigned[width..].strip_prefix('E').map(|power| {
        let signed = power.len() - power.strip_prefix('-').unwrap_or(power).len();
        &power[..signed + power[signed..].bytes().take_while(u8::is_ascii_digit).count()]
    });
    if let Some(power) = power.filter(|power| power.ends_with(|c: char| c.is_ascii_digit())) {
        len += 1 + power.len();
        made = format!("{made}E{power}");
    }
    let n = match made.parse::<i64>() {
        Ok(n) => n as i32,
        Err(_) => match made.parse::<f64>().unwrap_or(0.0) {
            // Whole numbers that have 64 bits are whole numbers to Java as well.
            x if x.fract() == 0.0 && x.abs() < 9.2e18 => x as i64 as i32,
            x => x as i32,
        },
    };
    Some((i64::from(n), len))
}
