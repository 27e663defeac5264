//! Made-up records: orders, users, clicks, sensors, or bytes of a given size.
//!
//! Enters: a seed, a rate, a number. Leaves: record n, a pure function of (seed, task, n). Invariant: after a restart the
//! records go on with the number after the last stored one, and are those that would have come without it.

mod template;

use std::time::{Duration, Instant, SystemTime};

use lockgate_sdk::{
    BatchBuilder, Change, Config, Connector, Description, Encoding, Fault, Importance, Next, Position, Source, Task,
    TaskSettings,
};
use template::Template;

/// Where nothing is due: the shortest wait, so that a high rate comes in batches.
const WAIT_MIN: Duration = Duration::from_millis(5);

struct Datagen {
    template: Template,
    topic: String,
    /// Records a second; 0 = no limit.
    rate: f64,
    count: Option<u64>,
    partition: String,
    next: u64,
    began: Instant,
    began_at: u64,
}

impl Source for Datagen {
    fn describe() -> Description {
        Description::new("lockgate.DatagenSource")
            .alias("DatagenSource")
            .alias("datagen")
            .alias("io.confluent.kafka.connect.datagen.DatagenConnector")
            .doc("Makes up records of a known shape: for trying out, for tests and for benchmarks.")
            .encoding(Encoding::Json)
            .encoding(Encoding::Bytes)
            .config(keys())
    }

    fn tasks(connector: &Connector, max: u32) -> Result<TaskSettings, Fault> {
        Ok(vec![connector.config.pairs().to_vec(); max.max(1) as usize])
    }

    fn alter_offsets(_: &Connector, changes: &[Change]) -> Result<bool, Fault> {
        for Change { partition, offset } in changes {
            let Some(offset) = offset else { continue };
            if stored_number(offset).is_err() {
                let text = format!("the offset {offset} is not {{\"n\":<number>}}, the number of the next record");
                return Err(Fault::offsets(text));
            }
            if !is_task(partition) {
                return Err(Fault::offsets(format!("the partition {partition} is not {{\"task\":<number>}}")));
            }
        }
        Ok(true)
    }

    fn open(mut task: Task, positions: &[Position]) -> Result<Self, Fault> {
        let c = &mut task.config;
        let topic = c.string("topic");
        let (rate, count, seed, size) = (c.double("rate"), c.long("count"), c.long("seed"), c.count("size"));
        let name = c.choice("template");
        let field = c.optional("key.field").filter(|f| !f.is_empty());
        let stream = seed.cast_unsigned() ^ u64::from(task.number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let json = task.formats.value == Encoding::Json;
        let template = Template::new(&name, stream, field.as_deref(), size, json);
        if let Err(fields) = &template {
            c.problem("key.field", format!("`{name}` has no such field; it has {fields}"));
        }
        c.finish()?;
        let template = template.map_err(|fields| Fault::fatal("datagen.key", fields))?;
        let partition = format!(r#"{{"task":{}}}"#, task.number);
        let stored = positions.iter().find(|p| p.partition == partition);
        let next = stored.map_or(Ok(0), |p| stored_number(&p.offset))?;
        let count = u64::try_from(count).ok();
        Ok(Self { template, topic, rate, count, partition, next, began: Instant::now(), began_at: next })
    }

    fn poll(&mut self, out: &mut BatchBuilder) -> Result<Next, Fault> {
        let end = self.count.unwrap_or(u64::MAX);
        if self.next >= end {
            return Ok(Next::Done);
        }
        let due = self.due().min(end);
        let topic = out.topic(&self.topic);
        let now = now_ms();
        while self.next < due && out.fits(self.template.bytes_max()) {
            let (template, n) = (&mut self.template, self.next);
            let mut key = 0..0;
            let record = out.record(topic).timestamp(now).value_with(|data| key = template.write(n, data));
            if key.is_empty() {
                record.push();
            } else {
                record.key_from_value(key).push();
            }
            self.next += 1;
        }
        if out.is_empty() {
            let wait = Duration::from_secs_f64((1.0 / self.rate).min(1.0));
            return Ok(Next::After(wait.max(WAIT_MIN)));
        }
        out.position(self.partition.as_str(), format!(r#"{{"n":{}}}"#, self.next));
        Ok(Next::Now)
    }
}

impl Datagen {
    /// The number that may be reached by now.
    fn due(&self) -> u64 {
        if self.rate <= 0.0 {
            return u64::MAX;
        }
        // Rounding a fraction of a record away is meant.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let since = (self.began.elapsed().as_secs_f64() * self.rate) as u64;
        self.began_at.saturating_add(since).saturating_add(1)
    }
}

fn keys() -> Config {
    Config::new()
        .string("topic")
        .required()
        .non_empty()
        .doc("Topic that the records go to.")
        .string("template")
        .default("orders")
        .one_of(&["orders", "users", "clicks", "sensors", "raw"])
        .importance(Importance::High)
        .doc("Shape of the records: JSON objects, or `raw` for text of a given size.")
        .double("rate")
        .default(10)
        .at_least(0.0)
        .doc("Records a second and task; 0 = as many as go through.")
        .long("count")
        .default(-1)
        .at_least(-1.0)
        .doc("Records in all, for each task; -1 = without end.")
        .long("seed")
        .default(1)
        .importance(Importance::Low)
        .doc("The same seed gives the same records.")
        .string("key.field")
        .default("")
        .doc("Field whose value becomes the key; empty = no key.")
        .int("size")
        .default(100)
        .between(2.0, 1_000_000.0)
        .importance(Importance::Low)
        .doc("Bytes of a value with the template `raw`.")
}

/// The partition of some task, in the bytes in which it is looked for.
fn is_task(partition: &str) -> bool {
    let digits = partition.strip_prefix(r#"{"task":"#).and_then(|rest| rest.strip_suffix('}'));
    digits.is_some_and(|d| d.parse::<u32>().is_ok())
}

fn stored_number(offset: &str) -> Result<u64, Fault> {
    let digits = offset.trim().strip_prefix(r#"{"n":"#).and_then(|rest| rest.strip_suffix('}'));
    digits.and_then(|d| d.trim().parse().ok()).ok_or_else(|| {
        Fault::fatal("datagen.position", format!("the stored offset {offset} is not {{\"n\":<number>}}"))
    })
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

lockgate_sdk::package! {
    name: "datagen",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "Made-up records for trying out, tests and benchmarks.",
    sources: [Datagen],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_another_shape_is_refused_and_anything_may_be_forgotten() {
        let config = lockgate_sdk::Settings::default();
        let connector = Connector { name: "c".to_owned(), config };
        let alter = |partition: &str, offset: Option<&str>| {
            let change = Change { partition: partition.to_owned(), offset: offset.map(str::to_owned) };
            Datagen::alter_offsets(&connector, &[change]).map_err(|f| f.message)
        };
        assert_eq!(alter(r#"{"task":0}"#, Some(r#"{"n":7}"#)), Ok(true));
        assert_eq!(alter(r#"{"any":0}"#, None), Ok(true));
        assert!(alter(r#"{"task":0}"#, Some(r#"{"n":-7}"#)).is_err_and(|text| text.contains(r#"{"n":-7}"#)));
        assert!(alter(r#"{"any":0}"#, Some(r#"{"n":7}"#)).is_err_and(|text| text.contains(r#"{"any":0}"#)));
    }

    #[test]
    fn a_stored_number_is_read_back_exactly_and_nonsense_is_named() {
        assert_eq!(stored_number(r#"{"n":9007199254740993}"#), Ok(9_007_199_254_740_993));
        assert!(stored_number(r#"{"x":1}"#).is_err_and(|f| f.message.contains(r#"{"x":1}"#)));
    }
}
