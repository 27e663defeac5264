//! The day and time that fields of a calendar mean, as `java.util.GregorianCalendar` works it out in UTC with US weeks.
//!
//! Enters: fields in the order in which they were set. Leaves: milliseconds since the epoch. Invariant: everything is lenient
//! (month 13 is January of the next year); of fields that contradict each other the group that was set last counts.

use super::{DAY_MS, days};

/// A field of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Era,
    Year,
    /// From 0.
    Month,
    WeekOfYear,
    WeekOfMonth,
    Date,
    DayOfYear,
    /// From 1, a Sunday.
    DayOfWeek,
    DayOfWeekInMonth,
    Afternoon,
    Hour,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    WeekYear,
}

const FIELDS: usize = Field::WeekYear as usize + 1;

/// Fields, and when each was set: 0 is never.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    stamps: [u32; FIELDS],
    values: [i64; FIELDS],
    last: u32,
    /// Milliseconds ahead of UTC.
    pub zone_ms: i64,
}

impl Fields {
    /// Sets a field.
    pub fn set(&mut self, field: Field, value: i64) {
        self.last += 1;
        self.stamps[field as usize] = self.last;
        self.values[field as usize] = value;
    }

    fn stamp(&self, field: Field) -> u32 {
        self.stamps[field as usize]
    }

    fn get(&self, field: Field) -> i64 {
        self.values[field as usize]
    }

    fn given(&self, field: Field) -> Option<i64> {
        (self.stamp(field) > 0).then(|| self.get(field))
    }

    /// The stamp of two fields of which both are needed.
    fn both(&self, one: Field, other: Field) -> u32 {
        let (one, other) = (self.stamp(one), self.stamp(other));
        if one == 0 || other == 0 { 0 } else { one.max(other) }
    }

    /// The time; none if the fields are of no day at all.
    pub fn millis(&self) -> Option<i64> {
        let day = if self.stamp(Field::WeekYear) > self.stamp(Field::Year) { self.of_week_date()? } else { self.day() };
        let clock = ((self.hours() * 60 + self.get(Field::Minute)) * 60 + self.get(Field::Second)) * 1000;
        // Fields have 32 bits; years of ten digits wrap, as in Java.
        let ms = clock + self.get(Field::Millisecond) - self.zone_ms;
        Some(day.wrapping_mul(DAY_MS).wrapping_add(ms))
    }

    /// The hour of the day or the hour and the half of the day, whichever was set last.
    fn hours(&self) -> i64 {
        let half = self.both(Field::Hour, Field::Afternoon);
        let best = half.max(self.stamp(Field::HourOfDay));
        let best = if best == 0 { self.stamp(Field::Hour).max(self.stamp(Field::Afternoon)) } else { best };
        if best > 0 && best == self.stamp(Field::HourOfDay) {
            return self.get(Field::HourOfDay);
        }
        self.get(Field::Hour) + 12 * self.get(Field::Afternoon)
    }

    fn year(&self) -> i64 {
        let year = self.given(Field::Year).unwrap_or(1970);
        if self.given(Field::Era) == Some(0) { 1 - year } else { year }
    }

    /// A day of a year of weeks: its first one, unless week and day are given; month and date do not count.
    fn of_week_date(&self) -> Option<i64> {
        let mut week = self.given(Field::WeekOfYear).unwrap_or(1);
        let mut weekday = self.given(Field::DayOfWeek).unwrap_or(1);
        if weekday >= 8 {
            weekday -= 1;
            week += weekday / 7;
            weekday = from_monday(weekday % 7 + 1);
        } else if weekday <= 0 {
            let weeks = (-weekday).div_euclid(7) + 1;
            weekday = from_monday(weekday + weeks * 7);
            week -= weeks;
        }
        let first = sunday(days(self.get(Field::WeekYear), 1, 1));
        (1..=7).contains(&weekday).then(|| first + weekday - 1 + 7 * (week - 1))
    }

    fn day(&self) -> i64 {
        use Field::{Date, DayOfWeek, DayOfWeekInMonth, DayOfYear, Month, WeekOfMonth, WeekOfYear};
        let weekday = self.stamp(DayOfWeek);
        let (mut of_month, mut in_month) = (self.both(WeekOfMonth, DayOfWeek), self.both(DayOfWeekInMonth, DayOfWeek));
        let mut of_year = self.both(WeekOfYear, DayOfWeek);
        let mut date = self.stamp(Date);
        let mut best = date.max(of_month).max(in_month).max(self.stamp(DayOfYear)).max(of_year);
        if best == 0 {
            of_month = self.stamp(WeekOfMonth);
            in_month = self.stamp(DayOfWeekInMonth).max(weekday);
            of_year = self.stamp(WeekOfYear);
            best = of_month.max(in_month).max(of_year);
            if best == 0 {
                date = self.stamp(Month);
                best = date;
            }
        }
        let year = self.year();
        let month = || days(year, self.get(Month) + 1, 1);
        let weekday = (weekday > 0).then(|| self.get(DayOfWeek));
        if best == date {
            return days(year, self.get(Month) + 1, self.given(Date).unwrap_or(1));
        }
        let by_month = |stamp: u32, field: Field| best == stamp && self.stamp(field) >= self.stamp(WeekOfYear);
        if by_month(of_month, WeekOfMonth) || by_month(in_month, DayOfWeekInMonth) {
            let by_week = if of_month == in_month {
                self.stamp(WeekOfMonth) >= self.stamp(DayOfWeekInMonth)
            } else {
                best == of_month
            };
            return if by_week {
                in_week(month(), self.get(WeekOfMonth), weekday)
            } else {
                self.nth(year, month(), weekday.unwrap_or(1))
            };
        }
        if best == self.stamp(DayOfYear) {
            return days(year, 1, self.get(DayOfYear));
        }
        in_week(days(year, 1, 1), self.get(WeekOfYear), weekday)
    }

    /// The nth such weekday of a month, from its end if n is below 0.
    fn nth(&self, year: i64, month: i64, weekday: i64) -> i64 {
        match self.given(Field::DayOfWeekInMonth).unwrap_or(1) {
            n if n >= 0 => on_or_before(month + 7 * n - 1, weekday),
            n => {
                let next = days(year, self.get(Field::Month) + 2, 1);
                on_or_before(next + 7 * (n + 1) - 1, weekday)
            }
        }
    }
}

/// Java's number of a weekday, of one that begins with 1 for Monday.
pub const fn from_monday(weekday: i64) -> i64 {
    if weekday == 7 { 1 } else { weekday + 1 }
}

/// The last Sunday up to a day.
fn sunday(day: i64) -> i64 {
    on_or_before(day, 1)
}

/// The last such weekday up to a day; the epoch was a Thursday, 5.
fn on_or_before(day: i64, weekday: i64) -> i64 {
    day - (day + 5 - weekday).rem_euclid(7)
}

/// The day of a week, counted from the one that holds `first`.
fn in_week(first: i64, week: i64, weekday: Option<i64>) -> i64 {
    let begin = sunday(first);
    weekday.map_or(begin, |weekday| on_or_before(begin + 6, weekday)) + 7 * (week - 1)
}
