//! Dates in UTC, in the three forms that Kafka Connect's `Values` knows.
//!
//! Enters: milliseconds since the epoch, or text. Leaves: text, or days or milliseconds. Invariant: reading is lenient as
//! Java's is (month 13 is January of the next year); no value overflows.

use crate::value::Value;

const DAY_MS: i64 = 86_400_000;

/// Time below one day, date at whole days, timestamp elsewhere (quirk: the date 1970-01-01 prints as a time).
pub(crate) fn by_magnitude(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let clock =
        format!("{:02}:{:02}:{:02}.{:03}Z", rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    if ms < DAY_MS {
        return clock;
    }
    let (year, month, day) = civil(days);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest == 0 { date } else { format!("{date}T{clock}") }
}

/// `java.util.Date.toString`, such as `Thu Jan 01 00:00:00 UTC 1970`.
pub(crate) fn java(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = hybrid(days);
    let index = |n: i64| usize::try_from(n).unwrap_or(0); // small and not negative
    let (weekday, month) = (DAYS[index((days + 3).rem_euclid(7))], MONTHS[index(month - 1)]);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{weekday} {month} {day:02} {clock} UTC {}", if year > 0 { year } else { 1 - year })
}

/// A text of exactly 10, 13 or 24 characters in the right pattern: Date, Time or Timestamp. Colons may be escaped. As Java
/// reads it, a number may have more or fewer digits than the pattern has letters.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let plain = text.replace("\\:", ":");
    let mut rest = Rest(&plain);
    match plain.chars().count() {
        // What lists and maps are made of ends a date.
        _ if !plain.starts_with(|c: char| c.is_ascii_digit()) || plain.contains(['[', ']', '{', '}', ',', '"']) => None,
        10 => Some(Value::Date(i32::try_from(rest.date()?).ok()?)),
        13 => Some(Value::Time(i32::try_from(rest.clock()?).ok()?)),
        24 => {
            let date = rest.date()?;
            rest.mark('T')?;
            Some(Value::Timestamp(date * DAY_MS + rest.clock()?))
        }
        _ => None,
    }
}

/// What is not read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn date(&mut self) -> Option<i64> {
        let year = self.number()?;
        self.mark('-')?;
        let month = self.number()?;
        self.mark('-')?;
        Some(hybrid_days(year, month, self.number()?))
    }

    fn clock(&mut self) -> Option<i64> {
        let hour = self.number()?;
        self.mark(':')?;
        let minute = self.number()?;
        self.mark(':')?;
        let second = self.number()?;
        self.mark('.')?;
        let ms = self.number()?;
        self.mark('Z')?;
        Some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
    }

    /// White space may stand before it. At most 24 characters: no overflow.
    fn number(&mut self) -> Option<i64> {
        let text = self.0.trim_start_matches([' ', '\t']);
        let digits = text.strip_prefix('-').unwrap_or(text);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        self.0 = &digits[count..];
        let n: i64 = text[..text.len() - self.0.len()].parse().ok()?;
        // Java's fields have 32 bits.
        i32::try_from(n).ok().map(i64::from)
    }

    fn mark(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }
}

/// Days since the epoch of a civil date; months and days beyond their range roll over.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468 + day - 1
}

/// The civil date of a day since the epoch (proleptic Gregorian).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The day on which the Gregorian calendar began, 1582-10-15: before it Java has the Julian one.
const GREGORIAN: i64 = -141_427;

/// As [`days`], in Java's calendar.
fn hybrid_days(year: i64, month: i64, day: i64) -> i64 {
    let gregorian = days(year, month, day);
    if year >= 1582 && gregorian >= GREGORIAN {
        return gregorian;
    }
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    y * 365 + y.div_euclid(4) + (153 * ((month + 9) % 12) + 2) / 5 - 719_470 + day - 1
}

/// As [`civil`], in Java's calendar.
fn hybrid(days: i64) -> (i64, i64, i64) {
    if days >= GREGORIAN {
        return civil(days);
    }
    let z = days.saturating_add(719_470);
    let (cycle, of_cycle) = (z.div_euclid(1461), z.rem_euclid(1461));
    let year_of_cycle = (of_cycle - of_cycle / 1460) / 365;
    let of_year = of_cycle - 365 * year_of_cycle;
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_cycle + cycle * 4 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{by_magnitude, java, parse};
    use crate::value::Value;

    #[test]
    fn the_three_forms_are_told_apart_by_length_and_roll_over() {
        assert_eq!(parse("1970-01-02"), Some(Value::Date(1)));
        assert_eq!(parse("2019-13-45"), Some(Value::Date(18_306)));
        assert_eq!(parse("24:00:00.000Z"), Some(Value::Time(86_400_000)));
        assert_eq!(parse("1970-01-01T00:00:00.001Z"), Some(Value::Timestamp(1)));
        assert_eq!(parse("1970-01-01T00\\:00\\:00.001Z"), Some(Value::Timestamp(1)));
        assert_eq!(parse("1970/01/01"), None);
        // Numbers of other lengths, what follows the last one.
        assert_eq!((parse("1970-1-2 x"), parse("1970- 1-2x")), (Some(Value::Date(1)), Some(Value::Date(1))));
        assert_eq!(
            (parse("2020-13-0]"), parse("-970-01-02"), parse("1970-01-0"), parse("197a-01-02")),
            (None, None, None, None)
        );
        assert_eq!(parse("1582-10-15"), Some(Value::Date(-141_427)));
        assert_eq!(parse("1582-10-04"), Some(Value::Date(-141_428)));
    }

    #[test]
    fn dates_as_text_are_those_of_java() {
        assert_eq!(java(0), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(java(1_582_978_496_123), "Sat Feb 29 12:14:56 UTC 2020");
        assert_eq!(java(-141_428 * super::DAY_MS), "Thu Oct 04 00:00:00 UTC 1582");
        assert_eq!(java(i64::MIN), "Sun Dec 02 16:47:04 UTC 292269055");
    }

    #[test]
    fn the_form_goes_by_magnitude() {
        assert_eq!(by_magnitude(0), "00:00:00.000Z");
        assert_eq!(by_magnitude(86_400_000), "1970-01-02");
        assert_eq!(by_magnitude(1_582_934_400_001), "2020-02-29T00:00:00.001Z");
        assert_eq!(by_magnitude(-1), "23:59:59.999Z");
        assert!(by_magnitude(i64::MAX).starts_with("292278994-08-17"));
    }
}
