//! `lockgate package test`: a package tried against scenarios, without a worker and without Kafka.
//!
//! Enters: a project or a component, files of scenarios. Leaves: a line for each scenario, what went wrong with those that
//! failed; for scripts the same as JSON and as `JUnit` XML. Invariant: the exit code is 0 only if every scenario that was chosen
//! held, and there was one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use lockgate_supervisor::rehearsal::{Bench, NoScenario, Verdict, Written, read, schema, write_recording};
use lockgate_wasm::{Compiler, EngineOptions};
use serde_json::{Value, json};

use super::{build, explain};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::clean;
use crate::{places, runtime};

/// Ends `--help`.
pub const HELP: &str = "\
A scenario is a JSON file: settings, steps, what is expected of each, what HTTP servers answer. docs/testing-plugins.md has the
format; `--schema` prints it for editors.

Examples:
  lockgate package test                                # the project here, its tests/*.json
  lockgate package test my_sink.wasm one.json --nocapture
  lockgate package test --record --filter pages        # asks the real server and writes its answers down";

/// Options of `package test`.
#[derive(Args, Debug)]
pub struct Test {
    /// A project, which is built first, or a package
    #[arg(default_value = ".", value_name = "DIR|FILE.wasm")]
    subject: PathBuf,
    /// Scenarios, or folders of them [default: tests/*.json of the project]
    #[arg(value_name = "SCENARIO.json")]
    scenarios: Vec<PathBuf>,
    /// Only scenarios whose name holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Shows what the plugin logs in every scenario, not only in those that fail
    #[arg(long)]
    nocapture: bool,
    /// Sends requests to the real servers and writes their answers into the scenarios, secrets masked
    #[arg(long)]
    record: bool,
    /// Writes the results to a file as `JUnit` XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Prints the JSON schema of a scenario
    #[arg(long)]
    schema: bool,
    /// Where compiled packages are kept [default: $`LOCKGATE_CACHE`/compiled, else ~/.cache/lockgate/compiled]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Runs it.
pub fn run(mut options: Test, screen: &mut Screen) -> Result<(), Failure> {
    if options.subject.extension().is_some_and(|e| e == "json") {
        // Only scenarios were named: the project is here.
        options.scenarios.insert(0, std::mem::replace(&mut options.subject, PathBuf::from(".")));
    }
    let options = &options;
    if options.schema {
        let text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
        return screen.print(&format!("{text}\n"));
    }
    let file = component(&options.subject)?;
    let (chosen, filtered) = chosen(options, &file)?;
    let began = Instant::now();
    let results = runtime::block_on(play(options, &file, &chosen, screen))?;
    let took = began.elapsed();
    let failed = results.verdicts.iter().filter(|verdict| verdict.failure.is_some()).count();
    let summary = Summary { failed, filtered, took };
    if screen.is_for_people() {
        screen.print(&text_of(&results, &summary, options.nocapture))?;
    }
    if let Some(path) = &options.junit {
        let written = std::fs::write(path, junit(&results, &summary));
        written.map_err(|cause| Failure::File { path: path.clone(), cause })?;
    }
    screen.report(&report(&results, &summary))?;
    if failed > 0 { Err(Failure::Several(failed, 1)) } else { Ok(()) }
}

/// What was played.
struct Results {
    package: String,
    file: PathBuf,
    verdicts: Vec<Verdict>,
}

struct Summary {
    failed: usize,
    filtered: usize,
    took: Duration,
}

async fn play(options: &Test, file: &Path, chosen: &[Written], screen: &mut Screen) -> Result<Results, Failure> {
    let engine = EngineOptions {
        cache_dir: Some(options.cache.clone().unwrap_or_else(|| places::cache().join("compiled"))),
        compiler: Compiler::Child { program: std::env::current_exe()?, args: vec!["__compile".into()] },
        ..EngineOptions::default()
    };
    let bench = Bench::open(engine, file).await.map_err(|error| {
        let message = error.to_string();
        let hint = explain::refusal(&message);
        Failure::build(message, hint.as_deref())
    })?;
    let package = format!("{} {}", bench.info().name, bench.info().version);
    let plural = if chosen.len() == 1 { "" } else { "s" };
    screen.tell(&format!("running {} scenario{plural} of {} ({})", chosen.len(), clean(&package), file.display()))?;
    let mut verdicts = Vec::with_capacity(chosen.len());
    for written in chosen {
        let mut verdict = bench.play(written, options.record).await;
        if options.record {
            // As it will be played: what was written is what counts.
            let written_down = write_recording(written, &verdict.recorded);
            written_down.map_err(|cause| Failure::File { path: written.file.clone(), cause })?;
            verdict.log.push(format!("INFO {} answers were recorded", verdict.recorded.len()));
        }
        let outcome = if verdict.failure.is_some() { "FAILED" } else { "ok" };
        screen.tell(&format!("test {} ... {outcome} ({} ms)", clean(&verdict.name), verdict.took.as_millis()))?;
        verdicts.push(verdict);
    }
    Ok(Results { package, file: file.to_owned(), verdicts })
}

/// The component of the subject; a project is built.
fn component(subject: &Path) -> Result<PathBuf, Failure> {
    if subject.is_dir() { build::build(subject) } else { Ok(subject.to_owned()) }
}

/// The scenarios that are wanted, and how many are not.
fn chosen(options: &Test, file: &Path) -> Result<(Vec<Written>, usize), Failure> {
    let mut files = Vec::new();
    for path in &options.scenarios {
        if path.is_dir() { files.extend(of_folder(path)) } else { files.push(path.clone()) }
    }
    if options.scenarios.is_empty() {
        let root = if options.subject.is_dir() { options.subject.clone() } else { project_of(file) };
        files = of_folder(&root.join("tests"));
        if files.is_empty() {
            return Err(Failure::Usage(format!(
                "there are no scenarios: neither {}/*.json nor one on the command line (docs/testing-plugins.md)",
                root.join("tests").display()
            )));
        }
    }
    let mut all = Vec::new();
    for file in &files {
        let invalid = |error: NoScenario| Failure::Invalid(error.to_string());
        all.extend(read(file, &name_of(file)).map_err(invalid)?);
    }
    let count = all.len();
    if let Some(filter) = &options.filter {
        all.retain(|written| written.name.contains(filter.as_str()));
    }
    if all.is_empty() {
        let filter = options.filter.as_deref().unwrap_or_default();
        return Err(Failure::Usage(format!("none of the {count} scenarios has `{filter}` in its name")));
    }
    let filtered = count - all.len();
    Ok((all, filtered))
}

/// Files of a folder that hold scenarios: JSON, by name.
fn of_folder(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    files
}

/// The nearest folder above a component that has `tests`, else the working directory.
fn project_of(file: &Path) -> PathBuf {
    let absolute = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let above = absolute.ancestors().skip(1).take(2).find(|dir| !of_folder(&dir.join("tests")).is_empty());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn name_of(file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy().into_owned());
    folder.map_or_else(|| name.clone(), |folder| format!("{folder}/{name}"))
}

fn text_of(results: &Results, summary: &Summary, nocapture: bool) -> String {
    let mut text = String::new();
    let shown = results.verdicts.iter().filter(|verdict| nocapture || verdict.failure.is_some());
    for verdict in shown {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n---- {} ----", clean(&verdict.name));
        if let Some(failure) = &verdict.failure {
            let _ = writeln!(text, "{}", clean(&failure.title()));
            for line in failure.lines.iter().flat_map(|line| line.lines()) {
                let _ = writeln!(text, "  {}", clean(line));
            }
        }
        if !verdict.log.is_empty() {
            let _ = writeln!(text, "  the plugin logged:");
        }
        for line in &verdict.log {
            let _ = writeln!(text, "    {}", clean(line));
        }
    }
    let outcome = if summary.failed == 0 { "ok" } else { "FAILED" };
    let _ = writeln!(
        text,
        "\ntest result: {outcome}. {} passed; {} failed; {} filtered out; finished in {:.2} s",
        results.verdicts.len() - summary.failed,
        summary.failed,
        summary.filtered,
        summary.took.as_secs_f64()
    );
    text
}

fn report(results: &Results, summary: &Summary) -> Value {
    let verdict = |verdict: &Verdict| {
        let failure = verdict.failure.as_ref().map(|f| json!({"step": f.step, "title": f.title(), "lines": f.lines}));
        json!({
            "name": verdict.name,
            "status": if failure.is_some() { "failed" } else { "ok" },
            "ms": millis(verdict.took),
            "failure": failure,
            "log": verdict.log,
        })
    };
    json!({
        "package": results.package,
        "file": results.file.display().to_string(),
        "passed": results.verdicts.len() - summary.failed,
        "failed": summary.failed,
        "filtered": summary.filtered,
        "ms": millis(summary.took),
        "results": results.verdicts.iter().map(verdict).collect::<Vec<_>>(),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// As continuous integration reads it.
fn junit(results: &Results, summary: &Summary) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3}\">\n",
        xml(&results.package),
        results.verdicts.len(),
        summary.failed,
        summary.took.as_secs_f64()
    );
    for verdict in &results.verdicts {
        let (name, time) = (xml(&verdict.name), verdict.took.as_secs_f64());
        // Writing to a String cannot fail.
        let _ = write!(text, "  <testcase classname=\"{}\" name=\"{name}\" time=\"{time:.3}\"", xml(&results.package));
        let Some(failure) = &verdict.failure else {
            text.push_str("/>\n");
            continue;
        };
        let lines: Vec<&str> = failure.lines.iter().map(String::as_str).collect();
        let _ = write!(
            text,
            ">\n    <failure message=\"{}\">{}</failure>\n    <system-out>{}</system-out>\n  </testcase>\n",
            xml(&failure.title()),
            xml(&lines.join("\n")),
            xml(&verdict.log.join("\n"))
        );
    }
    text.push_str("</testsuite>\n");
    text
}

/// Text in XML; characters that XML cannot hold are gone.
fn xml(text: &str) -> String {
    let names = BTreeMap::from([('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]);
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t') {
        match names.get(&c) {
            Some(name) => out.push_str(name),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_nothing_that_ends_its_text() {
        assert_eq!(xml("a<b>&\"c\"\u{7}\n"), "a&lt;b&gt;&amp;&quot;c&quot;\n");
    }

    #[test]
    fn a_scenario_is_called_by_its_folder_and_file() {
        assert_eq!(name_of(Path::new("x/tests/pages.json")), "tests/pages");
        assert_eq!(name_of(Path::new("pages.json")), "pages");
    }
}
