//! What went wrong in a guest, for somebody who sees it for the first time.
//!
//! Enters: the error of a call, what the sandbox refused on the way. Leaves: what happened, where in the author's code, and what
//! to change. Invariant: every hint names the line to write or the setting to change.

use lockgate_model::fault::{FaultKind, GuestError, PluginError, PluginFailure};
use lockgate_model::package::PluginInfo;
use serde_json::{Map, Value, json};

/// What the languages say of a file that was not opened for them.
const NO_DIRECTORY: [&str; 2] = ["pre-opened file descriptor", "Capabilities insufficient"];
/// Frames of a back-trace that are shown.
const FRAMES: usize = 12;

/// The error as expectations see it.
pub(super) fn value(error: &GuestError) -> Value {
    match error {
        GuestError::Fault(fault) => {
            let mut value = json!({"code": fault.code, "message": fault.message, "detail": fault.detail});
            let (kind, key, more) = match &fault.kind {
                FaultKind::Retriable(delay) => ("retriable", "delay_ms", json!(millis(*delay))),
                FaultKind::Rows(rows) => {
                    let row =
                        |r: &lockgate_model::RowFault| json!({"row": r.row, "code": r.code, "message": r.message});
                    ("rows", "rows", rows.iter().map(row).collect())
                }
                FaultKind::Fatal => ("fatal", "", Value::Null),
                FaultKind::Config(problems) => {
                    let problems = problems.iter().map(|(key, problem)| (key.clone(), Value::from(problem.as_str())));
                    ("config", "problems", Value::Object(problems.collect::<Map<_, _>>()))
                }
            };
            value["kind"] = json!(kind);
            if !key.is_empty() {
                value[key] = more;
            }
            value
        }
        GuestError::Plugin(error) => json!({
            "kind": kind(&error.failure),
            "code": error.failure.code(),
            "message": error.failure.to_string(),
            "call": error.call,
            "backtrace": error.backtrace,
        }),
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

const fn kind(failure: &PluginFailure) -> &'static str {
    match failure {
        PluginFailure::Trap(_) => "trap",
        PluginFailure::Cpu(_) => "cpu",
        PluginFailure::Deadline(_) => "deadline",
        PluginFailure::Limit(_) => "limit",
        PluginFailure::Protocol(_) => "protocol",
        PluginFailure::Instantiate(_) => "instantiate",
    }
}

/// What happened and what to do about it, line by line. `log` is what the plugin logged meanwhile.
pub(super) fn lines<'a>(error: &GuestError, log: impl Iterator<Item = &'a str>) -> Vec<String> {
    match error {
        GuestError::Fault(fault) => of_fault(&fault.kind, &fault.code, &fault.message, &fault.detail),
        GuestError::Plugin(error) => of_plugin(error, &traced(log)),
    }
}

/// The trace that a language with a runtime of its own writes before it dies: `at function (file:line)`.
fn traced<'a>(log: impl Iterator<Item = &'a str>) -> Vec<String> {
    let frame = |line: &'a str| {
        let frame = line.trim_start().strip_prefix("at ")?;
        let place = frame.strip_suffix(')')?.rsplit_once('(')?.1;
        let line = place.rsplit(':').next()?;
        (line.parse::<u32>().is_ok()).then(|| frame.to_owned())
    };
    log.filter_map(frame).collect()
}

fn of_fault(kind: &FaultKind, code: &str, message: &str, detail: &str) -> Vec<String> {
    let what = match kind {
        FaultKind::Retriable(delay) if delay.is_zero() => "a retriable fault".to_owned(),
        FaultKind::Retriable(delay) => format!("a retriable fault (again after {delay:?})"),
        FaultKind::Rows(rows) => format!("a fault of {} records", rows.len()),
        FaultKind::Fatal => "a fatal fault".to_owned(),
        FaultKind::Config(_) => "a fault of its configuration".to_owned(),
    };
    let mut lines = vec![format!("the plugin returned {what}: {message} [{code}]")];
    lines.extend(detail.lines().map(|line| format!("  {line}")));
    if let FaultKind::Config(problems) = kind {
        lines.extend(problems.iter().map(|(key, problem)| format!("  {key}: {problem}")));
    }
    let hint = match kind {
        FaultKind::Retriable(_) => {
            "hint: if this is what the plugin should do, expect it: \"expect\": {\"error\": {\"kind\": \
                                    \"retriable\"}}; a step {\"retry\": {}} makes the call again"
        }
        FaultKind::Config(_) => "hint: correct `config`, or expect it: \"expect\": {\"error\": {\"kind\": \"config\"}}",
        _ => "hint: if this is what the plugin should do, expect it: \"expect\": {\"error\": {\"code\": \"..\"}}",
    };
    lines.push(hint.to_owned());
    lines
}

fn of_plugin(error: &PluginError, traced: &[String]) -> Vec<String> {
    let mut lines = vec![format!("`{}` of {} {}", error.call, error.class, error.failure)];
    // What stands before the author's own code is how the language dies.
    let from = own_frame(&error.backtrace).unwrap_or(0);
    let frames = if traced.is_empty() { &error.backtrace[from..] } else { traced };
    lines.extend(frames.iter().take(FRAMES).enumerate().map(|(at, frame)| {
        let word = if at == 0 { "in" } else { "at" };
        format!("  {word} {frame}")
    }));
    if frames.len() > FRAMES {
        lines.push(format!("  .. {} more", frames.len() - FRAMES));
    }
    lines.push(hint(error));
    lines
}

fn hint(error: &PluginError) -> String {
    let call = error.call;
    let hint = match &error.failure {
        PluginFailure::Trap(text) if text.contains("stack") && text.contains("exhausted") => {
            "the stack is full: a recursion without end, or large values on the stack".to_owned()
        }
        PluginFailure::Trap(_) => format!(
            "a panic or exception ends the instance, and everything that was not committed comes again. Return a fault \
             from `{call}` instead: a bad record if it is the record's fault, retriable if waiting helps, else fatal"
        ),
        PluginFailure::Cpu(limit) => format!(
            "one call may compute for {} ms. Do less in one call of `{call}` (a smaller batch, a loop that ends), or raise the limit: \
             \"limits\": {{\"cpu.ms\": ..}} here, lockgate.limits.cpu.ms for a worker",
            limit.as_millis()
        ),
        PluginFailure::Deadline(limit) => {
            let key = match call {
                "open" => "open.ms",
                "close" => "close.ms",
                _ => "call.ms",
            };
            format!(
                "`{call}` waited for something for {} ms: give every request a timeout below that and return a retriable \
                 fault, or raise the limit: \"limits\": {{\"{key}\": ..}} here, lockgate.limits.{key} for a worker",
                limit.as_millis()
            )
        }
        PluginFailure::Limit(what) if what.contains("memory") => {
            "it needs more memory than it has: hold less at once, or raise the limit: \"limits\": {\"memory.mb\": ..} here, \
             lockgate.limits.memory.mb for a worker"
                .to_owned()
        }
        PluginFailure::Limit(_) => "close streams, requests and files as soon as they are no longer needed".to_owned(),
        PluginFailure::Protocol(_) => {
            "what the plugin answered is not what wit/v0.1 allows; an SDK keeps to it, so look at what was given to it".to_owned()
        }
        PluginFailure::Instantiate(text) if text.contains("granted directory") => {
            "a directory that the plugin asks for must exist before it is opened".to_owned()
        }
        PluginFailure::Instantiate(_) => {
            "code that runs before `open` (globals, imports of modules) failed: move it into `open`".to_owned()
        }
    };
    format!("hint: {hint}")
}

/// Which frame is the first of the author's own code.
fn own_frame(frames: &[String]) -> Option<usize> {
    let foreign = [
        "/rustc/",
        "/library/std/",
        "/library/core/",
        "/library/alloc/",
        "lockgate_sdk",
        "/sdk/rust/",
        "lockgate:connect",
        "wit_bindgen",
        "lg_panic",
        "cabi_",
        "/.cargo/registry/",
        "/sdk/go/",
        "/sdk/c/",
        "wasi-libc",
        "dlmalloc",
        "runtime.",
    ];
    let prefixes = [
        "core::",
        "std::",
        "alloc::",
        "<core::",
        "<std::",
        "<alloc::",
        "rust_",
        "__rust",
        "__",
        "abort",
        "_start",
        "<function ",
    ];
    let is_own =
        |frame: &String| !foreign.iter().any(|f| frame.contains(f)) && !prefixes.iter().any(|p| frame.starts_with(p));
    frames.iter().position(is_own)
}

/// What the sandbox refused, with the line that would allow it. `said` is what the plugin logged and answered.
pub(super) fn refusals<'a>(said: impl Iterator<Item = &'a str>, plugin: &PluginInfo) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for line in said {
        let hint = if line.starts_with("refused ") {
            refusal(line, plugin)
        } else if NO_DIRECTORY.iter().any(|part| line.contains(part)) {
            "hint: a file is only there if the plugin asks for it: `.asks_read(\"{file}\")` or `.asks_write(\"{file}\")` in Rust, \
             `asks=[Read(\"{file}\")]` in Python, `asks: [{ read: \"{file}\" }]` in JavaScript, \
             `lockgate.AskRead(\"{file}\")` in Go, {LG_ASKS_READ, \"{file}\"} in C; `{file}` names the setting with its path"
                .to_owned()
        } else {
            continue;
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

fn refusal(line: &str, plugin: &PluginInfo) -> String {
    let (what, why) = line.trim_start_matches("refused ").split_once(": ").unwrap_or((line, ""));
    let is_http = what.starts_with("http");
    let not_granted = why.starts_with("no grant covers it");
    if not_granted {
        let (kind, place) = if is_http {
            ("http", what.split_once("://").map_or(what, |(_, place)| place))
        } else {
            ("tcp", what.trim_start_matches("tcp ").trim_start_matches("to resolve "))
        };
        let upper = kind.to_uppercase();
        let asked: Vec<String> = plugin.requests.iter().map(|request| format!("{request:?}")).collect();
        let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
        return format!(
            "hint: the plugin used {what} without asking for it (it asks for {asked}). Add the request to the plugin's description: \
             `.asks_{kind}(\"{place}\")` in Rust, `asks=[{}(\"{place}\")]` in Python, `asks: [{{ {kind}: \"{place}\" }}]` in JavaScript, \
             `lockgate.Ask{upper}(\"{place}\")` in Go, {{LG_ASKS_{upper}, \"{place}\"}} in C; `{{key}}` names a setting that \
             holds the address",
            if is_http { "Http" } else { "Tcp" },
        );
    }
    format!("hint: the sandbox refused {what}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trapped(backtrace: &[&str]) -> GuestError {
        let [package, version, class] = ["p", "1.0.0", "C"].map(str::to_owned);
        let backtrace = backtrace.iter().map(|frame| (*frame).to_owned()).collect();
        let failure = PluginFailure::Trap("why".to_owned());
        GuestError::Plugin(Box::new(PluginError { package, version, class, call: "put", failure, backtrace }))
    }

    #[test]
    fn the_authors_own_function_comes_first() {
        let error = trapped(&[
            "abort",
            "std::process::abort",
            "core::panicking::panic_fmt",
            "mine::deep (src/lib.rs:7)",
            "mine::put",
        ]);
        let said = lines(&error, std::iter::empty());
        assert_eq!(said[..3], ["`put` of C trapped: why", "  in mine::deep (src/lib.rs:7)", "  at mine::put"]);
        assert!(said[3].starts_with("hint: a panic or exception"), "{said:?}");
    }

    #[test]
    fn a_language_that_writes_its_own_trace_is_believed() {
        let log = [
            "RuntimeError: no",
            "    at deep (app.py:75)",
            "  at main.(*source).Poll (a/source.go:69)",
            "at noon (or so)",
        ];
        let said = lines(&trapped(&["wit_dylib_export_call"]), log.into_iter());
        assert_eq!(said[1..3], ["  in deep (app.py:75)", "  at main.(*source).Poll (a/source.go:69)"]);
    }
}
