//! A real broker and a sink-like reader for the tests of this crate.
//!
//! Enters: `LOCKGATE_TEST_BOOTSTRAP`, else a broker is started by `tests/kafka/kafka.sh`. Leaves: settings, batches, what
//! was read. Invariant: the broker ends with the test process, however that ends: a watcher holds its standard input.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use lockgate_kafka::{Admin, Consumer, ConsumerOptions, Producer, Settings, Topics};
use lockgate_model::batch::{Batch, Row};
use lockgate_model::fault::KafkaFault;
use lockgate_model::ledger::{SinkLedger, Verdict};
use lockgate_model::place::{PartitionOffset, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, Produce, TopicCreation};

/// One broker of a test.
pub struct Broker {
    pub bootstrap: String,
    dir: tempfile::TempDir,
    port: u16,
    watcher: Child,
}

fn script() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/kafka/kafka.sh")
}

fn run(arguments: &[&str]) {
    let status = Command::new(script()).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "kafka.sh {arguments:?}: {status}");
}

/// The password of user `ann` on a broker that wants logins, as `kafka.sh` sets it.
pub const SECRET: &str = "sesame;open=1";

impl Broker {
    pub fn start() -> Self {
        Self::run("start")
    }

    /// One that wants logins: `SASL_PLAINTEXT`, `SASL_SSL` and SSL on the second to fourth port after its first.
    pub fn start_secure() -> Self {
        Self::run("start-secure")
    }

    /// Where one of its listeners is.
    pub fn listener(&self, after: u16) -> String {
        format!("127.0.0.1:{}", self.port + after)
    }

    /// A PEM file of a broker that wants logins.
    pub fn pem(&self, name: &str) -> PathBuf {
        self.dir.path().join("tls").join(name)
    }

    fn run(how: &str) -> Self {
        let port = free_ports();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap().to_owned();
        let stop = format!("cat; '{}' kill '{path}'; rm -rf '{path}'", script().display());
        let watcher = Command::new("setsid").args(["bash", "-c", &stop]).stdin(Stdio::piped()).spawn().unwrap();
        run(&[how, &path, &port.to_string()]);
        Self { bootstrap: format!("127.0.0.1:{port}"), dir, port, watcher }
    }

    pub fn stop(&self) {
        run(&["stop", self.dir.path().to_str().unwrap()]);
    }

    pub fn start_again(&self) {
        run(&["start", self.dir.path().to_str().unwrap(), &self.port.to_string()]);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        self.watcher.wait().unwrap();
    }
}

/// Six neighbouring ports that are free now and given to nobody else in this process, outside the range that the system
/// gives to connections.
fn free_ports() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 15).unwrap();
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let candidates = (0..15).map(|_| 19_100 + 6 * ((first + GIVEN.fetch_add(1, Ordering::Relaxed)) % 15));
    candidates.into_iter().find(|port| (*port..port + 6).all(free)).unwrap()
}

/// The broker that the tests share.
pub fn bootstrap() -> &'static str {
    static SHARED: OnceLock<String> = OnceLock::new();
    SHARED.get_or_init(|| {
        if let Ok(bootstrap) = std::env::var("LOCKGATE_TEST_BOOTSTRAP") {
            bootstrap
        } else {
            // Never dropped: its watcher sees the end of this process.
            let broker = Box::leak(Box::new(Broker::start()));
            broker.bootstrap.clone()
        }
    })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub fn settings(bootstrap: &str, more: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::new();
    settings.insert("bootstrap.servers".into(), bootstrap.into());
    settings.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    settings
}

/// A name that no other run has.
pub fn fresh(name: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{name}-{}-{}", std::process::id(), now.as_nanos())
}

pub async fn topic(bootstrap: &str, name: &str, partitions: i32) -> String {
    let topic = fresh(name);
    let creation = TopicCreation { create: true, partitions, replication_factor: 1, config: Vec::new() };
    Admin::new(&settings(bootstrap, &[])).unwrap().ensure_topic(&topic, &creation).await.unwrap();
    topic
}

pub fn row(batch: &mut Batch, topic: &str, partition: u32, value: Option<&[u8]>) {
    let topic = batch.topic_index(&topic.into());
    let value = batch.push_bytes(value);
    let source_row = u32::try_from(batch.rows.len()).unwrap();
    batch.rows.push(Row {
        offset: -1,
        timestamp: -1,
        partition,
        topic,
        key: lockgate_model::batch::Span::NULL,
        value,
        header_first: 0,
        header_count: 0,
        source_row,
        flags: 0,
        key_schema: 0,
        value_schema: 0,
    });
}

/// Produces numbers `from..to`, number n to partition n % partitions, padded to `size` bytes; all must be acknowledged.
pub async fn produce(producer: &Producer, topic: &str, partitions: u32, numbers: std::ops::Range<u64>, size: usize) {
    let mut receipts = Vec::new();
    let all: Vec<u64> = numbers.collect();
    for chunk in all.chunks(500) {
        let mut batch = Batch::default();
        for number in chunk {
            let mut value = number.to_le_bytes().to_vec();
            value.resize(size.max(8), b'x');
            let partition = u32::try_from(number % u64::from(partitions)).unwrap();
            row(&mut batch, topic, partition, Some(&value));
        }
        receipts.push(producer.produce(&batch).await.unwrap());
    }
    for receipt in receipts {
        assert_eq!(receipt.await.failed, vec![]);
    }
}

/// What a sink task does with its consumer, without a sink.
pub struct Reader {
    pub consumer: Consumer,
    pub ledger: SinkLedger,
    pub batch: Batch,
    pub assigned: Vec<TopicPartition>,
    /// Changes of the assignment, in words.
    pub walk: Vec<String>,
    pub read: Vec<(u32, i64, u64)>,
    pub trouble: usize,
}

impl Reader {
    pub fn new(bootstrap: &str, group: &str, topics: Topics, more: &[(&str, &str)]) -> Self {
        let options = ConsumerOptions {
            settings: settings(bootstrap, more),
            group_id: group.to_owned(),
            client_id: "test".to_owned(),
            topics,
            schemas: lockgate_model::schemas::Schemas::default(),
        };
        Self {
            consumer: Consumer::subscribe(options).unwrap(),
            ledger: SinkLedger::new(),
            batch: Batch::default(),
            assigned: Vec::new(),
            walk: Vec::new(),
            read: Vec::new(),
            trouble: 0,
        }
    }

    /// One event, handled as a sink task would.
    pub async fn step(&mut self) -> Result<Fetched, KafkaFault> {
        self.batch.clear();
        let event = self.consumer.next(&mut self.batch, BatchLimits::default()).await?;
        match &event {
            Fetched::Records(_) => {
                let ticket = self.ledger.admit(&self.batch).unwrap();
                for row in &self.batch.rows {
                    let value = self.batch.bytes(row.value).unwrap();
                    let number = u64::from_le_bytes(value[..8].try_into().unwrap());
                    self.read.push((row.partition, row.offset, number));
                }
                self.ledger.settle(ticket, Verdict::Delivered);
            }
            Fetched::Assigned(offsets) => {
                self.walk.push(format!("assigned {}", offsets.len()));
                self.assigned.extend(offsets.iter().map(|o| o.place.clone()));
                self.ledger.assign(offsets);
                self.consumer.start(offsets)?;
            }
            Fetched::Revoked(places) => {
                self.walk.push(format!("revoked {}", places.len()));
                self.commit().await?;
                self.give_up(places)?;
            }
            Fetched::Lost(places) => {
                self.walk.push(format!("lost {}", places.len()));
                self.give_up(places)?;
            }
            Fetched::Trouble(_) => self.trouble += 1,
        }
        Ok(event)
    }

    fn give_up(&mut self, places: &[TopicPartition]) -> Result<(), KafkaFault> {
        self.ledger.revoke(places);
        self.assigned.retain(|place| !places.contains(place));
        self.consumer.release(places)
    }

    pub async fn commit(&mut self) -> Result<(), KafkaFault> {
        let asked = self.ledger.committable();
        let answer: Vec<PartitionOffset> = asked.offsets().to_vec();
        let agreed = asked.agree(&answer).unwrap();
        self.consumer.commit(&agreed).await?;
        self.ledger.committed(&agreed);
        Ok(())
    }

    /// Steps until `done`, at most a minute.
    pub async fn until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        let all = async {
            while !done(self) {
                self.step().await.unwrap();
            }
        };
        let finished = tokio::time::timeout(Duration::from_mins(1), all).await;
        assert!(finished.is_ok(), "not reached within a minute: read {} walk {:?}", self.read.len(), self.walk);
    }

    pub async fn close(self) {
        self.consumer.close().await;
    }
}

/// Offsets ascend without gap or repetition in each partition, and numbers ascend.
pub fn check_order(read: &[(u32, i64, u64)]) {
    let mut last: std::collections::HashMap<u32, (i64, u64)> = std::collections::HashMap::new();
    for &(partition, offset, number) in read {
        if let Some(&(before, number_before)) = last.get(&partition) {
            assert_eq!(offset, before + 1, "partition {partition}");
            assert!(number > number_before, "partition {partition} offset {offset}");
        }
        last.insert(partition, (offset, number));
    }
}
