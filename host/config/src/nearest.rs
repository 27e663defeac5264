//! The known name that a wrong one looks like.
//!
//! Enters: a name and the known ones. Leaves: at most one of them. Invariant: two names that share little are never paired.

/// The known key nearest to `key` by edits (insert, delete, replace, swap), if at most a quarter of it (and at least two
/// edits) must change. `key` itself is never the answer.
pub fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (key.chars().count() / 4).max(2);
    known
        .into_iter()
        .filter(|candidate| *candidate != key)
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .filter(|(edits, _)| *edits <= bound)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_key_and_a_stranger_finds_none() {
        let known = ["tasks.max", "topics", "topics.regex"];
        assert_eq!(nearest("task.max", known), Some("tasks.max"));
        assert_eq!(nearest("topic", known), Some("topics"));
        assert_eq!(nearest("connection.url", known), None);
    }
}
