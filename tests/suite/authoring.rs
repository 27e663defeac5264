//! The way of an author, from the component on: `package push`, the command that it prints, records that flow. The steps before it
//! (`new`, unit test, `build`, `inspect`, for every language and kind) are those of `tests/authoring/build.sh`, which made the components.
//!
//! Enters: the components, a real Kafka. Leaves: records of the new source, changed by the new transform, in the new sink.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockgate_tests::{Kafka, Receiver, Reply, Worker, eventually, eventually_equal, places};
use serde_json::json;

use crate::configs::lines;

/// Runs the program; what it prints.
#[track_caller]
fn lockgate(worker: &Worker, args: &[&str]) -> String {
    let mut command = Command::new(places::lockgate());
    command.args(args).env("LOCKGATE_SERVER", format!("http://{}", worker.address)).stdin(Stdio::null());
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "lockgate {}: {said}", args.join(" "));
    String::from_utf8(ended.stdout).unwrap()
}

/// Pushes a component; the command that was printed, as words.
#[track_caller]
fn push(worker: &Worker, guest: &str) -> Vec<String> {
    let file = worker.path(&format!("{guest}.wasm"));
    fs::write(&file, places::guest(guest)).unwrap();
    let said = lockgate(worker, &["package", "push", &file.to_string_lossy()]);
    let line = said.lines().find_map(|line| line.trim().strip_prefix("lockgate ")).expect("a command");
    line.split_whitespace().map(str::to_owned).collect()
}

/// Runs a command that was printed, its placeholders filled in, with more settings behind it.
#[track_caller]
fn run(worker: &Worker, printed: &[String], fill: &[(&str, &str)], more: &[&str]) {
    let mut words: Vec<String> = printed.to_vec();
    for (placeholder, value) in fill {
        let word = words.iter_mut().find(|word| word.ends_with(&format!("={placeholder}")) || *word == placeholder);
        let word = word.unwrap_or_else(|| panic!("{placeholder} in {printed:?}"));
        *word = word.replace(placeholder, value);
    }
    let args: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
    lockgate(worker, &args);
}

const JSON: [&str; 2] =
    ["value.converter=org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable=false"];

/// The new source writes to a topic, the new sink reads it through the new transform.
fn records_flow(language: &str) {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic(&format!("{language}-way"), 1);
    let (api, asked) = (Receiver::start(), AtomicU64::new(0));
    // An item every other time, so that the source pauses between two of them.
    api.answer_by(move |request| {
        let after: u64 = request.path.rsplit('=').next()?.parse().ok()?;
        let is_there = asked.fetch_add(1, Relaxed) % 2 == 0;
        let items = if is_there { json!([{"id": after + 1, "beat": after + 1}]) } else { json!([]) };
        Some(Reply { body: items.to_string(), ..Reply::status(200) })
    });
    let url = format!("http://{}/items", api.address);
    let source = push(&worker, &format!("{language}_source"));
    let (fill, speed) = if language == "python" {
        (vec![("URL", url.as_str()), ("TOPIC", topic.name.as_str())], "poll.interval.ms=200")
    } else {
        (vec![("TOPIC", topic.name.as_str())], "interval.ms=20")
    };
    run(&worker, &source, &fill, &[&JSON[..], &[speed]].concat());
    eventually("records of the new source", || {
        topic.texts().first().filter(|text| text.contains("\"beat\":1")).map(drop)
    });

    let file = worker.path_text("out.txt");
    let sink = push(&worker, &format!("{language}_sink"));
    let has_files = !matches!(language, "js" | "ts");
    let fill = if has_files {
        vec![("TOPIC", topic.name.as_str()), ("FILE", &file)]
    } else {
        vec![("TOPIC", topic.name.as_str())]
    };
    run(&worker, &sink, &fill, &JSON);
    let transform = push(&worker, &format!("{language}_transform"));
    run(&worker, &transform, &[("CONNECTOR", "my-sink"), ("FIND", "beat")], &["--set", "transforms.it.put=tick"]);
    let seen = || {
        let all = if has_files {
            lines(&worker.path("out.txt"))
        } else {
            vec![lockgate(&worker, &["connector", "logs", "my-sink"])]
        };
        all.iter().any(|line| line.contains("\"tick\":")).then_some(())
    };
    eventually("records changed by the new transform in the new sink", seen);
}

macro_rules! ways {
    ($($test:ident $language:literal;)*) => {
        $(#[test]
        fn $test() {
            records_flow($language);
        })*
    };
}

ways! {
    records_flow_through_what_a_new_author_made_in_rust "rust";
    records_flow_through_what_a_new_author_made_in_python "python";
    records_flow_through_what_a_new_author_made_in_javascript "js";
    records_flow_through_what_a_new_author_made_in_typescript "ts";
    records_flow_through_what_a_new_author_made_in_go "go";
    records_flow_through_what_a_new_author_made_in_c "c";
    records_flow_through_what_a_new_author_made_in_cpp "cpp";
}

#[test]
fn without_a_grant_a_new_sink_says_what_is_missing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("ungranted", 1);
    worker.upload(&places::guest("rust_sink")).expect(201);
    let class = "com.example.MySink";
    let config = json!({"connector.class": class, "topics": topic.name, "file": "/nowhere/granted/mine.txt"});
    let answer = worker.call("POST", "/connectors", &json!({"name": "mine", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("mine") } else { answer.text() };
    assert!(reason.contains("/nowhere/granted"), "{reason}");
}

#[test]
fn a_new_source_in_python_goes_on_where_it_was() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("py", 1);
    let api = Receiver::start();
    api.answer_by(|request| {
        let after: u64 = request.path.rsplit('=').next()?.parse().ok()?;
        let items: Vec<_> = (after + 1..=5).take(2).map(|id| json!({"id": id, "text": format!("żółw {id}")})).collect();
        Some(Reply { body: json!(items).to_string(), ..Reply::status(200) })
    });
    worker.upload(&places::guest("python_source")).expect(201);
    let url = format!("http://{}/items", api.address);
    let class = "com.example.MySource";
    let config = json!({"connector.class": class, "topic": topic.name, "url": url, "poll.interval.ms": "100",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"});
    worker.create_running("api", config);
    let expected: Vec<String> = (1..=5).map(|id| format!(r#"{{"id":{id},"text":"żółw {id}"}}"#)).collect();
    eventually_equal("all items are records", &expected, || topic.texts());
    let offset = json!({"id": 5});
    eventually_equal("the position is stored", &offset, || {
        worker.get("/connectors/api/offsets").json()["offsets"][0]["offset"].clone()
    });
    let asked = |path: &str| api.received().iter().filter(|r| r.path.ends_with(path)).count();
    assert_eq!(asked("after=0"), 1);
    worker.put("/connectors/api/stop").expect(204);
    eventually("the task is gone", || {
        let status = worker.get("/connectors/api/status").json();
        status["tasks"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    let before = asked("after=5");
    worker.put("/connectors/api/resume").expect(202);
    eventually("it asks on after the last item", || (asked("after=5") > before).then_some(()));
    assert_eq!((topic.texts(), asked("after=0")), (expected, 1));
}
