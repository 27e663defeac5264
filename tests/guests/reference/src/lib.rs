//! The reference guest in Rust: keeps `tests/guests/CONTRACT.md`, word by word.
//!
//! Enters: what the tests send. Leaves: what the contract says. Invariant: a change here is a change of the contract and
//! of the Python and JavaScript guests.

mod outside;
mod sink;
mod source;
mod transform;

use std::time::Duration;

use lockgate_sdk::{
    Config, ConfigValue, Connector, Description, Encoding, Fault, Problem, Settings, Task, TaskSettings, advice, log,
    metrics, state,
};

fn description(class: &str) -> Description {
    Description::new(class)
        .doc("Does what the contract of the tests says.")
        .encoding(Encoding::Bytes)
        .encoding(Encoding::Json)
        .config(keys())
}

fn keys() -> Config {
    Config::new()
        .string("fail.config")
        .doc("Any value is refused, by validate and by open.")
        .string("mode")
        .default("echo")
        .doc("What to do wrong or otherwise.")
}

fn validate(config: &Settings) -> Vec<ConfigValue> {
    let refused = config.raw("fail.config").map(|value| {
        let mut entry = advice("fail.config");
        entry.errors.push(format!("refused by validate: {value}"));
        entry
    });
    refused.into_iter().collect()
}

fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
    if connector.config.raw("mode") == Some("tasks-fail") {
        return Err(Fault::fatal("ref.tasks", "no tasks on demand"));
    }
    let with_id = |id: u32| {
        let mut settings = connector.config.pairs().to_vec();
        settings.push(("task.id".to_owned(), id.to_string()));
        settings
    };
    Ok((0..max.max(1)).map(with_id).collect())
}

/// What every `open` begins with; answers with the mode.
fn open(class: &str, task: &Task) -> Result<String, Fault> {
    if let Some(value) = task.config.raw("fail.config") {
        return Err(Problem::new("fail.config", format!("refused: {value}")).into());
    }
    let mode = task.config.text("mode").unwrap_or("echo").to_owned();
    match mode.as_str() {
        "open-retriable" => return Err(Fault::retriable("ref.open", "not yet").after(Duration::from_millis(250))),
        "open-fatal" => return Err(Fault::fatal("ref.open", "never").detail("the detail")),
        _ => {}
    }
    let (f, name) = (task.formats, |e: Encoding| match e {
        Encoding::Bytes => "bytes",
        Encoding::Json => "json",
        Encoding::Cbor => "cbor",
    });
    let (key, value, header) = (name(f.key), name(f.value), name(f.header));
    log::info!("ref: open {class} {}/{} key={key} value={value} header={header}", task.connector, task.number);
    Ok(mode)
}

#[inline(never)]
fn ref_panics_here() -> ! {
    panic!("ref panic")
}

fn total() -> u64 {
    let text = state::get("total").and_then(|v| String::from_utf8(v).ok());
    text.and_then(|t| t.parse().ok()).unwrap_or(0)
}

fn add_to_total(records: usize) -> Result<(), Fault> {
    let sum = total() + records as u64;
    state::set("total", sum.to_string().as_bytes())?;
    metrics::set("ref_total", as_float(sum));
    Ok(())
}

/// Test counts are far below 2^32.
fn as_float(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

fn quoted(encoding: Encoding, text: &str) -> String {
    if encoding == Encoding::Json { format!("\"{text}\"") } else { text.to_owned() }
}

lockgate_sdk::package! {
    name: "reference",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "The reference guest of the contract tests.",
    sources: [source::Reference],
    sinks: [sink::Reference],
    transforms: [transform::Reference],
    predicates: [transform::HasKey],
}
