//! The `lockgate` binary: arguments, wiring, signals.
//!
//! Enters: a command line. Leaves: a worker, or the message why there is none (exit status 1; 2 for a wrong command line); or
//! the answer of a worker that runs elsewhere (`cli`).
//! Invariant: nothing is decided here; each command is a module, and the rooms below do not know that there is a binary.

mod child;
mod cli;
mod dev;
mod logging;
mod places;
mod preview;
mod runtime;
mod settings;
mod signals;
mod standalone;
mod worker;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

/// Bounded in arenas and quick to give memory back: what a worker holds while it idles is what it needs. Its settings are
/// compiled in, see `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Connectors and transforms for Kafka as WebAssembly components.
///
/// `dev`, `worker` and `standalone` start a worker; `transform` and `convert` try things on records without one; the other
/// commands speak to a worker over its REST API.
#[derive(Parser, Debug)]
#[command(name = "lockgate", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Starts a worker with a Kafka of its own and two pipelines, on loopback
    #[command(after_help = DEV_HELP)]
    Dev(Dev),
    /// Starts a worker that keeps its state in Kafka: configs, offsets and status in compacted topics
    #[command(after_help = WORKER_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Worker {
        #[command(subcommand)]
        command: Option<cli::WorkerCommand>,
        /// Kafka Connect's properties of a distributed worker
        #[arg(required = true)]
        properties: Option<PathBuf>,
    },
    /// Starts a worker that keeps source offsets in a file and runs the given connectors
    #[command(after_help = STANDALONE_HELP)]
    Standalone {
        /// Kafka Connect's properties of a standalone worker
        properties: PathBuf,
        /// Connectors: a JSON object of strings, the JSON of POST /connectors, or Java properties
        connectors: Vec<PathBuf>,
    },
    /// Runs a chain of transforms, or a predicate, on records from standard input
    #[command(after_help = preview::TRANSFORM_HELP)]
    Transform(preview::Transform),
    /// Runs a converter on data from standard input
    #[command(after_help = preview::CONVERT_HELP)]
    Convert(preview::Convert),
    #[command(flatten)]
    Client(cli::Command),
    /// Compiles one package, read from standard input
    #[command(name = "__compile", hide = true)]
    Compile,
    /// Becomes another program that dies with its parent
    #[command(name = "__child", hide = true)]
    Child {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

const DEV_HELP: &str = "\
The first Ctrl-C stops cleanly, a second one at once; starting again goes on where it stopped.

Examples:
  lockgate dev
  lockgate dev --rest-port 18083 --kafka-port 19092 --receiver-port 18084 --dir /tmp/lockgate";

const WORKER_HELP: &str = "\
The keys are those of connect-distributed.properties, and lockgate.* beside them (docs/config.md). RUST_LOG chooses what
is logged: RUST_LOG=debug, RUST_LOG=warn,lockgate::access=info. The first SIGINT or SIGTERM drains the tasks and stops, a
second one stops at once.

Examples:
  lockgate worker connect-distributed.properties
  lockgate connector apply -f connectors/        # in another terminal";

const STANDALONE_HELP: &str = "\
The keys are those of connect-standalone.properties, and lockgate.* beside them (docs/config.md). A connector that is
refused ends the worker with the reason.

Examples:
  lockgate standalone connect-standalone.properties file-source.json file-sink.properties";

/// Options of `lockgate dev`.
#[derive(Args, Debug)]
pub struct Dev {
    /// Where data, logs and properties are kept between runs
    #[arg(long, default_value = ".lockgate/dev")]
    dir: PathBuf,
    /// Port of the REST API
    #[arg(long, default_value_t = 8083)]
    rest_port: u16,
    /// Port of the Kafka broker; its controller takes the next one
    #[arg(long, default_value_t = 9092)]
    kafka_port: u16,
    /// Port of the receiver that the http pipeline sends to
    #[arg(long, default_value_t = 8084)]
    receiver_port: u16,
    /// Kafka's jars [default: those that `make run` fetched, in $`LOCKGATE_CACHE` or ~/.cache/lockgate]
    #[arg(long)]
    kafka_jars: Option<PathBuf>,
    /// Bundled packages [default: dist/packages, else packages beside the binary]
    #[arg(long)]
    packages: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Compile => lockgate_wasm::compile_main(),
        Command::Client(command) => cli::run(command, Cli::command()),
        Command::Transform(options) => {
            logging::install();
            preview::conclude(runtime::block_on(preview::transform(options)))
        }
        Command::Convert(options) => preview::conclude(runtime::block_on(preview::convert(options))),
        Command::Child { args } => child::become_program(&args),
        Command::Dev(options) => run(|| runtime::block_on(dev::run(options))),
        Command::Worker { command: Some(command), .. } => cli::worker(command),
        Command::Worker { properties, .. } => {
            run(|| runtime::block_on(worker::distributed(&properties.unwrap_or_default()))) // clap requires it
        }
        Command::Standalone { properties, connectors } => {
            run(|| runtime::block_on(standalone::run(&properties, &connectors)))
        }
    }
}

fn run<E: std::error::Error>(command: impl FnOnce() -> Result<(), E>) -> ExitCode {
    logging::install();
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lockgate: {error}");
            ExitCode::FAILURE
        }
    }
}
