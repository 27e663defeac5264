//! `lockgate connector offsets`.
//!
//! Enters: positions, as `TOPIC:PARTITION=OFFSET` or as Connect's JSON. Leaves: the calls of KIP-875. Invariant: nothing is
//! stopped on the user's behalf; a connector that is not STOPPED is refused by the worker.

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::documents;
use super::failure::Failure;
use super::remote::{Answer, Remote, path};
use super::screen::Screen;
use super::status::text;
use super::table::{Table, clean};

/// Commands of `lockgate connector offsets`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Shows the offsets
    Get {
        /// The connector
        name: String,
    },
    /// Sets offsets of a STOPPED connector
    Set {
        /// The connector
        name: String,
        /// Offsets of a sink: where it goes on reading; null = as if it never had read there
        #[arg(value_name = "TOPIC:PARTITION=OFFSET", value_parser = position, required_unless_present = "file")]
        positions: Vec<Value>,
        /// The JSON of GET, changed; - for standard input
        #[arg(short, long, value_name = "PATH", conflicts_with = "positions")]
        file: Option<PathBuf>,
    },
    /// Removes all offsets of a STOPPED connector: it begins anew
    Reset {
        /// The connector
        name: String,
    },
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::Get { name } => screen.show(&remote.get(&address(&name))?, |body| Ok(table(body))),
        Command::Set { name, positions, file } => {
            let body = match file {
                Some(file) => from_file(&file)?,
                None => json!({"offsets": positions}),
            };
            said(&remote.send(&Method::PATCH, &address(&name), &body)?, screen)
        }
        Command::Reset { name } => said(&remote.delete(&address(&name))?, screen),
    }
}

fn address(name: &str) -> String {
    path(&["connectors", name, "offsets"])
}

fn said(answer: &Answer, screen: &mut Screen) -> Result<(), Failure> {
    screen.show(answer, |body| Ok(format!("{}\n", clean(&text(&body["message"])))))
}

fn from_file(path: &std::path::Path) -> Result<Value, Failure> {
    let invalid = |what: String| Failure::Invalid(format!("{}: {what}", path.display()));
    let value: Value = serde_json::from_str(&documents::read_text(path)?).map_err(|e| invalid(e.to_string()))?;
    match value {
        Value::Array(_) => Ok(json!({"offsets": value})),
        Value::Object(_) => Ok(value),
        _ => Err(invalid("{\"offsets\": [{\"partition\": .., \"offset\": ..}]} is needed".to_owned())),
    }
}

fn position(text: &str) -> Result<Value, String> {
    let needed = "TOPIC:PARTITION=OFFSET is needed, for example orders:0=42 or orders:0=null";
    let (place, offset) = text.rsplit_once('=').ok_or(needed)?;
    let (topic, partition) = place.rsplit_once(':').filter(|(topic, _)| !topic.is_empty()).ok_or(needed)?;
    let partition: u32 = partition.parse().map_err(|_| needed)?;
    let offset = match offset {
        "null" => Value::Null,
        number => json!({"kafka_offset": number.parse::<u64>().map_err(|_| needed)?}),
    };
    Ok(json!({"partition": {"kafka_topic": topic, "kafka_partition": partition}, "offset": offset}))
}

fn table(body: &Value) -> String {
    let offsets = body["offsets"].as_array().map_or(&[][..], Vec::as_slice);
    let is_sink = !offsets.is_empty() && offsets.iter().all(|entry| entry["partition"]["kafka_topic"].is_string());
    let mut table = if is_sink {
        Table::new(&["TOPIC", "PARTITION", "OFFSET"])
    } else {
        Table::new(&["SOURCE PARTITION", "SOURCE OFFSET"])
    };
    for entry in offsets {
        let (partition, offset) = (&entry["partition"], &entry["offset"]);
        if is_sink {
            table.row([
                text(&partition["kafka_topic"]),
                text(&partition["kafka_partition"]),
                text(&offset["kafka_offset"]),
            ]);
        } else {
            table.row([text(partition), text(offset)]);
        }
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_a_topic_a_partition_and_an_offset() {
        let expected =
            json!({"partition": {"kafka_topic": "a:b", "kafka_partition": 3}, "offset": {"kafka_offset": 42}});
        assert_eq!(position("a:b:3=42"), Ok(expected));
        assert_eq!(position("t:0=null").map(|p| p["offset"].clone()), Ok(Value::Null));
        for wrong in ["t=1", "t:0", ":0=1", "t:x=1", "t:0=-1", "t:0="] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn offsets_of_sinks_have_columns_and_those_of_sources_are_objects() {
        let sink = json!({"offsets": [position("t:0=5").expect("it is right")]});
        assert_eq!(table(&sink), "TOPIC  PARTITION  OFFSET\nt      0          5\n");
        let source = json!({"offsets": [{"partition": {"f": "x"}, "offset": {"pos": 7}}]});
        assert_eq!(table(&source), "SOURCE PARTITION  SOURCE OFFSET\n{\"f\":\"x\"}         {\"pos\":7}\n");
    }
}
