//! Our answers, from the code of `lockgate transform` and `lockgate convert`.
//!
//! Enters: cases. Leaves: an answer for each record of each. Invariant: guests run in the sandbox of a task.

use indexmap::IndexMap;
use lockgate_supervisor::preview::{BATCH_RECORDS, Conversion, Direction, Place, RecordKind, Subject, Workbench};
use lockgate_tests::places::{compile_cache, packages};
use lockgate_wasm::EngineOptions;
use serde_json::Value;

use super::Case;

/// Asks us.
pub fn ours(cases: &[Case]) -> Vec<Vec<Value>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = EngineOptions { cache_dir: Some(compile_cache()), ..EngineOptions::default() };
        let mut bench = Workbench::open(engine, Some(&packages()), &[]).await.unwrap();
        let mut all = Vec::with_capacity(cases.len());
        for case in cases {
            all.push(if case.json.get("converter").is_some() {
                convert(case)
            } else {
                records(&mut bench, case).await
            });
        }
        all
    })
}

fn texts(config: &Value) -> IndexMap<String, Option<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    config.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

async fn records(bench: &mut Workbench, case: &Case) -> Vec<Value> {
    let kind = if case.json["kind"] == "source" { RecordKind::Source } else { RecordKind::Sink };
    let (subject, config) = match case.json.get("predicate") {
        Some(config) => (Subject::Predicate(None), texts(config)),
        None => (Subject::Chain, texts(&case.json["chain"])),
    };
    let mut trial = bench.trial(&subject, &config, kind).await;
    let mut answers = Vec::new();
    let lines: Vec<String> = case.records().iter().map(Value::to_string).collect();
    for lines in lines.chunks(BATCH_RECORDS) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        answers.extend(trial.answer(&lines).await.iter().map(|answer| read(answer)));
    }
    trial.close().await;
    answers
}

fn convert(case: &Case) -> Vec<Value> {
    let direction = if case.json["direction"] == "to-connect" { Direction::ToConnect } else { Direction::FromConnect };
    let place = if case.json["role"] == "header" { Place::Header } else { Place::Value };
    let settings = texts(&case.json["config"]).into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let class = case.json["converter"].as_str().unwrap();
    let mut conversion = Conversion::open(class, &settings, direction, place, "topic");
    let mut answer = |record: &Value| futures::executor::block_on(conversion.answer(&record.to_string()));
    case.records().iter().map(|record| read(&answer(record))).collect()
}

/// An answer; a number beyond what this process can hold makes it a text.
fn read(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|_| Value::String(answer.to_owned()))
}
