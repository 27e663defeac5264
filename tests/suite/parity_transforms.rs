//! Transforms, predicates and converters, held against Kafka Connect's own classes.
//!
//! Enters: `tests/parity/lines`. Leaves: one test, and a report of all differences. Invariant: differences that nobody wants get
//! fewer.

use crate::parity::lines::{cases, judge, ours, theirs};

/// Records that may differ though nobody wants it: it only shrinks.
const UNWANTED_MAX: usize = 2_000;

#[test]
fn what_differs_from_kafka_connects_own_transforms_predicates_and_converters_gets_less() {
    let cases = cases();
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| theirs(&cases));
        let ours = ours(&cases);
        (theirs.join().unwrap(), ours)
    });
    let found = judge(&cases, &theirs, &ours);
    let report = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity-transforms.txt");
    std::fs::write(&report, &found.text).unwrap();
    println!("{} cases, {} records compared, {} differ", cases.len(), found.compared, found.unwanted);
    assert!(found.compared > 10_000, "only {} records were compared", found.compared);
    assert!(found.unwanted <= UNWANTED_MAX, "see {}:\n{:.8000}", report.display(), found.text);
}
