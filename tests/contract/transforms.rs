//! Transforms and predicates: kept, changed, dropped, split and failed rows, each with where it came from.
//!
//! Enters: steps and batches. Leaves: what CONTRACT.md says under "Transform".

use lockgate_model::Batch;
use lockgate_model::fault::RowFault;
use lockgate_model::ports::{ApplyPort, OpenApply};
use lockgate_wasm::{Step, StepPredicate};

use super::fixture::{Given, Task, batch, record, run, seen, task};
use super::{Guest, in_each_language};

in_each_language!(
    a_kept_record_is_the_same_record,
    values_change_and_tombstones_stay,
    dropped_records_are_missing_and_the_rest_knows_its_row,
    a_routed_record_has_its_new_topic,
    a_split_record_is_several_of_the_same_row,
    a_header_comes_behind_those_there_are,
    a_key_may_be_the_values_bytes,
    a_failed_row_names_its_step,
    a_schema_of_the_guest_is_known_to_the_host,
    a_predicate_decides_row_by_row,
    steps_run_in_their_order_and_log_it,
);

fn step(op: &str, settings: &[(&str, &str)]) -> Step {
    let config = [&[("op", op)], settings].concat();
    let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Step { alias: op.to_owned(), class: "ref.Transform".to_owned(), config, predicate: None }
}

fn apply(task: &Task, steps: Vec<Step>, records: &[Given<'_>]) -> (Batch, Vec<RowFault>) {
    let segment = task.package.segment(task.spec.clone(), steps);
    let mut records = batch(&task.spec.schemas, records);
    let mut open = run(segment.open()).unwrap();
    let failed = run(open.apply(&mut records)).unwrap();
    run(open.close()).unwrap();
    records.check().unwrap();
    (records, failed)
}

fn transform(guest: Guest) -> Task {
    task(guest, "ref.Transform", &[])
}

fn values(batch: &Batch) -> Vec<(u32, Option<String>)> {
    batch.rows.iter().map(|r| r.source_row).zip(seen(batch).into_iter().map(|s| s.2)).collect()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn a_kept_record_is_the_same_record(guest: Guest) {
    let task = transform(guest);
    let full = Given {
        key: Some(b"k"),
        headers: vec![("h", Some(b"1")), ("none", None)],
        timestamp: 5,
        partition: 2,
        ..record(9, "v")
    };
    let given = [full, Given { value: None, ..record(i64::MAX, "") }];
    let before = batch(&task.spec.schemas, &given);
    let (after, failed) = apply(&task, vec![step("keep", &[])], &given);
    assert!(failed.is_empty());
    assert_eq!(seen(&after), seen(&before));
    let place =
        |b: &Batch| b.rows.iter().map(|r| (r.offset, r.timestamp, r.partition, r.source_row)).collect::<Vec<_>>();
    assert_eq!(place(&after), place(&before));
}

fn values_change_and_tombstones_stay(guest: Guest) {
    let task = transform(guest);
    let (after, _) =
        apply(&task, vec![step("upper", &[])], &[record(0, "aß1z"), Given { value: None, ..record(1, "") }]);
    assert_eq!(values(&after), [(0, text("Aß1Z")), (1, None)]);
}

fn dropped_records_are_missing_and_the_rest_knows_its_row(guest: Guest) {
    let task = transform(guest);
    let given = [record(0, "x"), record(1, "y"), record(2, "x"), record(3, "z")];
    let (after, failed) = apply(&task, vec![step("drop", &[("match", "x")])], &given);
    assert!(failed.is_empty());
    assert_eq!(values(&after), [(1, text("y")), (3, text("z"))]);
}

fn a_routed_record_has_its_new_topic(guest: Guest) {
    let task = transform(guest);
    let (after, _) = apply(&task, vec![step("route", &[("to", "elsewhere")])], &[record(0, "x"), record(1, "y")]);
    assert!(seen(&after).iter().all(|s| s.0 == "elsewhere"), "{:?}", seen(&after));
}

fn a_split_record_is_several_of_the_same_row(guest: Guest) {
    let task = transform(guest);
    let first = Given { key: Some(b"k"), headers: vec![("h", Some(b"1"))], ..record(0, "a,b") };
    let (after, _) =
        apply(&task, vec![step("split", &[])], &[first, record(1, "c"), Given { value: None, ..record(2, "") }]);
    assert_eq!(values(&after), [(0, text("a")), (0, text("b")), (1, text("c")), (2, None)]);
    let all = seen(&after);
    assert_eq!((&all[0].1, &all[0].3), (&all[1].1, &all[1].3));
    assert_eq!((all[1].1.clone(), all[1].3.clone()), (text("k"), vec![("h".to_owned(), text("1"))]));
}

fn a_header_comes_behind_those_there_are(guest: Guest) {
    let task = transform(guest);
    let first = Given { headers: vec![("h", Some(b"1"))], ..record(0, "x") };
    let (after, _) = apply(&task, vec![step("header", &[("text", "new")])], &[first, record(1, "y")]);
    let added = ("ref.added".to_owned(), text("new"));
    let all = seen(&after);
    assert_eq!(all[0].3, [("h".to_owned(), text("1")), added.clone()]);
    assert_eq!(all[1].3, [added]);
}

fn a_key_may_be_the_values_bytes(guest: Guest) {
    let task = transform(guest);
    let (after, _) = apply(&task, vec![step("key", &[])], &[record(0, "both")]);
    assert_eq!((seen(&after)[0].1.clone(), seen(&after)[0].2.clone()), (text("both"), text("both")));
}

fn a_failed_row_names_its_step(guest: Guest) {
    let task = transform(guest);
    let steps = vec![step("keep", &[]), step("fail", &[("match", "bad")])];
    let (after, failed) = apply(&task, steps, &[record(0, "good"), record(1, "bad"), record(2, "good")]);
    assert_eq!(values(&after), [(0, text("good")), (2, text("good"))]);
    let seen: Vec<_> = failed.iter().map(|f| (f.row, f.step, f.code.as_str(), f.message.as_str())).collect();
    assert_eq!(seen, [(1, 1, "ref.fail", "failed on demand")]);
}

fn a_schema_of_the_guest_is_known_to_the_host(guest: Guest) {
    let task = transform(guest);
    let (after, _) = apply(&task, vec![step("schema", &[])], &[record(0, "x"), record(1, "y")]);
    let of = |row: usize| after.schemas.definition(after.rows[row].value_schema).map(|d| d.to_string());
    assert_eq!(
        (of(0), of(1)),
        (text(r#"{"type":"string","optional":false}"#), text(r#"{"type":"string","optional":false}"#))
    );
}

fn a_predicate_decides_row_by_row(guest: Guest) {
    let task = transform(guest);
    let given = [Given { key: Some(b"k"), ..record(0, "a") }, record(1, "b")];
    for (negate, expected) in [(false, ["A", "b"]), (true, ["a", "B"])] {
        let mut upper = step("upper", &[]);
        let class = "ref.HasKey".to_owned();
        upper.predicate = Some(StepPredicate { alias: "p".to_owned(), class, config: vec![], negate });
        let (after, _) = apply(&task, vec![upper], &given);
        assert_eq!(values(&after), [(0, text(expected[0])), (1, text(expected[1]))], "negate={negate}");
    }
}

fn steps_run_in_their_order_and_log_it(guest: Guest) {
    let task = transform(guest);
    let steps = vec![step("split", &[]), step("upper", &[]), step("drop", &[("match", "B")])];
    let (after, _) = apply(&task, steps, &[record(0, "a,b,c")]);
    assert_eq!(values(&after), [(0, text("A")), (0, text("C"))]);
    let lines = task.lines.take();
    let steps: Vec<&String> = lines.iter().filter(|l| l.starts_with("step ")).collect();
    assert_eq!(steps, ["step split", "step upper", "step drop"]);
}
