//! The two pipelines that `lockgate dev` shows.
//!
//! Enters: the directory, the receiver's address. Leaves: connectors, created where they are absent. Invariant: what a user
//! changed or paused stays as it is.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use lockgate_supervisor::view::CreateConnector;
use lockgate_supervisor::{ErrorKind, Handle, SupervisorError};

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// Read by the file source.
    pub input: PathBuf,
    /// Written by the file sink.
    pub output: PathBuf,
    /// Written by the receiver.
    pub received: PathBuf,
    /// The receiver.
    pub receiver: String,
}

impl Places {
    /// Below this directory.
    pub fn below(dir: &Path, receiver_port: u16) -> Self {
        Self {
            input: dir.join("in/lines.txt"),
            output: dir.join("out/orders.jsonl"),
            received: dir.join("received/lines.txt"),
            receiver: format!("127.0.0.1:{receiver_port}"),
        }
    }
}

/// What the file source finds the first time.
pub const SAMPLE: &str = "the first line\nthe second line\nand a third\n";

/// Creates what is absent.
pub async fn create(handle: &Handle, places: &Places) -> Result<(), SupervisorError> {
    let text = |path: &Path| path.display().to_string();
    let json = ("value.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned());
    let string = ("value.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned());
    let plain = ("value.converter.schemas.enable", "false".to_owned());
    let class = |class: &str| ("connector.class", class.to_owned());
    let connectors: [(&str, Vec<(&str, String)>); 4] = [
        (
            "orders",
            vec![
                class("lockgate.DatagenSource"),
                ("topic", "orders".to_owned()),
                ("template", "orders".to_owned()),
                ("rate", "5".to_owned()),
                json.clone(),
                plain.clone(),
            ],
        ),
        (
            "orders-to-file",
            vec![class("FileStreamSink"), ("topics", "orders".to_owned()), ("file", text(&places.output)), json, plain],
        ),
        (
            "lines",
            vec![
                class("FileStreamSource"),
                ("topic", "lines".to_owned()),
                ("file", text(&places.input)),
                string.clone(),
            ],
        ),
        (
            "lines-to-http",
            vec![
                class("HttpSink"),
                ("topics", "lines".to_owned()),
                ("http.url", format!("http://{}/lines", places.receiver)),
                ("http.content.type", "text/plain".to_owned()),
                string,
            ],
        ),
    ];
    for (name, config) in connectors {
        let config: IndexMap<String, Option<String>> =
            config.into_iter().map(|(key, value)| (key.to_owned(), Some(value))).collect();
        match handle.create(CreateConnector { name: name.to_owned(), config, initial_state: None }).await {
            Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
