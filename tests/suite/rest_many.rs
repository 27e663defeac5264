//! Many connectors on one worker: creating, listing and looking at them stays quick.
//!
//! Enters: connectors that idle. Leaves: medians, printed; a panic if one is beyond what is promised.

use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, places, within};
use serde_json::json;

/// Looking at all of them, at the median.
const LOOK_MAX: Duration = Duration::from_millis(50);
/// From the call that creates one to its task RUNNING, on average.
const CREATE_MAX: Duration = Duration::from_millis(100);

/// Memory of one that idles, on average: beyond this something grows that should not.
const MEMORY_KIB_MAX: u64 = 2 << 10;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn many_connectors_are_created_and_looked_at_quickly() {
    // An unoptimised worker on a busy machine gets more time.
    let (count, patience) = if places::long() { (1_000, 1) } else { (100, 4) };
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("many", 1);
    let before = worker.resident_bytes();
    let began = Instant::now();
    for n in 0..count {
        worker.create(&format!("c{n}"), json!({"connector.class": "datagen", "topic": topic.name, "count": "1"}));
    }
    within(Duration::from_secs(300), "all run", || {
        let all = worker.get("/connectors?expand=status").expect(200).json();
        let runs = |c: &serde_json::Value| c["status"]["tasks"][0]["state"] == "RUNNING";
        (all.as_object().unwrap().values().filter(|c| runs(c)).count() == count).then_some(())
    });
    let creation = began.elapsed() / u32::try_from(count).unwrap();
    let each_kib = (worker.resident_bytes().saturating_sub(before) / (count as u64)) >> 10;
    let look = |path: &str| {
        let one = |_| {
            let began = Instant::now();
            worker.get(path).expect(200);
            began.elapsed()
        };
        median((0..21).map(one).collect())
    };
    let (list, expanded) = (look("/connectors"), look("/connectors?expand=status&expand=info"));
    let status = look(&format!("/connectors/c{}/status", count / 2));
    eprintln!(
        "{count} connectors: creation {creation:?}, list {list:?}, expanded {expanded:?}, status {status:?}, memory {each_kib} KiB each"
    );
    assert!(each_kib < MEMORY_KIB_MAX, "an idle connector takes {each_kib} KiB");
    assert!(creation < CREATE_MAX * patience, "creation to RUNNING: {creation:?} each");
    for (what, took) in [("list", list), ("expanded", expanded), ("status", status)] {
        assert!(took < LOOK_MAX * patience, "{what}: {took:?}");
    }
}
