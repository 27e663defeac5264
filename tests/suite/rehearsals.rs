//! `lockgate package test`: plugins tried against scenarios, by the real program in the real sandbox.
//!
//! Enters: packages, scenarios. Leaves: what an author reads. Invariant: what fails says where, why and what to change; what holds
//! says only that.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockgate_tests::{Receiver, Reply, places};
use serde_json::{Value, json};

use crate::ran::Ran;

fn guest(name: &str) -> PathBuf {
    places::root().join("dist/guests").join(format!("{name}.wasm"))
}

fn bundled(name: &str) -> PathBuf {
    places::packages().join(format!("{name}.wasm"))
}

/// `lockgate package test PACKAGE SCENARIOS ARGUMENTS`.
fn run(package: &Path, scenarios: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(places::lockgate());
    command.args(["package", "test"]).arg(package).arg(scenarios).arg("--cache").arg(places::compile_cache());
    command.args(arguments).stdin(Stdio::null()).output().unwrap().into()
}

/// Scenarios in a file of their own.
fn tried(package: &Path, scenarios: &Value, arguments: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tried.json");
    std::fs::write(&file, scenarios.to_string()).unwrap();
    run(package, &file, arguments)
}

fn keeps_the_scenarios(name: &str) {
    let ran = run(&guest(name), &places::root().join("tests/guests/scenarios"), &[]).ends(0);
    assert!(ran.out.contains("test result: ok. ") && ran.out.contains(" 0 failed"), "{}", ran.out);
}

#[test]
fn the_rust_guest_keeps_the_scenarios_of_all_languages() {
    keeps_the_scenarios("reference");
}

#[test]
fn the_python_guest_keeps_the_scenarios_of_all_languages() {
    keeps_the_scenarios("python");
}

#[test]
fn the_javascript_guest_keeps_the_scenarios_of_all_languages() {
    keeps_the_scenarios("js");
}

#[test]
fn the_go_guest_keeps_the_scenarios_of_all_languages() {
    keeps_the_scenarios("go");
}

#[test]
fn the_c_guest_keeps_the_scenarios_of_all_languages() {
    keeps_the_scenarios("c");
}

/// The components that `package new` and `build` have made, against the scenarios that each project begins with.
fn templates_keep_their_scenarios(language: &str, folder: &str) {
    for kind in ["source", "sink", "transform"] {
        let scenarios = places::root().join("sdk").join(folder).join(kind).join("tests");
        run(&guest(&format!("{language}_{kind}")), &scenarios, &[]).ends(0);
    }
}

#[test]
fn new_projects_in_rust_keep_their_scenarios() {
    templates_keep_their_scenarios("rust", "rust/template");
}

#[test]
fn new_projects_in_python_keep_their_scenarios() {
    templates_keep_their_scenarios("python", "python/template");
}

#[test]
fn new_projects_in_javascript_and_typescript_keep_their_scenarios() {
    templates_keep_their_scenarios("js", "js/template/js");
    templates_keep_their_scenarios("ts", "js/template/ts");
}

#[test]
fn new_projects_in_go_keep_their_scenarios() {
    templates_keep_their_scenarios("go", "go/template");
}

#[test]
fn new_projects_in_c_and_cpp_keep_their_scenarios() {
    templates_keep_their_scenarios("c", "c/template/c");
    templates_keep_their_scenarios("cpp", "c/template/cpp");
}

#[test]
fn the_bundled_packages_keep_their_scenarios() {
    for name in ["http", "file", "datagen", "blackhole", "transforms", "transforms-expr"] {
        run(&bundled(&name.replace('-', "_")), &places::root().join("plugins").join(name).join("tests"), &[]).ends(0);
    }
}

#[test]
fn a_failure_says_the_step_the_difference_and_what_was_logged() {
    let scenarios = json!([
        {"name": "wrong", "plugin": "ref.Sink", "steps": [
            {"put": [{"value": 1}], "expect": {"accepted": 1}},
            {"name": "second", "put": [{"value": 2, "headers": [{"key": "ref.bad", "value": "why"}]}],
                "expect": {"bad": [{"code": "other"}]}},
        ]},
        {"name": "right", "plugin": "ref.Sink", "steps": [{"put": [{"value": 1}]}]},
    ]);
    let ran = tried(&guest("reference"), &scenarios, &[]).ends(1);
    ran.says(&[
        "running 2 scenarios of reference 1.2.3",
        "tried wrong ... FAILED",
        "tried right ... ok",
        "step 2: put (second)",
        "bad[0].code is not what was expected\n    - expected  \"other\"\n    + actual    \"ref.bad\"",
        "INFO ref: open ref.Sink test/0",
        "test result: FAILED. 1 passed; 1 failed; 0 filtered out",
    ]);
    assert_eq!(ran.out.matches("ref: open").count(), 1, "a scenario that holds is silent: {}", ran.out);
    let ran = tried(&guest("reference"), &scenarios, &["--filter", "right", "--nocapture"]).ends(0);
    ran.says(&["running 1 scenario of", "1 filtered out", "ref: open ref.Sink"]);
    let none = tried(&guest("reference"), &scenarios, &["--filter", "nowhere"]).ends(2);
    assert!(none.err.contains("none of the 2 scenarios"), "{}", none.err);
}

#[test]
fn results_are_json_and_junit_for_machines() {
    let scenarios =
        json!([{"name": "<a>", "plugin": "ref.Sink", "steps": [{"put": [{"value": 1}], "expect": {"accepted": 2}}]}]);
    let dir = tempfile::tempdir().unwrap();
    let junit = dir.path().join("junit.xml");
    let ran = tried(&guest("reference"), &scenarios, &["-o", "json", "--junit", junit.to_str().unwrap()]).ends(1);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["failed"], &report["results"][0]["failure"]["step"]), (&json!(1), &json!(1)));
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(
        xml.contains("failures=\"1\"") && xml.contains("tried &lt;a&gt;\" time=") && xml.contains("<failure "),
        "{xml}"
    );
}

#[test]
fn a_file_that_is_no_scenario_says_where_it_is_wrong() {
    let misspelt = json!({"plugin": "ref.Sink", "steps": [{"put": [], "expect": {"acepted": 1}}]});
    let ran = tried(&guest("reference"), &misspelt, &[]).ends(5);
    assert!(ran.err.contains("unknown field `acepted`") && ran.err.contains("line 1"), "{}", ran.err);
    let two = json!({"plugin": "ref.Sink", "steps": [{"put": [], "crash": {}}]});
    let ran = tried(&guest("reference"), &two, &[]).ends(5);
    assert!(ran.err.contains("step 1: it does several things (put, crash)"), "{}", ran.err);
    let unknown = json!({"plugin": "ref.Nothing", "steps": [{"open": {}}]});
    tried(&guest("reference"), &unknown, &[])
        .ends(1)
        .says(&["the package has no plugin ref.Nothing; it has ref.Source"]);
    let wrong = json!({"plugin": "http", "config": {}, "steps": [{"open": {}}]});
    tried(&bundled("http"), &wrong, &[]).ends(1).says(&["a worker would refuse this configuration:", "http.url: "]);
}

fn misbehaves(deed: &str, more: &Value, limits: &Value, expect: &Value) -> Value {
    let mut config = json!({"do": deed, "at": "put"});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut step = json!({"put": [{"value": 1}]});
    if !expect.is_null() {
        step["expect"] = expect.clone();
    }
    json!({"plugin": "bad.Sink", "config": config, "limits": limits, "steps": [step]})
}

#[test]
fn a_panic_names_the_function_and_what_to_do_instead() {
    let ran = tried(&guest("misbehaves"), &misbehaves("panic", &json!({}), &json!({}), &Value::Null), &[]).ends(1);
    ran.says(&[
        "panics on demand",
        "\n    in misbehaves::deeds::panics\n",
        "hint: a panic or exception ends the instance",
    ]);
}

#[test]
fn limits_that_are_reached_name_their_settings() {
    let package = guest("misbehaves");
    let try_it =
        |deed, limits: Value| tried(&package, &misbehaves(deed, &json!({}), &limits, &Value::Null), &[]).ends(1);
    try_it("spin", json!({"cpu.ms": 50})).says(&["used more than 50ms of CPU", "lockgate.limits.cpu.ms for a worker"]);
    try_it("sleep", json!({"call.ms": 100}))
        .says(&["did not return within 100ms", "lockgate.limits.call.ms for a worker"]);
    try_it("allocate", json!({"memory.mb": 32})).says(&["allowed are 32", "lockgate.limits.memory.mb for a worker"]);
    let expected = json!({"error": {"kind": "cpu", "code": "plugin.cpu", "call": "put"}});
    tried(&package, &misbehaves("spin", &json!({}), &json!({"cpu.ms": 50}), &expected), &[]).ends(0);
}

#[test]
fn a_grant_that_the_plugin_forgot_to_ask_for_is_named_with_the_line_to_add() {
    let target = json!({"target": "http://api.example.com/x"});
    let expect = json!({"log": ["http worked"]});
    let ran = tried(&guest("misbehaves"), &misbehaves("http", &target, &json!({}), &expect), &[]).ends(1);
    ran.says(&[
        "no line of the log fits \"http worked\"",
        "hint: the plugin used http://api.example.com:80 without asking for it",
        "`.asks_http(\"api.example.com:80\")` in Rust",
    ]);
}

#[test]
fn an_exception_names_the_authors_function_and_line() {
    let panics = json!({"plugin": "ref.Source", "config": {"mode": "panic"}, "steps": [{"poll": {}}]});
    for (name, place) in [("python", "in ref_panics_here (app.py:"), ("js", "in ref_panics_here (guest.ts:")] {
        tried(&guest(name), &panics, &[]).ends(1).says(&[
            "`poll` of ref.Source trapped",
            place,
            "hint: a panic or exception",
        ]);
    }
}

fn sends(http: &Value, expect: &Value) -> Value {
    let put = json!({"put": [{"value": {"id": 1}}], "expect": expect});
    json!({"plugin": "http", "config": {"http.url": "http://api.example.com/in"}, "http": http, "steps": [put]})
}

#[test]
fn a_request_that_nobody_foresaw_and_an_answer_that_nobody_asked_for_fail() {
    let http = json!([{"request": {"method": "POST", "url": "http://api.example.com/in", "body": {"id": 2}}}]);
    let ran = tried(&bundled("http"), &sends(&http, &json!({"error": {"kind": "retriable"}})), &[]).ends(1);
    ran.says(&[
        "the plugin asked for POST http://api.example.com/in with the body \"{\\\"id\\\":1}\", and no answer in `http` fits",
        "http[0] is the nearest",
        "body.id: expected 2, asked 1",
    ]);
    let http = json!([
        {"request": {"url": "http://api.example.com/in"}},
        {"request": {"url": "http://api.example.com/more"}},
        {"request": {"url": "http://api.example.com/other"}, "times": "any"},
    ]);
    let ran = tried(&bundled("http"), &sends(&http, &json!({})), &[]).ends(1);
    ran.says(&[
        "after the last step",
        "http[1] (any method http://api.example.com/more) was answered 0 times, 1 expected",
    ]);
    assert!(!ran.out.contains("http[2]"), "{}", ran.out);
}

#[test]
fn answers_may_be_late_slow_cut_or_none_at_all() {
    let url = json!({"url": "http://api.example.com/in"});
    let retriable = json!({"error": {"kind": "retriable"}});
    let cases = [
        (json!({"fault": "refused"}), retriable.clone()),
        (json!({"fault": "reset"}), retriable.clone()),
        (json!({"fault": "dns"}), retriable.clone()),
        (json!({"fault": "timeout"}), retriable.clone()),
        (json!({"delay_ms": 400}), retriable.clone()),
        (json!({"delay_ms": 20, "body": "slow", "body_delay_ms": 20}), json!({"accepted": 1})),
        (json!({"status": 500}), retriable),
    ];
    let scenarios: Vec<Value> = cases
        .into_iter()
        .map(|(answer, expect)| {
            let mut scenario = sends(&json!([{"request": url, "answer": answer}]), &expect);
            scenario["name"] = answer.to_string().into();
            scenario["config"]["http.timeout.ms"] = 200.into();
            scenario
        })
        .collect();
    tried(&bundled("http"), &scenarios.into(), &[]).ends(0);
}

#[test]
fn answers_that_were_recorded_are_played_without_the_server_and_hold_no_secret() {
    let server = Receiver::start();
    server.answer_by(|_| Some(Reply { body: "{\"taken\":true}".to_owned(), ..Reply::status(201) }));
    let url = format!("http://{}/in", server.address);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recorded.json");
    let scenario = json!({
        "plugin": "http",
        "config": {"http.url": url, "http.auth.token": "quite-secret"},
        "steps": [{"put": [{"value": {"id": 1, "note": "quite-secret"}}], "expect": {"accepted": 1}}],
    });
    std::fs::write(&file, scenario.to_string()).unwrap();
    run(&bundled("http"), &file, &["--record"]).ends(0);
    assert_eq!(server.received().len(), 1);
    drop(server);
    let text = std::fs::read_to_string(&file).unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    let exchange = &written["http"][0];
    assert_eq!((&exchange["request"]["method"], &exchange["request"]["url"]), (&json!("POST"), &json!(url)));
    assert_eq!(exchange["request"]["headers"]["authorization"], "***");
    assert_eq!(exchange["request"]["body"], json!({"id": 1, "note": "***"}));
    assert_eq!((&exchange["answer"]["status"], &exchange["answer"]["body"]), (&json!(201), &json!({"taken": true})));
    assert_eq!(text.matches("quite-secret").count(), 2, "only where the author wrote it: {text}");
    let keys: Vec<&String> = written.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["plugin", "config", "http", "steps"]);
    run(&bundled("http"), &file, &[]).ends(0);
}

#[test]
fn the_schema_in_the_docs_is_the_one_of_the_program() {
    let output = Command::new(places::lockgate()).args(["package", "test", "--schema"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let kept = std::fs::read_to_string(places::root().join("docs/scenario.schema.json")).unwrap();
    assert_eq!(printed, kept, "write it anew: lockgate package test --schema > docs/scenario.schema.json");
}
