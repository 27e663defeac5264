//! Chains and converters tried on records: `lockgate transform`, `lockgate convert`, `POST /transforms/preview`.
//!
//! Enters: the executable, a worker. Leaves: what a user sees. Invariant: one answer for each line, whatever the line is.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Child, Command, Stdio};

use lockgate_tests::places::{compile_cache, lockgate, packages};
use lockgate_tests::wait::PATIENCE;
use lockgate_tests::{Kafka, Worker, WorkerOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::lines_of;

/// The answers of a command that goes well.
pub fn answers(arguments: &[&str], config: &Value, input: &str) -> Vec<Value> {
    let (_dir, mut child) = started(arguments, config);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A command with pipes, and the folder of its configuration.
fn started(arguments: &[&str], config: &Value) -> (TempDir, Child) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut command = Command::new(lockgate());
    command.args(arguments).arg("--config").arg(&file);
    if arguments[0] == "transform" {
        command.arg("--packages").arg(packages()).arg("--cache").arg(compile_cache());
    }
    (dir, command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

/// The most memory that `lockgate transform` had while it answered so many lines, in KiB.
fn peak_kib(count: usize) -> u64 {
    let (_dir, mut child) = started(&["transform"], &mask());
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        let mut stdin = BufWriter::new(stdin);
        for n in 0..count {
            writeln!(
                stdin,
                r#"{{"topic":"t","value":{{"id":{n},"secret":"x","note":"a text that takes its place"}}}}"#
            )
            .unwrap();
        }
        stdin.flush().unwrap();
    });
    // While there are more answers than a pipe holds the process lives, and says what its peak was so far.
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    let (mut answered, mut last) = (0, 0);
    for line in BufReader::new(stdout).lines() {
        line.unwrap();
        answered += 1;
        last = if answered % 500 == 0 { peak().unwrap_or(last) } else { last };
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(answered, count);
    last
}

fn mask() -> Value {
    json!({
        "transforms": "drop,mask", "transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value",
        "transforms.mask.fields": "secret", "transforms.drop.type": "Filter", "transforms.drop.predicate": "dead",
        "predicates": "dead", "predicates.dead.type": "RecordIsTombstone",
    })
}

#[test]
fn each_line_is_answered_by_one_line_in_order() {
    let input = concat!(
        r#"{"topic":"t","partition":1,"offset":7,"value":{"secret":"x","n":1.50},"more":1}"#,
        "\n",
        r#"{"topic":"t","value":null}"#,
        "\nno record\n",
        r#"{"topic":"t","value":"text"}"#,
        "\n",
        r#"{"topic":"t","valueSchema":{"type":"struct","fields":[{"type":"bytes","field":"secret","optional":true}]},"value":{}}"#,
    );
    let answers = answers(&["transform"], &mask(), input);
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0]["value"], json!({"secret": "", "n": 1.5}));
    assert_eq!((&answers[0]["offset"], &answers[0]["keySchema"]), (&json!(7), &Value::Null));
    assert_eq!(answers[1], json!({"dropped": true}));
    assert_eq!(answers[2]["error"]["stage"], "apply");
    assert_eq!(answers[3]["error"]["class"], "DataException");
    assert_eq!(answers[4]["value"], json!({"secret": null}));
}

#[test]
fn a_line_is_answered_before_the_next_is_written() {
    let plain = json!({"schemas.enable": false});
    let convert = ["convert", "--converter", "JsonConverter", "--direction", "to-connect"];
    let cases = [(&["transform"][..], mask(), r#"{"value":{"secret":"x"}}"#), (&convert, plain, r#"{"hex":"7b7d"}"#)];
    for (arguments, config, line) in cases {
        let (_dir, mut child) = started(arguments, &config);
        let (mut stdin, answers) = (child.stdin.take().unwrap(), lines_of(&mut child));
        for _ in 0..3 {
            // What follows the line is the beginning of one that is not there yet.
            write!(stdin, "{line}\n ").unwrap();
            answers.recv_timeout(PATIENCE).expect("an answer");
        }
        write!(stdin, "{line}").unwrap();
        drop(stdin);
        answers.recv_timeout(PATIENCE).expect("an answer to what ends without a line feed");
        assert!(child.wait().unwrap().success() && answers.recv().is_err());
    }
}

#[test]
fn memory_does_not_grow_with_the_lines() {
    // The first one has the packages compiled.
    let (_, few, many) = (peak_kib(1), peak_kib(5_000), peak_kib(200_000));
    assert!(few > 0 && many < few + 16 * 1024, "{few} KiB for 5,000 lines, {many} KiB for 200,000");
}

#[test]
fn settings_that_are_refused_answer_every_line() {
    let chain = json!({"transforms": "m", "transforms.m.type": "org.apache.kafka.connect.transforms.MaskField$Value"});
    let answers = answers(&["transform"], &chain, "{}\n{}\n");
    let refused =
        |answer: &Value| answer["error"]["stage"] == "configure" && answer["error"]["class"] == "ConfigException";
    assert!(answers.len() == 2 && answers.iter().all(refused), "{answers:?}");
}

#[test]
fn a_predicate_answers_with_its_result() {
    let by_alias = answers(&["transform", "--predicate", "dead"], &mask(), "{\"value\":null}\n{\"value\":1}\n");
    assert_eq!(by_alias, [json!({"result": true}), json!({"result": false})]);
    let by_class =
        answers(&["transform", "--predicate", "TopicNameMatches"], &json!({"pattern": "a.*"}), "{\"topic\":\"ab\"}\n");
    assert_eq!(by_class, [json!({"result": true})]);
}

#[test]
fn a_converter_works_both_ways() {
    let plain = json!({"schemas.enable": false});
    let read = answers(
        &["convert", "--converter", "JsonConverter", "--direction", "to-connect"],
        &plain,
        "{\"hex\":\"7b7d\"}\n{\"hex\":\"7b\"}\n",
    );
    assert_eq!(read[0], json!({"schema": null, "value": {}}));
    assert_eq!(read[1]["error"]["class"], "DataException");
    let integer = [
        "convert",
        "--converter",
        "org.apache.kafka.connect.converters.IntegerConverter",
        "--direction",
        "from-connect",
    ];
    let written = answers(
        &integer,
        &json!({}),
        "{\"schema\":{\"type\":\"int32\"},\"value\":258}\n{\"schema\":null,\"value\":null}\n",
    );
    assert_eq!(written, [json!({"hex": "00000102"}), json!({"hex": null})]);
}

#[test]
fn a_worker_tries_chains_over_rest_with_its_own_packages() {
    let worker = Worker::start_with(&Kafka::shared().bootstrap, WorkerOptions::default());
    let body = json!({"config": mask(), "records": [{"topic": "t", "value": {"secret": "x"}}, {"topic": "t"}]});
    let answer = worker.call("POST", "/transforms/preview", &body);
    assert_eq!(answer.status, 200);
    let records = answer.json()["records"].clone();
    assert_eq!((&records[0]["value"], &records[1]), (&json!({"secret": ""}), &json!({"dropped": true})));
    let wrong = json!({"config": {}, "records": [], "kind": "cable"});
    assert_eq!(worker.call("POST", "/transforms/preview", &wrong).status, 400);
    let many = json!({"config": {}, "records": vec![json!({}); 1001]});
    assert_eq!(worker.call("POST", "/transforms/preview", &many).status, 400);
}
