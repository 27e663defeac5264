//! `lockgate logger`.
//!
//! Enters: names and levels. Leaves: Kafka Connect's calls for loggers. Invariant: levels are the worker's to judge.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::failure::Failure;
use super::remote::{Remote, path};
use super::screen::Screen;
use super::status::text;
use super::table::{Table, clean};

/// Commands of `lockgate logger`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists loggers with their levels
    #[command(visible_alias = "ls")]
    List,
    /// Sets the level of a logger and of those below it
    Set {
        /// Logger; root = all
        logger: String,
        /// TRACE, DEBUG, INFO, WARN, ERROR or OFF
        level: String,
        /// On this worker only, or on all of the cluster
        #[arg(long, value_parser = ["worker", "cluster"], default_value = "worker")]
        scope: String,
    },
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::List => screen.show(&remote.get("/admin/loggers")?, |loggers| Ok(list(loggers))),
        Command::Set { logger, level, scope } => {
            let path = format!("{}?scope={scope}", path(&["admin", "loggers", &logger]));
            let answer = remote.send(&Method::PUT, &path, &json!({"level": level}))?;
            if answer.body.is_empty() {
                return screen.tell(&format!("{}: {} asked of all workers", clean(&logger), clean(&level)));
            }
            screen.show(&answer, |changed| {
                let names = changed.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
                let names = if names.is_empty() { "nothing, it was so".to_owned() } else { names.join(", ") };
                Ok(format!("changed: {}\n", clean(&names)))
            })
        }
    }
}

fn list(loggers: &Value) -> String {
    let mut table = Table::new(&["LOGGER", "LEVEL"]);
    for (name, logger) in loggers.as_object().into_iter().flatten() {
        table.row([name.clone(), text(&logger["level"])]);
    }
    table.text()
}
