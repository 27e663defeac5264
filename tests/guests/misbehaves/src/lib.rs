//! Does one wrong thing (`do`) at one place (`at`).
//!
//! Enters: settings that say what and where. Leaves: harm, or a try at it. Invariant: elsewhere it behaves: the source
//! gives endless records, the sink takes all, the transform keeps all.

mod deeds;

use std::time::Duration;

use deeds::Deed;
use lockgate_sdk::{
    Batch, BatchBuilder, Config, ConfigValue, Connector, Description, Edit, Encoding, Fault, Flow, Next, Place,
    Position, Report, RowFault, Settings, Sink, Source, Task, TaskSettings, Transform,
};

fn description(class: &str) -> Description {
    Description::new(class).encoding(Encoding::Bytes).encoding(Encoding::Json).asks_tcp("{reach}").config(
        Config::new()
            .string("at")
            .default("never")
            .doc("validate, tasks, open, assigned, poll, put, committed, prepare-commit, revoked, apply or close.")
            .string("do")
            .default("nothing")
            .doc("What to do there; see deeds.rs.")
            .long("after")
            .default(0)
            .doc("How many calls of that place go well before.")
            .string("target")
            .default("")
            .doc("A path, an address or a URL to try.")
            .string("reach")
            .default("")
            .doc("Asks to reach this address by TCP."),
    )
}

fn validate(config: &Settings) -> Vec<ConfigValue> {
    Deed::of(&mut config.clone()).at("validate");
    Vec::new()
}

fn tasks(connector: &Connector, max: u32) -> TaskSettings {
    let mut deed = Deed::of(&mut connector.config.clone());
    deed.at("tasks");
    let mut tasks = vec![connector.config.pairs().to_vec(); max.max(1) as usize];
    if deed.wavers()
        && let Some(first) = tasks.first_mut()
    {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        first.push(("made".to_owned(), now.as_nanos().to_string()));
    }
    tasks
}

fn open(mut task: Task) -> Deed {
    let mut deed = Deed::of(&mut task.config);
    deed.at("open");
    deed
}

struct BadSource {
    deed: Deed,
    n: u64,
}

impl Source for BadSource {
    fn describe() -> Description {
        description("bad.Source")
    }
    fn validate(config: &Settings) -> Vec<ConfigValue> {
        validate(config)
    }
    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        Ok(tasks(connector, max))
    }
    fn open(task: Task, _positions: &[Position]) -> Result<Self, Fault> {
        Ok(Self { deed: open(task), n: 0 })
    }
    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        self.deed.at("poll");
        let topic = out.topic("bad-topic");
        for _ in 0..10 {
            out.record(topic).value(Some(b"x")).push();
            self.n += 1;
        }
        out.position("{\"p\":0}", format!("{{\"n\":{}}}", self.n));
        Ok(Next::After(Duration::from_millis(10)))
    }
    fn committed(&mut self, _positions: &[Position]) -> Result<(), Fault> {
        self.deed.at("committed");
        Ok(())
    }
    fn close(&mut self) -> Result<(), Fault> {
        self.deed.at("close");
        Ok(())
    }
}

struct BadSink {
    deed: Deed,
}

impl Sink for BadSink {
    fn describe() -> Description {
        description("bad.Sink")
    }
    fn validate(config: &Settings) -> Vec<ConfigValue> {
        validate(config)
    }
    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        Ok(tasks(connector, max))
    }
    fn open(task: Task) -> Result<Self, Fault> {
        Ok(Self { deed: open(task) })
    }
    fn assigned(&mut self, _partitions: &[Place]) -> Result<Vec<Place>, Fault> {
        self.deed.at("assigned");
        Ok(Vec::new())
    }
    fn revoked(&mut self, _partitions: &[Place]) -> Result<(), Fault> {
        self.deed.at("revoked");
        Ok(())
    }
    fn put(&mut self, _batch: &Batch) -> Result<Report, Fault> {
        self.deed.at("put");
        Ok(Report::all_taken())
    }
    fn prepare_commit(&mut self, offsets: Vec<Place>) -> Result<Vec<Place>, Fault> {
        self.deed.at("prepare-commit");
        Ok(offsets)
    }
    fn close(&mut self) -> Result<(), Fault> {
        self.deed.at("close");
        Ok(())
    }
}

struct BadTransform {
    deed: Deed,
}

impl Transform for BadTransform {
    fn describe() -> Description {
        description("bad.Transform")
    }
    fn validate(config: &Settings) -> Vec<ConfigValue> {
        validate(config)
    }
    fn open(task: Task) -> Result<Self, Fault> {
        Ok(Self { deed: open(task) })
    }
    fn apply(&mut self, _record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        self.deed.at("apply");
        Ok(Flow::Keep)
    }
}

lockgate_sdk::package! {
    name: "misbehaves",
    version: env!("CARGO_PKG_VERSION"),
    sources: [BadSource],
    sinks: [BadSink],
    transforms: [BadTransform],
}
