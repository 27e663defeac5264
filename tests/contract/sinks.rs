//! Sinks: every field of a record, bad rows, commits, state.
//!
//! Enters: batches and offsets. Leaves: what CONTRACT.md says under "Sink".

use std::time::Duration;

use lockgate_model::fault::FaultKind;
use lockgate_model::ports::{OpenSink, SinkPort};

use super::fixture::{Given, Task, at, batch, failure, fault, record, run, says_where, task};
use super::{Guest, in_each_language};

in_each_language!(
    put_sees_every_field_of_every_record,
    offsets_are_exact_over_all_64_bits,
    bad_rows_are_named_and_all_others_taken,
    the_same_batch_is_taken_again_after_a_retriable_fault,
    faults_of_put_say_what_may_be_done,
    an_exception_in_put_costs_the_instance,
    assignment_and_revocation_name_the_partitions,
    a_sink_that_keeps_offsets_says_where_to_begin,
    a_commit_may_be_agreed_to_in_part_but_never_beyond,
    a_commit_may_be_asked_for_again,
    state_is_there_again_in_the_next_instance,
    json_records_arrive_as_json,
    many_large_batches_find_room_in_one_instance,
);

fn open(task: &Task) -> impl SinkPort + use<> {
    let sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    task.lines.take();
    sink
}

fn put_sees_every_field_of_every_record(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let schema = r#"{"type":"string","optional":false}"#;
    let full = Given {
        topic: "orders",
        partition: 3,
        offset: 41,
        timestamp: 1_700_000_000_123,
        key: Some(b"k"),
        value: Some(&[0, 0xff, 0x7f]),
        headers: vec![("one", Some(b"1")), ("", Some(b"")), ("none", None)],
        schema: Some(schema),
    };
    let bare = Given { topic: "other", key: None, value: None, offset: 0, ..record(0, "") };
    let empty = Given { key: Some(b""), value: Some(b""), ..record(1, "") };
    let bad = run(sink.put(&batch(&task.spec.schemas, &[full, bare, empty]))).unwrap();
    assert!(bad.is_empty());
    let expected = [
        format!("orders-3@41 ts=1700000000123 key=6b value=00ff7f headers=[one=31,=,none=null] ks=- vs={schema}"),
        "other-0@0 ts=-1 key=null value=null headers=[] ks=- vs=-".to_owned(),
        "t-0@1 ts=-1 key= value= headers=[] ks=- vs=-".to_owned(),
    ];
    assert_eq!(task.lines.take(), expected);
    for (name, value) in [("ref_records", 3.0), ("ref_puts", 1.0)] {
        assert!((task.counted(name) - value).abs() < f64::EPSILON, "{name}");
    }
}

fn offsets_are_exact_over_all_64_bits(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let offsets = [i64::MAX, 9_007_199_254_740_993, (1 << 53) - 1];
    let records: Vec<Given<'_>> = offsets.iter().map(|o| record(*o, "x")).collect();
    run(sink.put(&batch(&task.spec.schemas, &records))).unwrap();
    let expected: Vec<String> =
        offsets.iter().map(|o| format!("t-0@{o} ts=-1 key=null value=78 headers=[] ks=- vs=-")).collect();
    assert_eq!(task.lines.take(), expected);
    let asked = [at("t", 0, i64::MAX)];
    assert_eq!(run(sink.prepare_commit(&asked)).unwrap(), asked);
}

fn bad_rows_are_named_and_all_others_taken(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let marked = |offset, header| Given { headers: vec![(header, Some(&b"why"[..]))], ..record(offset, "x") };
    let records = [record(0, "a"), marked(1, "ref.bad"), record(2, "b"), marked(3, "ref.bad.retriable")];
    let bad = run(sink.put(&batch(&task.spec.schemas, &records))).unwrap();
    let seen: Vec<(u32, bool, &str, &str)> =
        bad.iter().map(|b| (b.row, b.retriable, b.code.as_str(), b.message.as_str())).collect();
    assert_eq!(seen, [(1, false, "ref.bad", "marked bad: why"), (3, true, "ref.bad", "marked bad: why")]);
    assert_eq!(task.lines.take().len(), 4);
}

fn the_same_batch_is_taken_again_after_a_retriable_fault(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let records = batch(&task.spec.schemas, &[record(0, "a"), record(1, "ref:retriable")]);
    let fault = fault(run(sink.put(&records)));
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Retriable(Duration::from_millis(50)), "ref.put"));
    assert!(task.lines.take().is_empty());
    assert!(run(sink.put(&records)).unwrap().is_empty());
    assert_eq!(task.lines.take().len(), 2);
}

fn faults_of_put_say_what_may_be_done(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let rows = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "a"), record(1, "ref:rows")]))));
    let FaultKind::Rows(bad) = rows.kind else { panic!("{rows:?}") };
    assert_eq!(bad.iter().map(|b| (b.row, b.code.as_str())).collect::<Vec<_>>(), [(1, "ref.rows")]);
    let fatal = fault(run(sink.put(&batch(&task.spec.schemas, &[record(0, "ref:fatal")]))));
    assert_eq!(
        (fatal.kind, fatal.code.as_str(), fatal.message.as_str()),
        (FaultKind::Fatal, "ref.put", "fatal on demand")
    );
}

fn an_exception_in_put_costs_the_instance(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    let error = failure(run(sink.put(&batch(&task.spec.schemas, &[record(0, "ref:panic")]))));
    assert_eq!((error.failure.code(), error.call, error.class.as_str()), ("plugin.trap", "put", "ref.Sink"), "{error}");
    assert!(says_where(&task, &error, guest), "{error}: {:?}", task.lines.all());
}

fn assignment_and_revocation_name_the_partitions(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]);
    let mut sink = open(&task);
    assert!(run(sink.assigned(&[at("a", 0, 5), at("b", 2, -1)])).unwrap().is_empty());
    run(sink.revoked(&[at("b", 2, -1).place])).unwrap();
    let lines = task.lines.take();
    assert_eq!(lines[..2], ["assigned a-0@5", "assigned b-2@-1"]);
    assert!(lines[2].starts_with("revoked b-2@"), "{lines:?}");
}

fn a_sink_that_keeps_offsets_says_where_to_begin(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("mode", "resume")]);
    let answer = run(open(&task).assigned(&[at("a", 0, 5), at("b", 2, -1)])).unwrap();
    assert_eq!(answer, [at("a", 0, 0), at("b", 2, 0)]);
}

fn a_commit_may_be_agreed_to_in_part_but_never_beyond(guest: Guest) {
    let asked = [at("a", 0, 5), at("b", 1, 0)];
    for (mode, agreed) in
        [("echo", asked.to_vec()), ("agree-less", vec![at("a", 0, 4), at("b", 1, 0)]), ("agree-none", vec![])]
    {
        let task = task(guest, "ref.Sink", &[("mode", mode)]);
        assert_eq!(run(open(&task).prepare_commit(&asked)).unwrap(), agreed, "{mode}");
        assert_eq!(task.lines.take(), ["commit a-0@5", "commit b-1@0"], "{mode}");
    }
}

fn a_commit_may_be_asked_for_again(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("mode", "commit-retriable")]);
    let mut sink = open(&task);
    let fault = fault(run(sink.prepare_commit(&[at("a", 0, 5)])));
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Retriable(Duration::from_millis(50)), "ref.commit"));
    assert_eq!(run(sink.prepare_commit(&[at("a", 0, 5)])).unwrap(), [at("a", 0, 5)]);
}

fn state_is_there_again_in_the_next_instance(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("mode", "state")]);
    let sink = task.package.sink(task.spec.clone());
    let mut first = run(sink.open(&[])).unwrap();
    assert!(task.lines.take().contains(&"total 0".to_owned()));
    run(first.put(&batch(&task.spec.schemas, &[record(0, "a"), record(1, "b")]))).unwrap();
    let stored = first.take_state();
    run(first.close()).unwrap();
    task.lines.take();
    run(sink.open(&stored)).unwrap();
    assert!(task.lines.texts().contains(&"total 2".to_owned()), "{:?}", task.lines.texts());
}

fn json_records_arrive_as_json(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]).json();
    let mut sink = open(&task);
    run(sink.put(&batch(&task.spec.schemas, &[record(0, r#"{"a":1}"#)]))).unwrap();
    assert_eq!(task.lines.take(), ["t-0@0 ts=-1 key=null value=7b2261223a317d headers=[] ks=- vs=-"]);
    let fault = fault(run(sink.put(&batch(&task.spec.schemas, &[record(1, r#""ref:fatal""#)]))));
    assert_eq!(fault.code, "ref.put");
}

fn many_large_batches_find_room_in_one_instance(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("mode", "quiet")]);
    let mut sink = open(&task);
    let value = "x".repeat(1024);
    let records: Vec<Given<'_>> = (0..500).map(|offset| record(offset, &value)).collect();
    let records = batch(&task.spec.schemas, &records);
    // 30 MB in all: a guest with a collector has to collect.
    for _ in 0..60 {
        assert!(run(sink.put(&records)).unwrap().is_empty());
    }
    assert!((task.counted("ref_records") - 30_000.0).abs() < f64::EPSILON);
    run(sink.close()).unwrap();
}
