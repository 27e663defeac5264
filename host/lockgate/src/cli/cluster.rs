//! `lockgate cluster`.
//!
//! Enters: nothing. Leaves: which worker answers, for which Kafka cluster, and how it is. Invariant: a worker that is starting or
//! unhealthy is still described; the exit code says that it is not well.

use clap::Subcommand;
use serde_json::Value;

use super::failure::Failure;
use super::remote::Remote;
use super::screen::Screen;
use super::status::text;
use super::table::Table;

/// Commands of `lockgate cluster`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Shows version, Kafka cluster, health, and how many connectors and packages there are
    Info,
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let Command::Info = command;
    let answer = remote.get("/")?;
    if !screen.is_for_people() {
        return screen.show(&answer, |_| Ok(String::new()));
    }
    let root = answer.json()?;
    let mut table = Table::new(&["WORKER", &text(&root["version"])]);
    table.row(["commit".to_owned(), text(&root["commit"])]);
    table.row(["kafka cluster".to_owned(), text(&root["kafka_cluster_id"])]);
    let health = remote.get("/health");
    let said = match &health {
        Ok(answer) => text(&answer.json()?["message"]),
        Err(failure) => failure.to_string(),
    };
    table.row(["health".to_owned(), said]);
    if health.is_ok() {
        let connectors = remote.get("/connectors")?.json()?;
        table.row(["connectors".to_owned(), count(&connectors)]);
        // A worker of Kafka Connect has none.
        if let Some(packages) = remote.find("/packages")? {
            table.row(["packages".to_owned(), count(&packages.json()?)]);
        }
    }
    screen.print(&table.text())?;
    health.map(drop)
}

fn count(list: &Value) -> String {
    list.as_array().map_or(0, Vec::len).to_string()
}
