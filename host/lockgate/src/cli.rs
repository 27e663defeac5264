//! The commands that speak to a worker over its REST API: `lockgate connector`, `plugin`, `package`, `cluster`, `logger`.
//!
//! Enters: a parsed command line. Leaves: tables for people, the REST objects for scripts, and an exit status that says
//! which kind of failure it was (`failure`). Invariant: REST only, nothing of the rooms below; every wait has a deadline,
//! and what a server sent never reaches a terminal with its control characters.

mod apply;
mod change;
mod cluster;
mod completion;
mod connector;
mod documents;
mod failure;
mod logger;
mod logs;
mod offsets;
mod package;
mod plugin;
mod remote;
mod screen;
mod secrets;
mod status;
mod table;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use failure::Failure;
use remote::{Options, Remote};
use screen::Screen;

/// Exit codes, for the end of `--help`.
pub const EXIT_CODES: &str = "\
Exit codes of the commands that speak to a worker:
  0 done                      5 invalid configuration or input
  1 any other failure         6 server unreachable, or no answer in time
  2 wrong command line        7 not authenticated, or not allowed
  3 not found                 8 --wait: deadline passed
  4 conflict                  9 --wait: the connector or a task FAILED";

/// Commands for a running worker.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists, creates, changes and removes connectors
    #[command(visible_alias = "connectors", after_help = EXIT_CODES)]
    Connector(Group<connector::Command>),
    /// Lists plugins, shows their settings, checks configurations
    #[command(visible_alias = "plugins", after_help = EXIT_CODES)]
    Plugin(Group<plugin::Command>),
    /// Uploads, lists and removes packages of plugins (.wasm files)
    #[command(visible_alias = "packages", after_help = EXIT_CODES)]
    Package(Group<package::Command>),
    /// Says which worker and which Kafka cluster the server is, and how it is
    #[command(after_help = EXIT_CODES)]
    Cluster(Group<cluster::Command>),
    /// Lists and sets log levels
    #[command(visible_alias = "loggers", after_help = EXIT_CODES)]
    Logger(Group<logger::Command>),
    /// Prints a completion script, for example: source <(lockgate completion bash)
    Completion {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// A group of commands and the options that they all have.
#[derive(Args, Debug)]
pub struct Group<C: Subcommand> {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: C,
}

/// `lockgate worker info`: another name of `lockgate cluster info`.
#[derive(Subcommand, Debug)]
pub enum WorkerCommand {
    /// Says which worker answers and how it is: the same as `lockgate cluster info`
    #[command(after_help = EXIT_CODES)]
    Info(Options),
}

/// Runs it.
pub fn worker(WorkerCommand::Info(options): WorkerCommand) -> ExitCode {
    let outcome = open(Group { options, command: cluster::Command::Info }, cluster::run);
    outcome.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

/// Runs a command. `program` is the whole command line, for completion.
pub fn run(command: Command, program: clap::Command) -> ExitCode {
    let outcome = match command {
        Command::Connector(group) => open(group, connector::run),
        Command::Plugin(group) => open(group, plugin::run),
        Command::Package(group) => open(group, package::run),
        Command::Cluster(group) => open(group, cluster::run),
        Command::Logger(group) => open(group, logger::run),
        Command::Completion { shell } => completion::run(shell, program),
    };
    outcome.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

fn open<C: Subcommand>(
    group: Group<C>,
    run: impl FnOnce(C, &Remote, &mut Screen) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut screen = Screen::new(group.options.output);
    let remote = Remote::new(group.options)?;
    run(group.command, &remote, &mut screen)
}

/// Does something with each; one that fails does not stop the others.
fn for_each<T>(
    all: impl IntoIterator<Item = T>,
    mut deed: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut outcome = Ok(());
    for one in all {
        outcome = Failure::both(outcome, deed(one));
    }
    outcome
}
