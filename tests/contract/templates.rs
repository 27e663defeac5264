//! What `lockgate package new` makes, in the sandbox: sinks and transforms of every language.
//!
//! Enters: batches with a tombstone. Leaves: lines in a file, the tombstone named, the offset agreed to; values with a text replaced.
//! Invariant: the same in every language; the settings come from the package's own description.

use lockgate_model::ports::{ApplyPort, OpenApply, OpenSink, SinkPort};
use lockgate_wasm::{Policy, Step};

use super::fixture::{Given, at, batch, record, run, seen, task_of};

fn writes_lines_and_agrees_to_them(package: &'static str) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let file = folder.join("out.txt").to_string_lossy().into_owned();
    let mut task = task_of(package, "com.example.MySink", &[("file", &file), ("separator", "|")]);
    let info = task.package.info();
    let requests = info.plugins[0].requests.clone();
    assert_eq!(info.plugins[0].config.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["file", "separator"]);
    let policy = Policy::parse("", "", "", &folder.to_string_lossy(), "").unwrap();
    (task.spec.grants, _) = policy.effective(&requests, &task.spec.config);
    let mut sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    let given = [Given { key: Some(b"k"), ..record(0, "v") }, Given { value: None, ..record(1, "") }, record(2, "w")];
    let bad = run(sink.put(&batch(&task.spec.schemas, &given))).unwrap();
    assert_eq!(bad.iter().map(|b| (b.row, b.code.as_str())).collect::<Vec<_>>(), [(1, "my.tombstone")]);
    let asked = [at("t", 0, 3)];
    assert_eq!(run(sink.prepare_commit(&asked)).unwrap(), asked);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "t|k|v\nt||w\n");
    run(sink.close()).unwrap();
}

#[test]
fn a_new_sink_writes_what_it_agrees_to_in_each_language_that_has_files() {
    for package in ["rust_sink", "python_sink", "go_sink", "c_sink", "cpp_sink"] {
        writes_lines_and_agrees_to_them(package);
    }
}

#[test]
fn a_package_in_cpp_uses_the_standard_library() {
    let task = task_of("words_cpp", "com.example.Words", &[]);
    let config = vec![("separator".to_owned(), "-".to_owned())];
    let step = Step { alias: "w".to_owned(), class: "com.example.Words".to_owned(), config, predicate: None };
    let segment = task.package.segment(task.spec.clone(), vec![step]);
    let mut records =
        batch(&task.spec.schemas, &[record(0, "b a  b"), record(1, " "), Given { value: None, ..record(2, "") }]);
    let mut open = run(segment.open()).unwrap();
    let failed = run(open.apply(&mut records)).unwrap();
    assert_eq!(failed.iter().map(|f| (f.row, f.code.as_str())).collect::<Vec<_>>(), [(1, "words.none")]);
    let values: Vec<_> = seen(&records).into_iter().map(|s| s.2).collect();
    assert_eq!(values, [Some("a-b".to_owned()), None]);
}
