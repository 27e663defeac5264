//! A guest's own figures: `wit/v0.1/host.wit`, interface `metrics`.
//!
//! Enters: names and numbers from a guest. Leaves: a snapshot for `GET /metrics`. Invariant: at most
//! [`GuestMetrics::NAMES_MAX`] names of at most [`GuestMetrics::NAME_BYTES_MAX`] bytes; what does not fit is counted; a summary's
//! `_sum` and `_count` belong to it alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What the guests of one task count, its plugin and its transforms together; it outlives instances.
#[derive(Debug, Default)]
pub struct GuestMetrics(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    figures: BTreeMap<String, GuestFigure>,
    ignored: u64,
}

/// One figure. The first use of a name decides what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GuestFigure {
    /// Sum of what was added; never decreases.
    Counter(f64),
    /// What was set last.
    Gauge(f64),
    /// What was observed.
    Summary {
        /// How often.
        count: u64,
        /// Sum.
        sum: f64,
    },
}

/// What `GET /metrics` shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuestMetricsSnapshot {
    /// By name, in order.
    pub figures: Vec<(String, GuestFigure)>,
    /// Calls that were ignored: illegal or taken name, too many names, not finite, negative addition, other kind than before.
    pub ignored: u64,
}

impl GuestMetrics {
    /// Names at most.
    pub const NAMES_MAX: usize = 100;
    /// Bytes of a name at most.
    pub const NAME_BYTES_MAX: usize = 60;

    /// Adds to a counter.
    pub fn add(&self, name: &str, value: f64) {
        self.update(name, value, GuestFigure::Counter(0.0), |figure| match figure {
            GuestFigure::Counter(sum) if value >= 0.0 => {
                *sum += value;
                true
            }
            _ => false,
        });
    }

    /// Sets a gauge.
    pub fn set(&self, name: &str, value: f64) {
        self.update(name, value, GuestFigure::Gauge(0.0), |figure| match figure {
            GuestFigure::Gauge(last) => {
                *last = value;
                true
            }
            _ => false,
        });
    }

    /// Observes a value.
    pub fn observe(&self, name: &str, value: f64) {
        self.update(name, value, GuestFigure::Summary { count: 0, sum: 0.0 }, |figure| match figure {
            GuestFigure::Summary { count, sum } => {
                *count += 1;
                *sum += value;
                true
            }
            _ => false,
        });
    }

    /// The state of things.
    pub fn snapshot(&self) -> GuestMetricsSnapshot {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = table.figures.iter().map(|(name, figure)| (name.clone(), *figure)).collect();
        GuestMetricsSnapshot { figures, ignored: table.ignored }
    }

    fn update(&self, name: &str, value: f64, new: GuestFigure, change: impl FnOnce(&mut GuestFigure) -> bool) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.figures.contains_key(name);
        let may_be_made = !known && table.figures.len() < Self::NAMES_MAX && legal(name) && table.free(name, new);
        let done = value.is_finite()
            && match table.figures.get_mut(name) {
                Some(figure) => change(figure),
                None if may_be_made => {
                    let mut figure = new;
                    let done = change(&mut figure);
                    if done {
                        table.figures.insert(name.to_owned(), figure);
                    }
                    done
                }
                None => false,
            };
        if !done {
            table.ignored += 1;
        }
    }
}

impl Table {
    /// False where a summary's sum or count and a figure of that very name would be one series.
    fn free(&self, name: &str, figure: GuestFigure) -> bool {
        let parts = ["_sum", "_count"];
        if matches!(figure, GuestFigure::Summary { .. }) {
            return parts.iter().all(|part| !self.figures.contains_key(&format!("{name}{part}")));
        }
        let summary = |part: &&str| {
            let whole = name.strip_suffix(*part).and_then(|whole| self.figures.get(whole));
            matches!(whole, Some(GuestFigure::Summary { .. }))
        };
        !parts.iter().any(summary)
    }
}

fn legal(name: &str) -> bool {
    let tail = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.len() <= GuestMetrics::NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_outside_the_rules_are_ignored_and_counted() {
        let metrics = GuestMetrics::default();
        metrics.add("rows_total", 2.0);
        metrics.add("rows_total", 3.0);
        metrics.set("depth", 7.0);
        metrics.observe("wait_seconds", 0.5);
        for (name, value) in [("Rows", 1.0), ("", 1.0), ("1x", 1.0), ("rows_total", -1.0), ("depth2", f64::NAN)] {
            metrics.add(name, value);
        }
        metrics.set("rows_total", 1.0);
        let snapshot = metrics.snapshot();
        let expected = [
            ("depth".to_owned(), GuestFigure::Gauge(7.0)),
            ("rows_total".to_owned(), GuestFigure::Counter(5.0)),
            ("wait_seconds".to_owned(), GuestFigure::Summary { count: 1, sum: 0.5 }),
        ];
        assert_eq!((snapshot.figures.as_slice(), snapshot.ignored), (expected.as_slice(), 6));
    }

    #[test]
    fn the_parts_of_a_summary_are_its_own() {
        let metrics = GuestMetrics::default();
        metrics.observe("wait", 1.0);
        metrics.add("wait_sum", 1.0);
        metrics.set("wait_count", 1.0);
        metrics.add("rows_count", 1.0);
        metrics.observe("rows", 1.0);
        metrics.add("wait_max", 1.0);
        let snapshot = metrics.snapshot();
        let names: Vec<_> = snapshot.figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, snapshot.ignored), (vec!["rows_count", "wait", "wait_max"], 3));
    }

    #[test]
    fn the_hundred_and_first_name_is_ignored() {
        let metrics = GuestMetrics::default();
        for n in 0..=GuestMetrics::NAMES_MAX {
            metrics.add(&format!("n{n}"), 1.0);
        }
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.figures.len(), snapshot.ignored), (GuestMetrics::NAMES_MAX, 1));
    }
}
