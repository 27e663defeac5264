//! Guests that misbehave: every deed, at every call, ends as a typed failure of its own instance and nothing else.
//!
//! Enters: the guests `misbehaves` and `lies`. Leaves: codes, bounds that held. Relies on L5 and L6.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_model::fault::PluginFailure;
use lockgate_model::package::PluginKind;
use lockgate_model::ports::{ApplyPort, BatchLimits, OpenApply, OpenSink, OpenSource, SinkPort, SourcePort};
use lockgate_model::{Batch, GuestError, Position};
use lockgate_tests::places;
use lockgate_wasm::{PackageError, Policy, Step};

use crate::contract::fixture::{Task, at, batch, engine, failure, package, record, run, task_of};

const LIMITS: BatchLimits = BatchLimits { records_max: 500, bytes_max: 262_144 };

/// A task of `misbehaves` that does this at that call, with short limits.
pub fn bad(class: &str, what: &str, place: &str, target: &str) -> Task {
    let settings = [("do", what), ("at", place), ("target", target)];
    let mut task = task_of("misbehaves", class, &settings);
    task.spec.limits.cpu = Duration::from_millis(200);
    task.spec.limits.call = Duration::from_secs(1);
    task.spec.limits.open = Duration::from_secs(1);
    task.spec.limits.close = Duration::from_millis(500);
    task
}

/// Walks a sink through its whole life.
pub async fn live_as_sink(task: &Task) -> Result<(), GuestError> {
    let mut sink = task.package.sink(task.spec.clone()).open(&[]).await?;
    sink.assigned(&[at("t", 0, 0)]).await?;
    sink.put(&batch(&task.spec.schemas, &[record(0, "x")])).await?;
    sink.prepare_commit(&[at("t", 0, 1)]).await?;
    sink.revoked(&[at("t", 0, 1).place]).await?;
    sink.close().await
}

async fn live_as_source(task: &Task) -> Result<(), GuestError> {
    let mut source = task.package.source(task.spec.clone()).open(&[]).await?;
    let mut records = Batch::new(task.spec.schemas.clone());
    source.poll(&mut records, LIMITS).await?;
    source.committed(&[Position { partition: "{}".into(), offset: Some("{}".into()) }]).await?;
    source.close().await
}

async fn live_as_transform(task: &Task) -> Result<(), GuestError> {
    let class = task.spec.class.clone();
    let step = Step { alias: "s".to_owned(), class, config: task.spec.config.clone(), predicate: None };
    let mut segment = task.package.segment(task.spec.clone(), vec![step]).open().await?;
    segment.apply(&mut batch(&task.spec.schemas, &[record(0, "x")])).await?;
    segment.close().await
}

#[test]
fn a_guest_that_spins_is_stopped_in_every_call() {
    let sinks = ["open", "assigned", "put", "prepare-commit", "revoked", "close"].map(|p| ("bad.Sink", p));
    let sources = ["open", "poll", "committed", "close"].map(|p| ("bad.Source", p));
    let transforms = ["open", "apply"].map(|p| ("bad.Transform", p));
    for (class, place) in sinks.into_iter().chain(sources).chain(transforms) {
        let task = bad(class, "spin", place, "");
        let began = Instant::now();
        let result = match class {
            "bad.Sink" => run(live_as_sink(&task)),
            "bad.Source" => run(live_as_source(&task)),
            _ => run(live_as_transform(&task)),
        };
        let error = failure(result);
        assert!(
            matches!(error.failure, PluginFailure::Cpu(_) | PluginFailure::Deadline(_)),
            "{class} {place}: {error}"
        );
        assert_eq!(error.call, place, "{class}: {error}");
        assert!(began.elapsed() < Duration::from_secs(20), "{class} {place} took {:?}", began.elapsed());
    }
}

#[test]
fn a_guest_that_spins_before_it_has_a_task_is_stopped_too() {
    let package = package("misbehaves");
    let config = |place: &str| vec![("do".to_owned(), "spin".to_owned()), ("at".to_owned(), place.to_owned())];
    let validated = run(package.validate("bad.Sink", &config("validate"))).map(drop);
    assert!(matches!(failure(validated).failure, PluginFailure::Cpu(_) | PluginFailure::Deadline(_)));
    let split = run(package.tasks(PluginKind::Sink, "bad.Sink", "c", &config("tasks"), 1)).map(drop);
    assert!(matches!(failure(split).failure, PluginFailure::Cpu(_) | PluginFailure::Deadline(_)));
}

#[test]
fn every_way_to_break_down_has_its_code() {
    let cases: [(&str, &[&str]); 7] = [
        ("allocate", &["plugin.limit", "plugin.trap"]),
        ("recurse", &["plugin.trap"]),
        ("panic", &["plugin.trap"]),
        ("unreachable", &["plugin.trap"]),
        ("exit", &["plugin.trap"]),
        ("exit-1", &["plugin.trap"]),
        ("sleep", &["plugin.deadline"]),
    ];
    for (what, codes) in cases {
        let mut task = bad("bad.Sink", what, "put", "");
        task.spec.limits.memory_bytes = 64 << 20;
        task.spec.limits.cpu = Duration::from_secs(5);
        task.spec.limits.call = Duration::from_secs(6);
        let error = failure(run(live_as_sink(&task)));
        assert!(codes.contains(&error.failure.code()), "{what}: {error}");
        assert_eq!(
            (error.package.as_str(), error.class.as_str(), error.call),
            ("misbehaves", "bad.Sink", "put"),
            "{what}"
        );
        assert!(error.backtrace.len() <= 64, "{what}");
    }
}

#[test]
fn a_trap_names_the_function_it_happened_in() {
    let error = failure(run(live_as_sink(&bad("bad.Sink", "unreachable", "put", ""))));
    assert!(error.backtrace.iter().any(|frame| frame.contains("unreachable_here")), "{error}");
}

#[test]
fn memory_beyond_the_limit_is_not_given_and_the_host_does_not_grow() {
    let resident = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    let before = resident();
    for _ in 0..5 {
        let mut task = bad("bad.Sink", "allocate", "put", "");
        task.spec.limits.memory_bytes = 64 << 20;
        task.spec.limits.cpu = Duration::from_secs(5);
        task.spec.limits.call = Duration::from_secs(10);
        failure(run(live_as_sink(&task)));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 400, "{grown} MiB more after five guests that took all they could get of 64 MiB");
}

#[test]
fn floods_are_cut_to_their_bounds_and_harm_nobody() {
    for what in ["flood-log", "flood-stdout"] {
        let mut task = bad("bad.Sink", what, "put", "");
        task.spec.limits.cpu = Duration::from_secs(10);
        task.spec.limits.call = Duration::from_secs(20);
        let began = Instant::now();
        run(live_as_sink(&task)).unwrap();
        let limits = &task.spec.limits;
        let seconds = began.elapsed().as_secs() + 1;
        let allowed = u64::from(limits.log_burst_bytes) + seconds * u64::from(limits.log_bytes_per_second) + 64 * 1024;
        assert!(task.lines.bytes() <= allowed, "{what}: {} bytes logged, {allowed} allowed", task.lines.bytes());
        assert!(task.spec.metrics.log_lines_dropped_total.value() > 1000, "{what}: the rest is counted");
    }
}

#[test]
fn lines_are_made_harmless_before_anyone_reads_them() {
    let task = bad("bad.Sink", "control-line", "put", "");
    run(live_as_sink(&task)).unwrap();
    assert!(task.lines.all().iter().any(|l| l.contains("two")), "the words stay");
    assert!(task.lines.all().iter().all(|l| !l.contains(['\n', '\u{1b}', '\u{7}'])), "{:?}", task.lines.all());
    let task = bad("bad.Sink", "long-line", "put", "");
    run(live_as_sink(&task)).unwrap();
    assert!(task.lines.all().iter().all(|l| l.len() <= 8 * 1024 + 200), "8 KiB of a line are kept");
}

#[test]
fn metrics_and_state_have_their_bounds() {
    let task = bad("bad.Sink", "metrics", "put", "");
    run(live_as_sink(&task)).unwrap();
    let snapshot = task.spec.metrics.guest.snapshot();
    assert!(snapshot.figures.len() <= 100 && snapshot.ignored > 9_000, "{} names", snapshot.figures.len());
    let mut task = bad("bad.Sink", "state", "put", "");
    task.spec.limits.cpu = Duration::from_secs(5);
    run(live_as_sink(&task)).unwrap();
    assert!(task.counted("bad_state_refused") > 1_900.0, "1 MiB of state is the bound");
}

#[test]
fn nothing_of_the_outside_is_there_unless_granted() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let path = secret.path().to_string_lossy().into_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let url = format!("http://{address}/");
    let cases = [
        ("read", path.as_str()),
        ("read", "/etc/passwd"),
        ("write", path.as_str()),
        ("list", "/"),
        ("tcp", address.as_str()),
        ("listen", "127.0.0.1:0"),
        ("udp", address.as_str()),
        ("http", url.as_str()),
    ];
    for (what, target) in cases {
        let task = bad("bad.Sink", what, "put", target);
        run(live_as_sink(&task)).unwrap();
        assert!(task.counted(&format!("bad_{what}")) < 0.5, "{what} {target} worked: {:?}", task.lines.all());
    }
    let task = bad("bad.Sink", "env", "put", "");
    run(live_as_sink(&task)).unwrap();
    assert!(task.counted("bad_env") < 0.5, "no variable and no argument: {:?}", task.lines.all());
}

#[test]
fn a_granted_folder_ends_at_its_edge() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("inside.txt");
    fs::write(&inside, "x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
    let folder = dir.path().to_string_lossy().into_owned();
    let policy = Policy::parse("", "", &folder, "", "").unwrap();
    let requests = [lockgate_model::package::Request::Read(folder.clone())];
    let attempts = [
        ("read", inside.to_string_lossy().into_owned(), true),
        ("write", inside.to_string_lossy().into_owned(), false),
        ("read", format!("{folder}/link"), false),
        ("read", format!("{folder}/../../etc/passwd"), false),
    ];
    for (what, target, allowed) in attempts {
        let mut task = bad("bad.Sink", what, "put", &target);
        (task.spec.grants, _) = policy.effective(&requests, &task.spec.config);
        run(live_as_sink(&task)).unwrap();
        assert_eq!(task.counted(&format!("bad_{what}")) > 0.5, allowed, "{what} {target}: {:?}", task.lines.all());
    }
}

/// Lies that the border sees through, by the class that tells them.
const LIES_OF_A_SOURCE: [&str; 24] = [
    "span",
    "span-overflow",
    "span-2gb",
    "topic",
    "headers",
    "flags",
    "schema",
    "schema-owner",
    "schema-zero",
    "schema-large",
    "header-name",
    "header-span",
    "topic-empty",
    "topic-name",
    "topic-internal",
    "rows-many",
    "rows-over",
    "rows-64mb",
    "ragged",
    "ragged-headers",
    "data-many",
    "position-nonsense",
    "position-array",
    "position-row",
];
const LIES_OF_A_TRANSFORM: [&str; 12] = [
    "span",
    "span-overflow",
    "topic",
    "headers",
    "source-row",
    "flags",
    "schema",
    "schema-owner",
    "failed-and-kept",
    "failed-outside",
    "ragged",
    "rows-many",
];

#[test]
fn a_source_that_lies_is_not_believed() {
    let told = |lie: &str| {
        let task = task_of("lies", "lies.Source", &[("lie", lie)]);
        run(async {
            let mut source = task.package.source(task.spec.clone()).open(&[]).await?;
            source.poll(&mut Batch::new(task.spec.schemas.clone()), LIMITS).await.map(drop)
        })
    };
    let seen_through = |result: &Result<(), GuestError>| match result {
        Err(GuestError::Plugin(error)) => matches!(error.failure.code(), "guest.protocol" | "plugin.limit"),
        _ => false,
    };
    let believed: Vec<_> = LIES_OF_A_SOURCE.iter().map(|l| (l, told(l))).filter(|(_, r)| !seen_through(r)).collect();
    assert!(believed.is_empty(), "{believed:?}");
}

#[test]
fn a_transform_that_lies_is_not_believed() {
    for lie in LIES_OF_A_TRANSFORM {
        let task = task_of("lies", "lies.Transform", &[("lie", lie)]);
        let error = failure(run(live_as_transform(&task)));
        assert!(matches!(error.failure.code(), "guest.protocol" | "plugin.limit"), "{lie}: {error}");
    }
}

#[test]
fn a_sink_that_lies_about_what_it_was_given_is_not_believed() {
    for (lie, place) in [
        ("bad-row-outside", "put"),
        ("assigned-other", "assigned"),
        ("assigned-ragged", "assigned"),
        ("agree-ragged", "prepare-commit"),
        ("agree-index", "prepare-commit"),
    ] {
        let task = task_of("lies", "lies.Sink", &[("lie", lie)]);
        let error = failure(run(live_as_sink(&task)));
        assert_eq!((error.failure.code(), error.call), ("guest.protocol", place), "{lie}: {error}");
    }
}

#[test]
fn an_honest_answer_of_the_same_guest_is_believed() {
    for class in ["lies.Source", "lies.Sink", "lies.Transform"] {
        let task = task_of("lies", class, &[("lie", "none")]);
        match class {
            "lies.Source" => run(live_as_source(&task)).unwrap(),
            "lies.Sink" => run(live_as_sink(&task)).unwrap(),
            _ => run(live_as_transform(&task)).unwrap(),
        }
    }
}

#[test]
fn long_texts_of_a_guest_are_cut() {
    let task = task_of("lies", "lies.Sink", &[("lie", "fault-long")]);
    let fault = crate::contract::fixture::fault(run(live_as_sink(&task)));
    assert!(fault.message.len() <= 4 * 1024 + 100 && fault.detail.len() <= 16 * 1024 + 100);
}

#[test]
fn a_package_that_does_harm_in_describe_is_refused() {
    for name in [
        "describe-spins",
        "describe-allocates",
        "describe-panics",
        "describe-traversal",
        "describe-control",
        "describe-crowd",
    ] {
        let refused = run(engine().load(places::guest(name).into())).map(drop).unwrap_err();
        assert!(matches!(refused, PackageError::Describe(_) | PackageError::BadInfo(_)), "{name}: {refused}");
        assert!(refused.to_string().len() < 20_000, "{name}: the reason is bounded");
    }
}

#[test]
fn a_future_that_is_dropped_in_the_middle_leaves_the_engine_well() {
    for _ in 0..20 {
        let task = bad("bad.Sink", "spin", "put", "");
        let alive = Arc::clone(&task.package);
        run(async { tokio::time::timeout(Duration::from_millis(30), live_as_sink(&task)).await.ok() });
        drop(alive);
    }
    run(live_as_sink(&bad("bad.Sink", "nothing", "put", ""))).unwrap();
}
