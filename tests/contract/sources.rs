//! Sources: records, positions, resumption, state.
//!
//! Enters: settings and positions. Leaves: what CONTRACT.md says under "Source".

use lockgate_model::fault::FaultKind;
use lockgate_model::ports::{BatchLimits, Next, OpenSource, Polled, SourcePort};
use lockgate_model::{Batch, GuestError, Position};

use super::fixture::{Seen, Task, failure, fault, run, says_where, seen, task};
use super::{Guest, in_each_language};

in_each_language!(
    records_come_in_batches_with_their_positions_until_done,
    json_records_are_json_strings,
    reading_goes_on_after_a_stored_position_of_any_size,
    no_more_records_come_than_were_asked_for,
    schemas_are_announced_once_and_stay_known,
    a_poll_that_fails_for_now_is_made_again,
    a_poll_that_fails_for_good_is_fatal,
    an_exception_in_poll_costs_the_instance,
    the_guest_hears_of_positions_that_are_durable,
    state_comes_back_with_the_positions,
    a_source_without_a_say_cannot_tell_whether_offsets_are_kept_elsewhere,
);

const LIMITS: BatchLimits = BatchLimits { records_max: 500, bytes_max: 262_144 };

fn open(task: &Task, positions: &[Position]) -> impl SourcePort + use<> {
    run(task.package.source(task.spec.clone()).open(positions)).unwrap()
}

fn poll(task: &Task, source: &mut impl SourcePort, limits: BatchLimits) -> Result<(Batch, Polled), GuestError> {
    let mut batch = Batch::new(task.spec.schemas.clone());
    run(source.poll(&mut batch, limits)).map(|polled| (batch, polled))
}

fn position(n: &str) -> Position {
    Position { partition: r#"{"source":"7"}"#.into(), offset: Some(format!(r#"{{"n":"{n}"}}"#).into()) }
}

/// Record N as the contract has it; `quote` for JSON.
fn expected(n: u64, quote: &str) -> Seen {
    let text = |t: String| Some(format!("{quote}{t}{quote}"));
    let value = match n % 5 {
        4 => None,
        3 => text(format!("żółw-{n}-🐢")),
        _ => text(format!("v{n}")),
    };
    let key = if n % 5 == 2 { None } else { text(format!("k{n}")) };
    ("ref-topic".to_owned(), key, value, vec![("n".to_owned(), text(n.to_string()))])
}

fn records_come_in_batches_with_their_positions_until_done(guest: Guest) {
    let task = task(guest, "ref.Source", &[]);
    let mut source = open(&task, &[]);
    assert_eq!(task.lines.take()[1..], ["resume 0"]);
    let mut all = Vec::new();
    for (first, next) in [(0, 4), (4, 8), (8, 10)] {
        let (batch, polled) = poll(&task, &mut source, LIMITS).unwrap();
        assert_eq!(polled.next, Next::Now);
        let last = u32::try_from(next - first - 1).unwrap();
        assert_eq!(polled.positions, [(position(&next.to_string()), last)]);
        assert!(batch.rows.iter().zip(first..).all(|(row, n)| row.timestamp == 1_700_000_000_000 + n));
        assert!(batch.rows.iter().all(|row| row.offset == -1 && row.partition == u32::MAX));
        all.extend(seen(&batch));
    }
    assert_eq!(all, (0..10).map(|n| expected(n, "")).collect::<Vec<_>>());
    let (batch, polled) = poll(&task, &mut source, LIMITS).unwrap();
    assert!(batch.is_empty() && polled.positions.is_empty() && polled.next == Next::Done, "{polled:?}");
    run(source.close()).unwrap();
    assert_eq!(task.lines.take(), ["close ref.Source"]);
}

fn json_records_are_json_strings(guest: Guest) {
    let task = task(guest, "ref.Source", &[("count", "5"), ("per.poll", "5")]).json();
    let (batch, _) = poll(&task, &mut open(&task, &[]), LIMITS).unwrap();
    assert_eq!(seen(&batch), (0..5).map(|n| expected(n, "\"")).collect::<Vec<_>>());
}

fn reading_goes_on_after_a_stored_position_of_any_size(guest: Guest) {
    // Beyond 2^53, where a double would round.
    let first = "9007199254740993";
    let task = task(guest, "ref.Source", &[("start", "9007199254740990"), ("count", "6")]);
    let mut source = open(&task, &[position(first)]);
    assert_eq!(task.lines.take()[1..], [format!("resume {first}")]);
    let (batch, polled) = poll(&task, &mut source, LIMITS).unwrap();
    let numbers: Vec<u64> = (9_007_199_254_740_993..9_007_199_254_740_996).collect();
    assert_eq!(seen(&batch), numbers.iter().map(|n| expected(*n, "")).collect::<Vec<_>>());
    assert_eq!(polled.positions[0].0, position("9007199254740996"));
}

fn no_more_records_come_than_were_asked_for(guest: Guest) {
    let task = task(guest, "ref.Source", &[]);
    let (batch, polled) = poll(&task, &mut open(&task, &[]), BatchLimits { records_max: 3, ..LIMITS }).unwrap();
    assert_eq!((batch.len(), polled.positions.len()), (3, 1));
    assert_eq!(polled.positions[0], (position("3"), 2));
}

fn schemas_are_announced_once_and_stay_known(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "schema")]);
    let mut source = open(&task, &[]);
    for _ in 0..2 {
        let (batch, _) = poll(&task, &mut source, LIMITS).unwrap();
        let definition = |id: u32| batch.schemas.definition(id).map(|d| d.to_string());
        let expected = Some(r#"{"type":"string","optional":true}"#.to_owned());
        assert!(
            batch
                .rows
                .iter()
                .all(|row| definition(row.key_schema) == expected && definition(row.value_schema) == expected)
        );
    }
}

fn a_poll_that_fails_for_now_is_made_again(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "poll-retriable")]);
    let mut source = open(&task, &[]);
    let fault = fault(poll(&task, &mut source, LIMITS));
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::Retriable(std::time::Duration::from_millis(100)), "ref.poll")
    );
    assert_eq!(poll(&task, &mut source, LIMITS).unwrap().0.len(), 4);
}

fn a_poll_that_fails_for_good_is_fatal(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "poll-fatal")]);
    let fault = fault(poll(&task, &mut open(&task, &[]), LIMITS));
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Fatal, "ref.poll"));
}

fn an_exception_in_poll_costs_the_instance(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "panic")]);
    let error = failure(poll(&task, &mut open(&task, &[]), LIMITS));
    assert_eq!((error.failure.code(), error.call), ("plugin.trap", "poll"), "{error}");
    assert!(says_where(&task, &error, guest), "{error}: {:?}", task.lines.all());
}

fn the_guest_hears_of_positions_that_are_durable(guest: Guest) {
    let task = task(guest, "ref.Source", &[]);
    let mut source = open(&task, &[]);
    poll(&task, &mut source, LIMITS).unwrap();
    task.lines.take();
    run(source.committed(&[position("2"), position("4")])).unwrap();
    assert_eq!(task.lines.take(), [r#"committed {"n":"4"}"#]);
    assert!((task.counted("ref_committed") - 1.0).abs() < f64::EPSILON);
}

fn state_comes_back_with_the_positions(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "state"), ("count", "100")]);
    let mut source = open(&task, &[]);
    poll(&task, &mut source, LIMITS).unwrap();
    assert!((task.counted("ref_total") - 4.0).abs() < f64::EPSILON);
    let mut stored = source.take_state();
    assert!(!stored.is_empty(), "what the guest wrote is there to be stored");
    stored.push(position("4"));
    let mut again = open(&task, &stored);
    poll(&task, &mut again, LIMITS).unwrap();
    assert!((task.counted("ref_total") - 8.0).abs() < f64::EPSILON);
}

fn a_source_without_a_say_cannot_tell_whether_offsets_are_kept_elsewhere(guest: Guest) {
    let task = task(guest, "ref.Source", &[]);
    let forgotten = Position { offset: None, ..position("1") };
    let changes = [position("3"), forgotten];
    assert_eq!(run(task.package.alter_offsets("reference-source", "c", &[], &changes)), Ok(false));
}
