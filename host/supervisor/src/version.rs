//! Versions of packages and the ranges that a connector may ask for (KIP-891: Maven's ranges).
//!
//! Enters: text. Leaves: an order, and whether a version is within a range. Invariant: total order; a pre-release comes
//! before its release (semver.org, rule 11).

use std::cmp::Ordering;

/// A semantic version. Build metadata is kept in the text and ignored in the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version {
    numbers: Vec<u64>,
    pre: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

impl Version {
    /// Never fails: parts that are not numbers count as text of a pre-release.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.split('+').next().unwrap_or(text).trim().trim_start_matches('v');
        let (core, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers: Vec<u64> = core.split('.').map_while(|n| n.parse().ok()).collect();
        while numbers.last() == Some(&0) {
            numbers.pop(); // 1.0 is 1.0.0
        }
        let identifier = |p: &str| p.parse().map_or_else(|_| Identifier::Text(p.to_owned()), Identifier::Number);
        let pre = pre.split('.').filter(|p| !p.is_empty()).map(identifier).collect();
        Self { numbers, pre }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let release = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.pre.cmp(&other.pre),
        };
        self.numbers.cmp(&other.numbers).then_with(release)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a connector asks for in `connector.plugin.version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Absent or `latest`: the newest.
    Latest,
    /// A bare version: exactly that.
    Exactly(Version),
    /// Any of these intervals: `[1.0,2.0)`, `(,1.5]`, `[1.2]`, several with commas.
    Within(Vec<Interval>),
}

/// One interval; `None` = open end. The flag says whether the bound itself is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    low: Option<(Version, bool)>,
    high: Option<(Version, bool)>,
}

impl Wish {
    /// Parses; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("latest") {
            return Ok(Self::Latest);
        }
        if !text.starts_with(['[', '(']) {
            return Ok(Self::Exactly(Version::parse(text)));
        }
        let mut intervals = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([']', ')']).ok_or_else(|| format!("the version range {text} is not closed"))?;
            intervals.push(Interval::parse(&rest[..=end], text)?);
            rest = rest[end + 1..].trim_start_matches([',', ' ']);
        }
        Ok(Self::Within(intervals))
    }

    /// True if the version is one that was asked for.
    pub(crate) fn takes(&self, version: &Version) -> bool {
        match self {
            Self::Latest => true,
            Self::Exactly(wanted) => wanted == version,
            Self::Within(intervals) => intervals.iter().any(|i| i.holds(version)),
        }
    }
}

impl Interval {
    fn parse(part: &str, whole: &str) -> Result<Self, String> {
        let bad = || format!("{part} in the version range {whole} is not an interval; write [1.0,2.0) or [1.0]");
        let closed_low = part.starts_with('[');
        if !closed_low && !part.starts_with('(') {
            return Err(bad());
        }
        let closed_high = part.ends_with(']');
        let inner = &part[1..part.len() - 1];
        let bound = |text: &str, closed| {
            let text = text.trim();
            (!text.is_empty()).then(|| (Version::parse(text), closed))
        };
        match inner.split_once(',') {
            Some((low, high)) => Ok(Self { low: bound(low, closed_low), high: bound(high, closed_high) }),
            None if closed_low && closed_high && !inner.trim().is_empty() => {
                Ok(Self { low: bound(inner, true), high: bound(inner, true) })
            }
            None => Err(bad()),
        }
    }

    fn holds(&self, version: &Version) -> bool {
        let above = self.low.as_ref().is_none_or(|(low, closed)| version > low || (*closed && version == low));
        let below = self.high.as_ref().is_none_or(|(high, closed)| version < high || (*closed && version == high));
        above && below
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_order_as_semver_says() {
        let ordered = ["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.0.1", "1.10.0", "2"];
        for pair in ordered.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("1.0"), Version::parse("1.0.0+build"));
    }

    #[test]
    fn wishes_take_what_they_name() {
        let cases = [
            ("latest", "9.9", true),
            ("1.2", "1.2.0", true),
            ("1.2", "1.2.1", false),
            ("[1.0,2.0)", "1.0.0", true),
            ("[1.0,2.0)", "2.0.0", false),
            ("(1.0,2.0]", "1.0.0", false),
            ("(,1.5]", "0.1.0", true),
            ("[1.2]", "1.2.0", true),
            ("[1.0,1.1],[2.0,)", "3.0.0", true),
            ("[1.0,1.1],[2.0,)", "1.5.0", false),
        ];
        for (wish, version, expected) in cases {
            assert_eq!(Wish::parse(wish).unwrap().takes(&Version::parse(version)), expected, "{wish} {version}");
        }
        for bad in ["[1.0", "(1.0)", "[]", "[1.0,2.0)x"] {
            assert!(Wish::parse(bad).is_err(), "{bad}");
        }
    }
}
