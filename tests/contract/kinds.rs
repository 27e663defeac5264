//! What holds for every kind of plugin: describe, validate, tasks, open, close.
//!
//! Enters: settings. Leaves: what CONTRACT.md says under "All kinds".

use std::time::Duration;

use lockgate_model::Encoding;
use lockgate_model::fault::FaultKind;
use lockgate_model::package::PluginKind;
use lockgate_model::ports::{OpenApply, OpenSink, OpenSource, SinkPort};
use lockgate_wasm::Step;

use super::fixture::{failure, fault, package, run, says_where, task};
use super::{Guest, in_each_language};

in_each_language!(
    describe_names_the_package_and_its_plugins,
    validate_names_the_key_that_it_refuses,
    tasks_are_as_many_as_asked_for,
    tasks_that_cannot_be_made_are_a_fatal_fault,
    open_refuses_a_config_by_its_key,
    open_may_be_tried_again_when_the_guest_says_so,
    open_may_fail_for_good_with_a_detail,
    open_and_close_know_who_and_what_they_are,
    a_panic_costs_the_instance_and_says_where,
);

fn describe_names_the_package_and_its_plugins(guest: Guest) {
    let package = package(guest.file());
    let info = package.info();
    assert_eq!((info.name.as_str(), info.version.as_str()), (guest.package(), "1.2.3"));
    let both = [Encoding::Bytes, Encoding::Json];
    let expected = [
        ("ref.Source", PluginKind::Source, Some("reference-source")),
        ("ref.Sink", PluginKind::Sink, Some("reference-sink")),
        ("ref.Transform", PluginKind::Transform, None),
        ("ref.HasKey", PluginKind::Predicate, None),
    ];
    for (class, kind, alias) in expected {
        let plugin = package.plugin(class, kind).unwrap_or_else(|| panic!("{class} is missing"));
        assert_eq!(plugin.encodings, both, "{class}");
        assert!(alias.is_none_or(|a| package.plugin(a, kind).is_some()), "{class}");
        let keys: Vec<&str> = plugin.config.iter().map(|c| c.name.as_str()).collect();
        assert!(
            kind == PluginKind::Predicate || ["fail.config", "mode"].iter().all(|k| keys.contains(k)),
            "{class}: {keys:?}"
        );
    }
    assert_eq!(info.plugins.len(), 4);
}

fn validate_names_the_key_that_it_refuses(guest: Guest) {
    let package = package(guest.file());
    let config = |value: &str| vec![("fail.config".to_owned(), value.to_owned())];
    let advice = run(package.validate("ref.Sink", &config("why"))).unwrap();
    assert_eq!(advice.len(), 1);
    assert_eq!(
        (advice[0].name.as_str(), &advice[0].errors[..]),
        ("fail.config", &["refused by validate: why".to_owned()][..])
    );
    assert!(run(package.validate("ref.Sink", &[])).unwrap().is_empty());
}

fn tasks_are_as_many_as_asked_for(guest: Guest) {
    let package = package(guest.file());
    let config = [("a".to_owned(), "b".to_owned())];
    for (kind, class) in [(PluginKind::Source, "ref.Source"), (PluginKind::Sink, "ref.Sink")] {
        let tasks = run(package.tasks(kind, class, "c", &config, 3)).unwrap();
        assert_eq!(tasks.len(), 3);
        for (at, task) in tasks.iter().enumerate() {
            assert!(task.contains(&("a".to_owned(), "b".to_owned())), "{task:?}");
            assert!(task.contains(&("task.id".to_owned(), at.to_string())), "{task:?}");
        }
    }
}

fn tasks_that_cannot_be_made_are_a_fatal_fault(guest: Guest) {
    let config = [("mode".to_owned(), "tasks-fail".to_owned())];
    let fault = fault(run(package(guest.file()).tasks(PluginKind::Sink, "ref.Sink", "c", &config, 1)));
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Fatal, "ref.tasks"));
}

fn open_refuses_a_config_by_its_key(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("fail.config", "why")]);
    let fault = fault(run(task.package.sink(task.spec.clone()).open(&[])).map(drop));
    assert_eq!(fault.code, "config.invalid");
    assert_eq!(fault.kind, FaultKind::Config(vec![("fail.config".to_owned(), "refused: why".to_owned())]));
}

fn open_may_be_tried_again_when_the_guest_says_so(guest: Guest) {
    let task = task(guest, "ref.Source", &[("mode", "open-retriable")]);
    let fault = fault(run(task.package.source(task.spec.clone()).open(&[])).map(drop));
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("ref.open", "not yet"));
    assert_eq!(fault.kind, FaultKind::Retriable(Duration::from_millis(250)));
}

fn open_may_fail_for_good_with_a_detail(guest: Guest) {
    let task = task(guest, "ref.Sink", &[("mode", "open-fatal")]);
    let fault = fault(run(task.package.sink(task.spec.clone()).open(&[])).map(drop));
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Fatal, "ref.open"));
    assert_eq!((fault.message.as_str(), fault.detail.as_str()), ("never", "the detail"));
}

fn open_and_close_know_who_and_what_they_are(guest: Guest) {
    let task = task(guest, "ref.Sink", &[]).json();
    let sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    assert_eq!(task.lines.take(), ["open ref.Sink c/7 key=json value=json header=json"]);
    run(sink.close()).unwrap();
    assert_eq!(task.lines.take(), ["close ref.Sink"]);
}

fn a_panic_costs_the_instance_and_says_where(guest: Guest) {
    let task = task(guest, "ref.Transform", &[]);
    let settings = vec![("op".to_owned(), "panic".to_owned())];
    let step = Step { alias: "boom".to_owned(), class: "ref.Transform".to_owned(), config: settings, predicate: None };
    let segment = task.package.segment(task.spec.clone(), vec![step]);
    let mut batch = super::fixture::batch(&task.spec.schemas, &[super::fixture::record(0, "x")]);
    let error = failure(run(async {
        let mut open = segment.open().await?;
        lockgate_model::ports::ApplyPort::apply(&mut open, &mut batch).await
    }));
    assert_eq!((error.failure.code(), error.call), ("plugin.trap", "apply"), "{error}");
    assert_eq!((error.package.as_str(), error.version.as_str()), (guest.package(), "1.2.3"));
    assert!(says_where(&task, &error, guest), "{error}: {:?}", task.lines.all());
}
