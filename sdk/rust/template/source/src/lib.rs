//! A source that writes a record each interval, numbered on across restarts: change it into yours.
//!
//! Enters: the stored position, the clock. Leaves: records, each with the position that holds once it is delivered.

use std::time::{Duration, Instant};

use lockgate_sdk::{BatchBuilder, Config, Description, Encoding, Fault, Next, Position, Source, Task, log};

struct MySource {
    topic: String,
    interval: Duration,
    beat: u64,
    next: Instant,
}

impl Source for MySource {
    fn describe() -> Description {
        Description::new("com.example.MySource").doc("Writes a record each interval.").encoding(Encoding::Json).config(
            Config::new()
                .string("topic")
                .required()
                .non_empty()
                .doc("The topic to write to.")
                .long("interval.ms")
                .default(1000)
                .between(1.0, 60_000.0)
                .doc("Milliseconds between two records."),
        )
    }

    fn open(mut task: Task, positions: &[Position]) -> Result<Self, Fault> {
        let (topic, interval) = (task.config.string("topic"), task.config.millis("interval.ms"));
        task.config.finish()?;
        // The text of a partition is its identity: the same each time.
        let partition = partition(&topic);
        let stored = positions.iter().find(|position| position.partition == partition);
        let beat = stored.map_or(Ok(0), |position| beat(&position.offset))?;
        log::info!("writing to {topic} after record {beat}");
        Ok(Self { topic, interval, beat, next: Instant::now() })
    }

    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        let wait = self.next.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Ok(Next::After(wait));
        }
        self.next = Instant::now() + self.interval;
        self.beat += 1;
        let topic = out.topic(&self.topic);
        out.record(topic).value(Some(format!("{{\"beat\":{}}}", self.beat).as_bytes())).push();
        out.position(partition(&self.topic), format!("{{\"beat\":{}}}", self.beat));
        Ok(Next::After(self.interval))
    }
}

/// The source partition, as JSON.
fn partition(topic: &str) -> String {
    format!("{{\"heart\":\"{topic}\"}}")
}

/// The number in a stored offset.
fn beat(offset: &str) -> Result<u64, Fault> {
    let number = offset.strip_prefix("{\"beat\":").and_then(|rest| rest.strip_suffix('}'));
    let parsed = number.and_then(|number| number.parse().ok());
    parsed.ok_or_else(|| Fault::fatal("my.position", format!("{offset} is no position of this source")))
}

lockgate_sdk::package! { name: "my-source", version: env!("CARGO_PKG_VERSION"), sources: [MySource] }

#[cfg(test)]
mod tests {
    use lockgate_sdk::Schemas;

    use super::*;

    #[test]
    fn records_are_numbered_on_from_the_stored_position() {
        let stored = beat("{\"beat\":7}").unwrap_or_default();
        let interval = Duration::from_secs(1);
        let mut source = MySource { topic: "t".to_owned(), interval, beat: stored, next: Instant::now() };
        let mut out = BatchBuilder::new(&Schemas::default(), 10, 1000);
        assert!(matches!(source.poll(&mut out), Ok(Next::After(_))));
        assert_eq!(out.positions()[0].0.offset, "{\"beat\":8}");
        assert_eq!(out.into_batch().record(0).value(), Some(b"{\"beat\":8}".as_slice()));
    }

    #[test]
    fn a_position_of_somebody_else_is_refused() {
        assert!(beat("{\"line\":7}").is_err());
    }
}
