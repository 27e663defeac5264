//! The source of the contract: numbered records.
//!
//! Enters: settings and a stored position. Leaves: records that are a function of their number. Invariant: the position
//! names the next number, as text.

use std::time::Duration;

use lockgate_sdk::{
    BatchBuilder, ConfigValue, Connector, Description, Encoding, Fault, Formats, Next, Position, Settings, Source,
    Task, TaskSettings, log, metrics,
};

const SCHEMA: &str = r#"{"type":"string","optional":true}"#;

pub struct Reference {
    mode: String,
    formats: Formats,
    partition: String,
    topic: String,
    next: u64,
    end: u64,
    per_poll: usize,
}

impl Source for Reference {
    fn describe() -> Description {
        crate::description("ref.Source").alias("reference-source")
    }

    fn validate(config: &Settings) -> Vec<ConfigValue> {
        crate::validate(config)
    }

    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        crate::tasks(connector, max)
    }

    fn open(task: Task, positions: &[Position]) -> Result<Self, Fault> {
        let mode = crate::open("ref.Source", &task)?;
        let text = |key: &str, default: &str| task.config.raw(key).unwrap_or(default).to_owned();
        let number = |key: &str, default: &str| text(key, default).parse::<u64>().unwrap_or(0);
        let id = text("task.id", &task.number.to_string());
        let partition = format!(r#"{{"source":"{id}"}}"#);
        let stored = positions.iter().find(|p| p.partition == partition);
        let digits = |p: &Position| p.offset.chars().filter(char::is_ascii_digit).collect::<String>();
        let start = number("start", "0");
        let next = stored.and_then(|p| digits(p).parse().ok());
        log::info!("ref: resume {}", next.unwrap_or(0));
        Ok(Self {
            mode,
            formats: task.formats,
            partition,
            topic: text("topic", "ref-topic"),
            next: next.unwrap_or(start),
            end: start + number("count", "10"),
            per_poll: text("per.poll", "4").parse().unwrap_or(4),
        })
    }

    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        match std::mem::take(&mut self.mode).as_str() {
            "poll-retriable" => {
                return Err(Fault::retriable("ref.poll", "not yet").after(Duration::from_millis(100)));
            }
            "poll-fatal" => return Err(Fault::fatal("ref.poll", "fatal on demand")),
            "panic" => crate::ref_panics_here(),
            mode => mode.clone_into(&mut self.mode),
        }
        let topic = out.topic(&self.topic);
        while self.next < self.end && out.len() < self.per_poll && !out.is_full() {
            self.write(out, topic);
            self.next += 1;
        }
        if out.is_empty() {
            return Ok(Next::Done);
        }
        out.position(self.partition.as_str(), format!(r#"{{"n":"{}"}}"#, self.next));
        if self.mode == "state" {
            crate::add_to_total(out.len())?;
        }
        Ok(Next::Now)
    }

    fn committed(&mut self, positions: &[Position]) -> Result<(), Fault> {
        if let Some(last) = positions.last() {
            log::info!("ref: committed {}", last.offset);
        }
        metrics::add("ref_committed", 1.0);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        log::info!("ref: close ref.Source");
        Ok(())
    }
}

impl Reference {
    fn write(&self, out: &mut BatchBuilder, topic: lockgate_sdk::TopicId) {
        let n = self.next;
        let schema = if self.mode == "schema" { out.schema(SCHEMA) } else { 0 };
        let text = |encoding: Encoding, text: String| crate::quoted(encoding, &text);
        let key = (n % 5 != 2).then(|| text(self.formats.key, format!("k{n}")));
        let value = match n % 5 {
            4 => None,
            3 => Some(text(self.formats.value, format!("żółw-{n}-🐢"))),
            _ => Some(text(self.formats.value, format!("v{n}"))),
        };
        let header = text(self.formats.header, n.to_string());
        let timestamp = 1_700_000_000_000 + i64::try_from(n % 1000).unwrap_or(0);
        out.record(topic)
            .key(key.as_deref().map(str::as_bytes))
            .value(value.as_deref().map(str::as_bytes))
            .header("n", Some(header.as_bytes()))
            .timestamp(timestamp)
            .key_schema(schema)
            .value_schema(schema)
            .push();
    }
}
