//! A batch through chains of small transforms.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::bindings::base::lockgate::connect::faults;
use crate::builder::BatchBuilder;
use crate::config::Config;
use crate::plugin::{Encoding, Formats};

struct Upper;

impl Transform for Upper {
    fn describe() -> Description {
        Description::new("Upper")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        record.rewrite_value(|old, new| {
            new.extend(old.iter().map(u8::to_ascii_uppercase));
            if old == b"bad" { Err(RowFault::new(0, "test.bad", "no")) } else { Ok(()) }
        })?;
        Ok(Flow::Keep)
    }
}

/// Splits a value at commas; drops `-`; tags with a header.
struct Split;

impl Transform for Split {
    fn describe() -> Description {
        Description::new("Split").config(Config::new().string("topic").default("parts"))
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        let value = record.value().unwrap_or_default().to_vec();
        if value == b"-" {
            return Ok(Flow::Drop);
        }
        record.set_topic("parts");
        let parts: Vec<&[u8]> = value.split(|b| *b == b',').collect();
        record.add_header("parts", Some(parts.len().to_string().as_bytes()), 0);
        for (at, part) in parts.iter().enumerate() {
            record.set_value(Some(part));
            if at + 1 < parts.len() {
                record.split();
            }
        }
        Ok(Flow::Keep)
    }
}

/// The value's first byte becomes the key.
struct First;

impl Transform for First {
    fn describe() -> Description {
        Description::new("First")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        record.set_key_part(true, 0..1);
        Ok(Flow::Keep)
    }
}

/// Doubles a value.
struct Twice;

impl Transform for Twice {
    fn describe() -> Description {
        Description::new("Twice")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        record.rewrite_value(|old, new| -> Result<(), RowFault> {
            new.extend_from_slice(&[old, old].concat());
            Ok(())
        })?;
        Ok(Flow::Keep)
    }
}

/// The words of a value.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    changed: bool,
}

impl crate::Form for Words {
    fn changed(&self) -> bool {
        self.changed
    }
    fn write(&self, read: &[u8], out: &mut Vec<u8>) {
        assert!(!read.is_empty());
        WRITTEN.with(|n| n.set(n.get() + 1));
        out.extend_from_slice(self.all.join(" ").as_bytes());
    }
}

thread_local! {
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static WRITTEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Works on words: `-` is dropped with a row fault behind it, `!` is left alone, others get one more.
fn one_more(record: &mut Edit<'_>) -> Result<(), RowFault> {
    let read = |words: &mut Words, bytes: &[u8]| {
        READ.with(|n| n.set(n.get() + 1));
        let text = std::str::from_utf8(bytes).unwrap();
        *words = Words { all: text.split(' ').map(str::to_owned).collect(), changed: false };
        if text == "-" { Err(RowFault::new(0, "test.bad", "no")) } else { Ok(()) }
    };
    record.form_value(read, |words, _| {
        if words.all[0] != "!" {
            words.all.push(words.all.len().to_string());
            words.changed = true;
        }
        Ok(())
    })
}

struct More;

impl Transform for More {
    fn describe() -> Description {
        Description::new("More")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        one_more(record)?;
        Ok(Flow::Keep)
    }
}

/// Words, bytes, a copy and words again in one step.
struct Mixed;

impl Transform for Mixed {
    fn describe() -> Description {
        Description::new("Mixed")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        one_more(record)?;
        let seen = record.value().unwrap_or_default().to_vec();
        record.set_key(Some(&seen));
        record.split();
        one_more(record)?;
        Ok(Flow::Keep)
    }
}

struct HasKey;

impl Predicate for HasKey {
    fn describe() -> Description {
        Description::new("HasKey")
    }
    fn open(_task: Task) -> Result<Self, Fault> {
        Ok(Self)
    }
    fn test(&mut self, record: &Edit<'_>) -> Result<bool, RowFault> {
        Ok(record.key().is_some())
    }
}

fn step(class: &str, predicate: Option<bool>) -> raw::Step {
    let predicate = predicate.map(|negate| raw::Predicate {
        alias: "p".to_owned(),
        class: "HasKey".to_owned(),
        config: Vec::new(),
        negate,
    });
    raw::Step { alias: "s".to_owned(), class: class.to_owned(), config: Vec::new(), predicate }
}

fn run(steps: Vec<raw::Step>, records: &[(Option<&str>, &str)]) -> (Batch, Vec<faults::RowFault>, usize) {
    let mut running = Running::default();
    let bytes = Encoding::Bytes;
    let task = tasks::TaskContext {
        class: steps[0].class.clone(),
        connector: "c".to_owned(),
        task: 0,
        config: Vec::new(),
        formats: Formats { key: bytes, value: bytes, header: bytes },
    };
    let transforms = [
        TransformEntry::of::<Upper>(),
        TransformEntry::of::<Split>(),
        TransformEntry::of::<First>(),
        TransformEntry::of::<Twice>(),
        TransformEntry::of::<More>(),
        TransformEntry::of::<Mixed>(),
    ];
    running.open(&transforms, &[PredicateEntry::of::<HasKey>()], &task, steps).unwrap();
    let mut input = BatchBuilder::new(&Schemas::default(), 100, 10_000);
    let topic = input.topic("in");
    for (key, value) in records {
        input.record(topic).key(key.map(str::as_bytes)).value(Some(value.as_bytes())).header("h", Some(b"1")).push();
    }
    let (input, _) = input.finish();
    let mut data = input.data.clone();
    let applied = running.apply(input);
    let appended = applied.appended.len();
    data.extend_from_slice(&applied.appended);
    let outcome = batches::Batch {
        topics: applied.topics,
        schemas: applied.schemas,
        rows: applied.rows,
        headers: applied.headers,
        data,
    };
    (Batch::new(outcome, &Schemas::default()), applied.failed, appended)
}

fn texts(batch: &Batch) -> Vec<String> {
    let text = |b: Option<&[u8]>| String::from_utf8(b.unwrap().to_vec()).unwrap();
    let headers =
        |r: crate::Record<'_>| r.headers().map(|h| format!("{}={}", h.name, text(h.value))).collect::<Vec<_>>();
    let line = |r: crate::Record<'_>| {
        format!("{} {} {} {}", r.row().source_row, r.topic(), text(r.value()), headers(r).join(","))
    };
    batch.iter().map(line).collect()
}

#[test]
fn rows_are_kept_split_and_dropped_and_name_their_source_rows() {
    let (batch, failed, _) =
        run(vec![step("Split", None), step("Upper", None)], &[(None, "a,b"), (None, "-"), (None, "c")]);
    assert!(failed.is_empty());
    let expected = ["0 parts A h=1,parts=2", "0 parts B h=1,parts=2", "2 parts C h=1,parts=1"];
    assert_eq!(texts(&batch), expected);
}

#[test]
fn a_row_that_fails_is_not_in_the_outcome_and_names_row_and_step() {
    let (batch, failed, _) = run(vec![step("Split", None), step("Upper", None)], &[(None, "x"), (None, "a,bad")]);
    assert_eq!(texts(&batch), ["0 parts X h=1,parts=1"]);
    assert_eq!((failed.len(), failed[0].row, failed[0].step, failed[0].code.as_str()), (1, 1, 1, "test.bad"));
}

#[test]
fn a_predicate_decides_for_each_row_and_an_untouched_row_costs_no_bytes() {
    let (batch, _, appended) = run(vec![step("Upper", Some(false))], &[(Some("k"), "a"), (None, "b")]);
    assert_eq!(texts(&batch), ["0 in A h=1", "1 in b h=1"]);
    assert_eq!(appended, 1);
    let (batch, _, _) = run(vec![step("Upper", Some(true))], &[(Some("k"), "a"), (None, "b")]);
    assert_eq!(texts(&batch), ["0 in a h=1", "1 in B h=1"]);
}

#[test]
fn only_the_last_version_of_a_value_leaves_the_guest() {
    let chain = ["Upper", "Twice", "Upper", "Twice"].map(|class| step(class, None)).to_vec();
    let (batch, _, appended) = run(chain, &[(None, "ab"), (None, "c")]);
    assert_eq!(texts(&batch), ["0 in ABABABAB h=1", "1 in CCCC h=1"]);
    assert_eq!(appended, 12);
}

#[test]
fn bytes_that_two_fields_share_are_not_written_over() {
    let chain = ["Upper", "First", "Twice", "Twice"].map(|class| step(class, None)).to_vec();
    let (batch, ..) = run(chain, &[(None, "ab"), (None, "c")]);
    assert_eq!(texts(&batch), ["0 in ABABABAB h=1", "1 in CCCC h=1"]);
    let keys: Vec<_> = batch.iter().map(|r| r.key().unwrap_or_default().to_vec()).collect();
    assert_eq!(keys, [b"A", b"C"]);
    let chain = ["Upper", "Split", "Twice"].map(|class| step(class, None)).to_vec();
    let (batch, ..) = run(chain, &[(None, "a,b")]);
    assert_eq!(texts(&batch), ["0 parts AA h=1,parts=2", "0 parts BB h=1,parts=2"]);
}

fn chain(classes: &[&str]) -> Vec<raw::Step> {
    classes.iter().map(|class| step(class, None)).collect()
}

#[test]
fn a_form_is_read_by_the_first_step_and_written_after_the_last() {
    let (batch, failed, appended) = run(chain(&["More", "More", "More"]), &[(None, "a"), (None, "b c")]);
    assert_eq!(texts(&batch), ["0 in a 1 2 3 h=1", "1 in b c 2 3 4 h=1"]);
    assert_eq!((failed.len(), appended), (0, 16));
    assert_eq!((READ.get(), WRITTEN.get()), (2, 2));
}

#[test]
fn a_form_that_nothing_changed_costs_no_bytes_and_one_that_cannot_be_read_fails_its_row() {
    let (batch, failed, appended) = run(chain(&["More", "More"]), &[(None, "!"), (None, "-"), (None, "x")]);
    assert_eq!(texts(&batch), ["0 in ! h=1", "2 in x 1 2 h=1"]);
    assert_eq!((failed.len(), failed[0].row, failed[0].step, appended), (1, 1, 0, 5));
}

#[test]
fn steps_that_want_bytes_see_those_of_the_form() {
    let (batch, ..) = run(chain(&["More", "Upper", "More", "First", "More"]), &[(Some("k"), "a")]);
    assert_eq!(texts(&batch), ["0 in A 1 2 3 h=1"]);
    assert_eq!(batch.iter().next().unwrap().key(), Some(&b"A"[..]));
    let (batch, ..) = run(chain(&["More", "Split", "More"]), &[(None, "a,b")]);
    assert_eq!(texts(&batch), ["0 parts a 1 h=1,parts=2", "0 parts b 1 2 h=1,parts=2"]);
}

#[test]
fn a_copy_of_a_record_has_the_form_as_it_was() {
    let (batch, ..) = run(chain(&["More", "Mixed", "More"]), &[(None, "a")]);
    assert_eq!(texts(&batch), ["0 in a 1 2 3 h=1", "0 in a 1 2 3 4 h=1"]);
    let keys: Vec<_> = batch.iter().map(|r| r.key().unwrap_or_default().to_vec()).collect();
    assert_eq!(keys, [b"a 1 2", b"a 1 2"]);
}

#[test]
fn a_class_that_is_not_there_is_a_fault() {
    let task = tasks::TaskContext {
        class: "x".to_owned(),
        connector: "c".to_owned(),
        task: 0,
        config: Vec::new(),
        formats: Formats { key: Encoding::Bytes, value: Encoding::Bytes, header: Encoding::Bytes },
    };
    let fault = Running::default().open(&[], &[], &task, vec![step("Nope", None)]).unwrap_err();
    assert_eq!(fault.message, "this package has no transform `Nope`");
}
