//! `lockgate transform` and `lockgate convert`: chains, predicates and converters on records from a file or a pipe.
//!
//! Enters: a configuration in JSON, records as lines on standard input. Leaves: one answer for each line, in order, on
//! standard output. Invariant: memory does not grow with the input; the exit code is 0 when every line was answered, with
//! an error or without.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indexmap::IndexMap;
use lockgate_supervisor::preview::{
    BATCH_BYTES, BATCH_RECORDS, Conversion, Direction, Place, PreviewError, RecordKind, Subject, Trial, Workbench,
};
use lockgate_wasm::{Compiler, EngineOptions};
use serde_json::Value;

use crate::places;

/// Bytes of a line at most.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Ends `--help` of `lockgate transform`.
pub const TRANSFORM_HELP: &str = "\
chain.json is an object with a connector's `transforms`, `transforms.*`, `predicates`, `predicates.*`. A line in and out is
{\"topic\",\"partition\",\"offset\",\"timestamp\",\"keySchema\",\"key\",\"valueSchema\",\"value\",\"headers\":[{\"key\",\"schema\",\"value\"}]};
schemas are those of Kafka's JSON envelope (null: none), values its payloads. Other answers: {\"dropped\":true} and
{\"error\":{\"stage\":\"configure\"|\"apply\",\"class\",\"message\"}}. See docs/cli.md.

Examples:
  lockgate transform --config chain.json < in.jsonl > out.jsonl
  lockgate transform --predicate isTombstone --config chain.json < in.jsonl
  lockgate transform --package my.wasm --config chain.json < in.jsonl";

/// Ends `--help` of `lockgate convert`.
pub const CONVERT_HELP: &str = "\
A line is {\"hex\": \"...\"|null} for bytes, {\"schema\", \"value\"} for a value, as `lockgate transform` has them.

Examples:
  echo '{\"hex\":\"7b7d\"}' | lockgate convert --converter JsonConverter --config c.json --direction to-connect
  echo '{\"schema\":{\"type\":\"int32\"},\"value\":7}' | lockgate convert --converter IntegerConverter --direction from-connect";

/// Options of `lockgate transform`.
#[derive(Args, Debug)]
pub struct Transform {
    /// The chain: a JSON object
    #[arg(long)]
    config: PathBuf,
    /// On which side of Kafka the records are
    #[arg(long, value_enum, default_value = "sink")]
    kind: Kind,
    /// Tries a predicate instead: its alias, or its class with the configuration as its settings [default: the only one]
    #[arg(long, num_args = 0..=1, value_name = "ALIAS")]
    #[expect(clippy::option_option, reason = "clap's form for an option whose value may be left out")]
    predicate: Option<Option<String>>,
    /// A package of your own; may be repeated
    #[arg(long)]
    package: Vec<PathBuf>,
    #[command(flatten)]
    places: Places,
}

/// Where packages and their compiled code are.
#[derive(Args, Debug)]
struct Places {
    /// Bundled packages [default: dist/packages, else packages beside the binary]
    #[arg(long)]
    packages: Option<PathBuf>,
    /// Where compiled packages are kept [default: $`LOCKGATE_CACHE`/compiled, else ~/.cache/lockgate/compiled]
    #[arg(long)]
    cache: Option<PathBuf>,
}

/// Options of `lockgate convert`.
#[derive(Args, Debug)]
pub struct Convert {
    /// Class of the converter
    #[arg(long)]
    converter: String,
    /// Its settings: a JSON object [default: none]
    #[arg(long)]
    config: Option<PathBuf>,
    /// From topic bytes to a value, or back
    #[arg(long, value_enum)]
    direction: Way,
    /// Topic of the data
    #[arg(long, default_value = "topic")]
    topic: String,
    /// Which part of a record the data are [default: header for `SimpleHeaderConverter`, else value]
    #[arg(long, value_enum)]
    role: Option<Role>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Source,
    Sink,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    ToConnect,
    FromConnect,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Key,
    Value,
    Header,
}

/// Why lines were not answered.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Engine or packages.
    #[error(transparent)]
    Preview(Box<PreviewError>),
    /// Standard input or output.
    #[error("the records cannot be passed on: {0}")]
    Io(#[from] io::Error),
}

impl From<PreviewError> for CommandError {
    fn from(error: PreviewError) -> Self {
        Self::Preview(Box::new(error))
    }
}

/// Runs `lockgate transform`.
pub async fn transform(options: Transform) -> Result<(), CommandError> {
    let kind = match options.kind {
        Kind::Source => RecordKind::Source,
        Kind::Sink => RecordKind::Sink,
    };
    let subject = options.predicate.map_or(Subject::Chain, Subject::Predicate);
    let mut trial = match read_config(&options.config)? {
        Ok(config) => {
            let engine = EngineOptions {
                cache_dir: Some(options.places.cache.unwrap_or_else(|| places::cache().join("compiled"))),
                compiler: Compiler::Child { program: std::env::current_exe()?, args: vec!["__compile".into()] },
                ..EngineOptions::default()
            };
            let found = || places::packages().into_iter().find(|dir| places::holds_packages(dir));
            let bundled = options.places.packages.or_else(found);
            let mut bench = Workbench::open(engine, bundled.as_deref(), &options.package).await?;
            let config = config.into_iter().collect();
            bench.trial(&subject, &config, kind).await
        }
        Err(message) => Trial::refused(&message),
    };
    let (mut lines, mut output) = (Lines::of_stdin()?, io::BufWriter::new(io::stdout().lock()));
    while lines.read()? {
        let texts: Vec<&str> = lines.lines.iter().map(String::as_str).collect();
        for answer in trial.answer(&texts).await {
            writeln!(output, "{answer}")?;
        }
        if !lines.is_there() {
            output.flush()?;
        }
    }
    output.flush()?;
    trial.close().await;
    Ok(())
}

/// Runs `lockgate convert`.
pub async fn convert(options: Convert) -> Result<(), CommandError> {
    let direction = match options.direction {
        Way::ToConnect => Direction::ToConnect,
        Way::FromConnect => Direction::FromConnect,
    };
    let is_headers_own = options.converter.ends_with("SimpleHeaderConverter");
    let place = match (options.role, is_headers_own) {
        (Some(Role::Key), _) => Place::Key,
        (Some(Role::Header), _) | (None, true) => Place::Header,
        (Some(Role::Value), _) | (None, false) => Place::Value,
    };
    let settings = options.config.as_deref().map_or_else(|| Ok(Ok(IndexMap::new())), read_config)?;
    let settings = settings.map(|all| all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
    let mut conversion = match settings {
        Ok(settings) => Conversion::open(&options.converter, &settings, direction, place, &options.topic),
        Err(message) => Conversion::refused(&message),
    };
    let (mut lines, mut output) = (Lines::of_stdin()?, io::BufWriter::new(io::stdout().lock()));
    while lines.read()? {
        for line in &lines.lines {
            writeln!(output, "{}", conversion.answer(line).await)?;
        }
        if !lines.is_there() {
            output.flush()?;
        }
    }
    Ok(output.flush()?)
}

/// How a command ended.
pub fn conclude(outcome: Result<(), CommandError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the answers has had enough of them.
        Err(CommandError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("lockgate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Bytes of the input that are read at once.
const INPUT_BYTES: usize = 256 << 10;

/// The input, some lines at a time.
struct Lines {
    input: BufReader<File>,
    lines: Vec<String>,
}

impl Lines {
    fn of_stdin() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self { input: BufReader::with_capacity(INPUT_BYTES, input), lines: Vec::new() })
    }

    /// Waits for a line and takes those that are there with it, up to a batch; false at the end. What is longer than a line
    /// may be is cut, and then is no JSON.
    fn read(&mut self) -> io::Result<bool> {
        self.lines.clear();
        let mut bytes = 0;
        while self.lines.is_empty() || (self.is_there() && self.lines.len() < BATCH_RECORDS && bytes < BATCH_BYTES) {
            let mut line = Vec::new();
            let max = LINE_BYTES_MAX as u64;
            if self.input.by_ref().take(max).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() as u64 == max {
                self.input.skip_until(b'\n')?;
            }
            bytes += line.len();
            self.lines
                .push(String::from_utf8(line).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()));
        }
        Ok(!self.lines.is_empty())
    }

    /// True if a line can be read without waiting: whoever writes the input may wait for the answers before it writes more.
    fn is_there(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }
}

/// A JSON object of scalars; the inner error is what is wrong with it.
fn read_config(path: &Path) -> Result<Result<IndexMap<String, Option<String>>, String>, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|cause| CommandError::Config { path: path.to_owned(), cause })?;
    let all: IndexMap<String, Value> = match serde_json::from_str(&text) {
        Ok(all) => all,
        Err(error) => return Ok(Err(format!("{} is no JSON object: {error}", path.display()))),
    };
    let scalar = |(key, value): (String, Value)| match value {
        Value::Null => Ok((key, None)),
        Value::String(text) => Ok((key, Some(text))),
        Value::Bool(_) | Value::Number(_) => Ok((key, Some(value.to_string()))),
        Value::Array(_) | Value::Object(_) => Err(format!("{key} is neither text, a number nor a boolean")),
    };
    Ok(all.into_iter().map(scalar).collect())
}
