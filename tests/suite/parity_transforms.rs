//! Transforms, predicates and converters, held against Kafka Connect's own classes.
//!
//! Enters: `tests/parity/lines`. Leaves: one test, and a report of all differences. Invariant: every difference is wanted and
//! has its row in `docs/differences.md`. `LOCKGATE_PARITY_SEED=7` compares what that seed makes, four times as much of it.

use crate::parity::lines::{RULES, cases, judge, ours, own_seed, theirs};

#[test]
fn nothing_differs_from_kafka_connects_own_transforms_predicates_and_converters_but_what_is_said() {
    let cases = cases();
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| theirs(&cases));
        let ours = ours(&cases);
        (theirs.join().unwrap(), ours)
    });
    let found = judge(&cases, &theirs, &ours);
    let report = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity-transforms.txt");
    std::fs::write(&report, &found.text).unwrap();
    std::fs::write(report.with_extension("jsonl"), &found.lines).unwrap();
    println!("{} cases, {} records compared, {} differ", cases.len(), found.compared, found.unwanted);
    assert!(found.compared > 10_000, "only {} records were compared", found.compared);
    let idle = found.idle.is_empty() || own_seed().is_some();
    assert!(found.unwanted == 0 && idle, "see {}:\n{:.8000}", report.display(), found.text);
}

#[test]
fn every_wanted_difference_has_its_row() {
    let text = std::fs::read_to_string(lockgate_tests::places::root().join("docs/differences.md")).unwrap();
    for rule in &RULES {
        assert!(
            text.contains(&format!("\n| {}", rule.row)),
            "docs/differences.md has no row that begins: {}",
            rule.row
        );
    }
}
