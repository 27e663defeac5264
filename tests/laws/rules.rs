//! Single rules of error tolerance and of the tasks' lives, each in a world without chance.
//!
//! Enters: a scripted sink. Leaves: nothing, or the rule that broke. Invariant: no test depends on real time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_model::batch::{Batch, HeaderRow, Row, Span};
use lockgate_model::fault::{Fault, FaultKind, GuestError, KafkaFault, RowFault};
use lockgate_model::ledger::Agreed;
use lockgate_model::metrics::TaskMetrics;
use lockgate_model::place::{PartitionOffset, Position, TaskId, TopicPartition};
use lockgate_model::ports::{BatchLimits, Fetch, Fetched, OpenSink, Produce, Receipt, SinkPort, TopicCreation};
use lockgate_model::schemas::Schemas;
use lockgate_pipeline::{
    Chain, Command, DeadLetter, ErrorPolicy, SinkTask, TaskHandle, TaskState, TaskStatus, Tolerance, Untouched, mailbox,
};

use super::seeds::Chance;
use super::sink_world::{SimApplyDoor, retriable, trap};
use super::store::Store;

type PutAnswer = Result<Vec<RowFault>, GuestError>;

/// What happened, in order, as short words.
#[derive(Clone, Default)]
struct Scene {
    log: Arc<Mutex<Vec<String>>>,
    puts: Arc<Mutex<VecDeque<PutAnswer>>>,
    letters: Arc<Mutex<Vec<Batch>>>,
}

impl Scene {
    fn note(&self, word: impl Into<String>) {
        self.log.lock().unwrap().push(word.into());
    }

    fn words(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

struct OneBatch {
    scene: Scene,
    events: VecDeque<Fetched>,
    started: bool,
    records: i64,
}

fn place() -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: 0 }
}

impl Fetch for OneBatch {
    async fn next(&mut self, into: &mut Batch, _limits: BatchLimits) -> Result<Fetched, KafkaFault> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        if !self.started || self.records == 0 {
            return std::future::pending().await;
        }
        let topic = into.topic_index(&"t".into());
        let records = std::mem::take(&mut self.records);
        for offset in 0..records {
            let value = into.push_bytes(Some(format!("v{offset}").as_bytes()));
            let header_first = u32::try_from(into.headers.len()).unwrap();
            let name_offset = into.push_bytes(Some(b"h")).offset;
            into.headers.push(HeaderRow { name_offset, name_len: 1, schema: 0, value });
            into.rows.push(Row {
                offset,
                timestamp: 1_000 + offset,
                partition: 0,
                topic,
                key: Span::NULL,
                value,
                header_first,
                header_count: 1,
                source_row: u32::try_from(offset).unwrap(),
                flags: 0,
                key_schema: 0,
                value_schema: 0,
            });
        }
        Ok(Fetched::Records(usize::try_from(records).unwrap()))
    }

    fn start(&mut self, _at: &[PartitionOffset]) -> Result<(), KafkaFault> {
        self.started = true;
        Ok(())
    }

    fn release(&mut self, _partitions: &[TopicPartition]) -> Result<(), KafkaFault> {
        self.scene.note("release");
        self.started = false;
        Ok(())
    }

    fn pause(&mut self) -> Result<(), KafkaFault> {
        self.scene.note("pause");
        Ok(())
    }

    fn resume(&mut self) -> Result<(), KafkaFault> {
        self.scene.note("resume");
        Ok(())
    }

    fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), KafkaFault> {
        self.scene.note(format!("seek {}", to[0].next_offset));
        Ok(())
    }

    async fn commit(&mut self, agreed: &Agreed) -> Result<(), KafkaFault> {
        self.scene.note(format!("commit {}", agreed.offsets()[0].next_offset));
        Ok(())
    }

    fn lag(&self) -> Option<i64> {
        None
    }

    async fn close(self) {
        self.scene.note("leave");
    }
}

#[derive(Clone)]
struct Scripted(Scene);

impl OpenSink for Scripted {
    type Port = Self;

    async fn open(&self, _state: &[Position]) -> Result<Self, GuestError> {
        self.0.note("open");
        Ok(self.clone())
    }
}

impl SinkPort for Scripted {
    async fn assigned(&mut self, _partitions: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        Ok(Vec::new())
    }

    async fn revoked(&mut self, _partitions: &[TopicPartition]) -> Result<(), GuestError> {
        self.0.note("revoked");
        Ok(())
    }

    async fn put(&mut self, batch: &Batch) -> PutAnswer {
        let offsets: Vec<String> = batch.rows.iter().map(|row| row.offset.to_string()).collect();
        self.0.note(format!("put {}", offsets.join(",")));
        self.0.puts.lock().unwrap().pop_front().unwrap_or(Ok(Vec::new()))
    }

    async fn prepare_commit(&mut self, offsets: &[PartitionOffset]) -> Result<Vec<PartitionOffset>, GuestError> {
        self.0.note(format!("prepare {}", offsets[0].next_offset));
        Ok(offsets.to_vec())
    }

    fn take_state(&mut self) -> Vec<Position> {
        Vec::new()
    }

    async fn close(self) -> Result<(), GuestError> {
        self.0.note("close");
        Ok(())
    }
}

impl Produce for Scene {
    async fn produce(&self, batch: &Batch) -> Result<impl Future<Output = Receipt> + Send + 'static, KafkaFault> {
        self.note("letter");
        self.letters.lock().unwrap().push(batch.clone());
        Ok(std::future::ready(Receipt::default()))
    }

    async fn ensure_topic(&self, _topic: &str, _creation: &TopicCreation) -> Result<(), KafkaFault> {
        Ok(())
    }
}

type Task = SinkTask<OneBatch, Scripted, SimApplyDoor, Scene, Store>;

/// A task over three records; `puts` are the answers of its sink, then all is well.
fn task(scene: &Scene, policy: ErrorPolicy, puts: Vec<PutAnswer>) -> Task {
    scene.puts.lock().unwrap().extend(puts);
    let events = VecDeque::from([Fetched::Assigned(vec![PartitionOffset { place: place(), next_offset: 0 }])]);
    let creation = TopicCreation { create: true, partitions: 1, replication_factor: 1, config: Vec::new() };
    SinkTask {
        id: TaskId { tenant: "default".into(), connector: "orders".into(), task: 3 },
        fetch: OneBatch { scene: scene.clone(), events, started: false, records: 3 },
        sink: Scripted(scene.clone()),
        chain: Chain::none(),
        decode: Box::new(Untouched),
        adapt: Box::new(Untouched),
        tolerance: policy,
        dead_letter: Some(DeadLetter::new(scene.clone(), "dlq".into(), creation, true)),
        limits: BatchLimits { records_max: 3, bytes_max: 1_000 },
        linger: Duration::ZERO,
        flush_interval: Duration::from_mins(1),
        drain_deadline: Duration::from_secs(30),
        restarts_max: 0,
        schemas: Schemas::default(),
        metrics: Arc::new(TaskMetrics::default()),
        store: Arc::new(Store::new(Chance::new(0))),
    }
}

fn bad(row: u32, retriable: bool) -> RowFault {
    RowFault { row, step: 0, retriable, code: "http.400".into(), message: "no such index".into() }
}

/// Runs a task for ten minutes of its time, then stops it.
async fn play(task: Task) -> TaskStatus {
    let (handle, mailbox) = mailbox();
    let life = tokio::spawn(task.run(mailbox));
    tokio::time::sleep(Duration::from_mins(10)).await;
    finish(handle, life).await
}

async fn finish(handle: TaskHandle, life: tokio::task::JoinHandle<()>) -> TaskStatus {
    let _ = handle.commands.try_send(Command::Stop);
    life.await.unwrap();

    handle.status.borrow().clone()
}

fn all() -> ErrorPolicy {
    ErrorPolicy { tolerance: Tolerance::All, ..ErrorPolicy::default() }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_goes_well_is_put_once_agreed_and_committed() {
    let scene = Scene::default();
    assert_eq!(play(task(&scene, ErrorPolicy::default(), vec![])).await.state, TaskState::Stopped);
    assert_eq!(scene.words(), ["open", "put 0,1,2", "prepare 3", "commit 3", "close", "leave"]);
}

#[tokio::test(start_paused = true)]
async fn put_that_asks_for_patience_gets_the_same_batch_again() {
    let scene = Scene::default();
    let puts = vec![Err(retriable(0)), Err(retriable(50)), Ok(vec![])];
    assert_eq!(play(task(&scene, ErrorPolicy::default(), puts)).await.state, TaskState::Stopped);
    assert_eq!(scene.words()[..5], ["open", "put 0,1,2", "put 0,1,2", "put 0,1,2", "prepare 3"]);
}

#[tokio::test(start_paused = true)]
async fn put_that_traps_commits_nothing_and_is_never_called_again() {
    let scene = Scene::default();
    let status = play(task(&scene, ErrorPolicy::default(), vec![Err(trap("put"))])).await;
    assert_eq!((status.state, status.code.as_deref()), (TaskState::Failed, Some("plugin.trap")));
    assert!(status.trace.unwrap().contains("unreachable"));
    assert_eq!(scene.words(), ["open", "put 0,1,2", "leave"]);
}

#[tokio::test(start_paused = true)]
async fn put_that_traps_goes_back_to_the_last_commit_where_restarts_are_allowed() {
    let scene = Scene::default();
    let mut task = task(&scene, ErrorPolicy::default(), vec![Err(trap("put"))]);
    task.restarts_max = 1;
    assert_eq!(play(task).await.state, TaskState::Stopped);
    assert_eq!(scene.words(), ["open", "put 0,1,2", "open", "seek 0", "close", "leave"]);
}

#[tokio::test(start_paused = true)]
async fn a_fatal_error_fails_the_task_with_the_guests_words() {
    let scene = Scene::default();
    let (code, message) = ("es.auth".into(), "the password is wrong".into());
    let fault = Fault { kind: FaultKind::Fatal, code, message, detail: "401".into() };
    let status = play(task(&scene, all(), vec![Err(GuestError::Fault(fault))])).await;
    assert_eq!((status.state, status.code.as_deref()), (TaskState::Failed, Some("es.auth")));
    assert!(status.trace.unwrap().contains("the password is wrong"));
}

#[tokio::test(start_paused = true)]
async fn a_bad_row_is_dead_lettered_with_its_bytes_and_connects_headers_before_the_commit() {
    let scene = Scene::default();
    let task = task(&scene, all(), vec![Ok(vec![bad(1, false)])]);
    let metrics = Arc::clone(&task.metrics);
    assert_eq!(play(task).await.state, TaskState::Stopped);
    assert_eq!(scene.words(), ["open", "put 0,1,2", "letter", "prepare 3", "commit 3", "close", "leave"]);
    let letters = scene.letters.lock().unwrap();
    let (batch, row) = (&letters[0], &letters[0].rows[0]);
    assert_eq!((batch.len(), row.timestamp, &**batch.topic(row)), (1, 1_001, "dlq"));
    assert_eq!(batch.bytes(row.value), Some(&b"v1"[..]));
    let headers: Vec<(&str, &str)> = batch
        .headers_of(row)
        .iter()
        .map(|h| (batch.header_name(h), batch.bytes(h.value).unwrap()))
        .map(|(name, value)| (std::str::from_utf8(name).unwrap(), std::str::from_utf8(value).unwrap()))
        .collect();
    let expected = [
        ("h", "v1"),
        ("__connect.errors.topic", "t"),
        ("__connect.errors.partition", "0"),
        ("__connect.errors.offset", "1"),
        ("__connect.errors.connector.name", "orders"),
        ("__connect.errors.task.id", "3"),
        ("__connect.errors.stage", "TASK_PUT"),
        ("__connect.errors.class.name", "org.apache.kafka.connect.sink.SinkTask"),
        ("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.ConnectException"),
        ("__connect.errors.exception.message", "no such index [http.400]"),
    ];
    assert_eq!(headers[..expected.len()], expected);
    assert_eq!(headers[expected.len()].0, "__connect.errors.exception.stacktrace");
    assert_eq!((metrics.total_records_skipped.value(), metrics.deadletterqueue_produce_requests.value()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn without_tolerance_the_row_is_dead_lettered_first_and_then_the_task_fails_in_front_of_it() {
    let scene = Scene::default();
    let status = play(task(&scene, ErrorPolicy::default(), vec![Ok(vec![bad(1, false)])])).await;
    assert_eq!((status.state, status.code.as_deref()), (TaskState::Failed, Some("task.tolerance")));
    assert!(status.trace.unwrap().starts_with("Tolerance exceeded in error handler"));
    assert_eq!(scene.words(), ["open", "put 0,1,2", "letter", "prepare 1", "commit 1", "close", "leave"]);
}

#[tokio::test(start_paused = true)]
async fn a_retriable_row_is_put_again_alone_within_the_retry_timeout() {
    let scene = Scene::default();
    let policy = ErrorPolicy { retry_timeout: Some(Duration::from_secs(10)), ..all() };
    let puts = vec![Ok(vec![bad(1, true)]), Ok(vec![bad(0, true)]), Ok(vec![])];
    assert_eq!(play(task(&scene, policy, puts)).await.state, TaskState::Stopped);
    assert_eq!(scene.words()[1..5], ["put 0,1,2", "put 1", "put 1", "prepare 3"]);
}

#[tokio::test(start_paused = true)]
async fn pause_commits_once_keeps_the_group_and_resume_goes_on() {
    let scene = Scene::default();
    let (handle, mailbox) = mailbox();
    let life = tokio::spawn(task(&scene, ErrorPolicy::default(), vec![]).run(mailbox));
    tokio::time::sleep(Duration::from_secs(1)).await;
    handle.commands.send(Command::Pause).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(handle.status.borrow().state, TaskState::Paused);
    assert_eq!(scene.words(), ["open", "put 0,1,2", "pause", "prepare 3", "commit 3"]);
    handle.commands.send(Command::Resume).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(handle.status.borrow().state, TaskState::Running);
    assert_eq!(finish(handle, life).await.state, TaskState::Stopped);
    assert_eq!(scene.words()[5..], ["resume", "close", "leave"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_partition_is_released_and_never_committed() {
    let scene = Scene::default();
    let mut task = task(&scene, ErrorPolicy::default(), vec![]);
    task.fetch.events.push_back(Fetched::Lost(vec![place()]));
    assert_eq!(play(task).await.state, TaskState::Stopped);
    assert_eq!(scene.words(), ["open", "revoked", "release", "close", "leave"]);
}
