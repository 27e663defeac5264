//! A sink, step by step.
//!
//! Enters: actions. Leaves: what came of them. Invariant: the calls come in the order and with the arguments of a task's: a
//! partition is assigned before its records come, what an instance took and did not agree to comes again to the next one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use lockgate_model::fault::RowFault;
use lockgate_model::package::PluginKind;
use lockgate_model::ports::{OpenSink, SinkPort};
use lockgate_model::{GuestError, PartitionOffset, TopicPartition};
use lockgate_wasm::{Sink, SinkInstance};
use serde_json::{Map, Value, json};

use super::action::Action;
use super::records::{Delivery, Way, converters, has_schema};
use super::rig::{Came, Rig, Stored, Trouble};
use super::scenario::{CommitSpec, PlaceSpec, Scenario};

type Record = Map<String, Value>;

/// A sink that is played.
pub(super) struct SinkPlay {
    sink: Sink,
    live: Option<SinkInstance>,
    way: Way,
    pub(super) stored: Stored,
    /// Assigned partitions.
    places: BTreeMap<TopicPartition, Progress>,
    /// Taken and not committed.
    held: Vec<Record>,
    /// The last `put`.
    last: Vec<Record>,
}

/// Next offsets.
#[derive(Clone, Copy, Debug)]
struct Progress {
    committed: i64,
    taken: i64,
}

impl SinkPlay {
    pub(super) async fn new(rig: &Rig, scenario: &Scenario) -> Result<Self, Trouble> {
        let task = rig.task().await?;
        let with_schemas = scenario.steps.iter().filter_map(|step| step.put.as_ref()).flatten().any(has_schema);
        let trio = converters(&rig.config, with_schemas)?;
        let mut task = task;
        task.formats = trio.formats(&rig.plugin.encodings);
        let topics = rig.config.iter().find(|(key, _)| key == "topics").map(|(_, topics)| topics.as_str());
        let topic = topics.and_then(|topics| topics.split(',').next()).map_or("topic", str::trim);
        let way = Way::new(trio, task.formats, task.schemas.clone(), topic.to_owned())?;
        debug_assert_eq!(rig.plugin.kind, PluginKind::Sink);
        Ok(Self {
            sink: rig.package.sink(task),
            live: None,
            way,
            stored: Stored::of(scenario),
            places: BTreeMap::new(),
            held: Vec::new(),
            last: Vec::new(),
        })
    }

    pub(super) async fn act(&mut self, action: Action<'_>, rig: &Rig) -> Result<Came, Trouble> {
        match action {
            Action::Open => self.open().await.map(|_| Came::new()),
            Action::Assigned(places) => {
                let places = places.iter().map(place).collect();
                let resume = self.assign(places).await?;
                Ok(came([("resume", shown(&resume))]))
            }
            Action::Put(records) => {
                let records = self.way.complete(records);
                self.put(records, true).await
            }
            Action::Retry if self.last.is_empty() => Err(Trouble::Scenario("there was no `put` before".to_owned())),
            Action::Retry => self.put(self.last.clone(), true).await,
            Action::Commit(which) => self.commit(which).await,
            Action::Revoked(which) => self.revoke(which).await,
            Action::Crash => {
                self.live = None;
                self.again().await
            }
            Action::Restart => {
                self.commit(&CommitSpec::All(super::scenario::AllWord::All)).await?;
                self.close().await?;
                self.again().await
            }
            Action::Cancel => {
                rig.cancel.store(true, Relaxed);
                Ok(Came::new())
            }
            Action::Close => self.close().await.map(|()| Came::new()),
            other => Err(Trouble::Scenario(format!("`{}` is not for a sink", other.name()))),
        }
    }

    /// The offsets that are committed.
    pub(super) fn committed(&self) -> Value {
        let offset = |(place, progress): (&TopicPartition, &Progress)| json!({"topic": &*place.topic, "partition": place.partition, "offset": progress.committed});
        self.places.iter().map(offset).collect()
    }

    /// Ends the instance, if there is one.
    pub(super) async fn close(&mut self) -> Result<(), Trouble> {
        if let Some(mut live) = self.live.take() {
            self.stored.take(live.take_state());
            live.close().await?;
        }
        Ok(())
    }

    /// The instance; a new one is told of the partitions that the task has.
    async fn open(&mut self) -> Result<&mut SinkInstance, Trouble> {
        if self.live.is_none() {
            let mut live = self.sink.open(&self.stored.0).await?;
            if !self.places.is_empty() {
                for progress in self.places.values_mut() {
                    progress.taken = progress.committed;
                }
                let offset = |(place, p): (&TopicPartition, &Progress)| PartitionOffset {
                    place: place.clone(),
                    next_offset: p.committed,
                };
                let places: Vec<_> = self.places.iter().map(offset).collect();
                let resume = live.assigned(&places).await?;
                self.resume(&resume);
            }
            self.live = Some(live);
        }
        self.live.as_mut().ok_or_else(|| Trouble::Scenario("there is no instance".to_owned()))
    }

    /// A sink that keeps offsets in its target begins elsewhere: what comes before was delivered.
    fn resume(&mut self, resume: &[PartitionOffset]) {
        for at in resume {
            if let Some(progress) = self.places.get_mut(&at.place) {
                (progress.committed, progress.taken) = (at.next_offset, at.next_offset);
            }
        }
        let places = &self.places;
        self.held.retain(|record| {
            let (place, offset) = place_of(record);
            places.get(&place).is_none_or(|progress| offset >= progress.committed)
        });
    }

    async fn assign(&mut self, places: Vec<PartitionOffset>) -> Result<Vec<PartitionOffset>, Trouble> {
        let live = self.open().await?;
        let outcome = live.assigned(&places).await;
        let resume = self.ended(outcome)?;
        for at in places {
            self.places.insert(at.place, Progress { committed: at.next_offset, taken: at.next_offset });
        }
        self.resume(&resume);
        Ok(resume)
    }

    async fn put(&mut self, records: Vec<Record>, keep: bool) -> Result<Came, Trouble> {
        let delivery = self.way.deliver(&records)?;
        self.last.clone_from(&records);
        let mut new: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        for (place, offset) in delivery.places.iter().filter(|(place, _)| !self.places.contains_key(place)) {
            new.entry(place.clone()).or_insert(*offset);
        }
        if !new.is_empty() {
            let places = new.into_iter().map(|(place, next_offset)| PartitionOffset { place, next_offset }).collect();
            self.assign(places).await?;
        }
        let live = self.open().await?;
        let outcome = live.put(&delivery.batch).await;
        let bad = self.ended(outcome)?;
        for (place, offset) in &delivery.places {
            if let Some(progress) = self.places.get_mut(place) {
                progress.taken = progress.taken.max(offset + 1);
            }
        }
        if keep {
            let known: Vec<_> = self.held.iter().map(place_of).collect();
            self.held.extend(records.into_iter().filter(|record| !known.contains(&place_of(record))));
        }
        Ok(report(&delivery, bad))
    }

    /// What was taken and not committed, to a new instance.
    async fn again(&mut self) -> Result<Came, Trouble> {
        self.open().await?;
        if self.held.is_empty() {
            return Ok(came([("accepted", json!(0)), ("bad", json!([]))]));
        }
        self.put(self.held.clone(), false).await
    }

    async fn commit(&mut self, which: &CommitSpec) -> Result<Came, Trouble> {
        let asked: Vec<PartitionOffset> = match which {
            CommitSpec::These(places) => places.iter().map(place).collect(),
            CommitSpec::All(_) => {
                let open = self.places.iter().filter(|(_, progress)| progress.taken > progress.committed);
                open.map(|(place, p)| PartitionOffset { place: place.clone(), next_offset: p.taken }).collect()
            }
        };
        if asked.is_empty() {
            return Ok(came([("asked", json!([])), ("agreed", json!([]))]));
        }
        let live = self.open().await?;
        let outcome = live.prepare_commit(&asked).await;
        let agreed = self.ended(outcome)?;
        for at in &agreed {
            let limit = asked.iter().find(|a| a.place == at.place).map(|a| a.next_offset);
            if limit.is_none_or(|limit| at.next_offset > limit) {
                let (place, offset) = (&at.place, at.next_offset);
                return Err(Trouble::Scenario(format!(
                    "the plugin agreed to offset {offset} of {place}, which is more than it was asked for: a worker fails the task"
                )));
            }
            if let Some(progress) = self.places.get_mut(&at.place) {
                progress.committed = progress.committed.max(at.next_offset);
            }
        }
        let places = &self.places;
        self.held.retain(|record| {
            let (place, offset) = place_of(record);
            places.get(&place).is_none_or(|progress| offset >= progress.committed)
        });
        if let Some(live) = &mut self.live {
            self.stored.take(live.take_state());
        }
        Ok(came([("asked", shown(&asked)), ("agreed", shown(&agreed))]))
    }

    async fn revoke(&mut self, which: &CommitSpec) -> Result<Came, Trouble> {
        let places: Vec<TopicPartition> = match which {
            CommitSpec::All(_) => self.places.keys().cloned().collect(),
            CommitSpec::These(places) => places.iter().map(|p| place(p).place).collect(),
        };
        let live = self.open().await?;
        let outcome = live.revoked(&places).await;
        self.ended(outcome)?;
        self.places.retain(|place, _| !places.contains(place));
        self.held.retain(|record| !places.contains(&place_of(record).0));
        Ok(Came::new())
    }

    /// After anything but a retriable fault the instance is gone, as in a task.
    fn ended<T>(&mut self, outcome: Result<T, GuestError>) -> Result<T, Trouble> {
        outcome.map_err(|error| {
            if !is_retriable(&error) {
                self.live = None;
            }
            error.into()
        })
    }
}

/// True if the instance lives on and is asked again.
pub(super) fn is_retriable(error: &GuestError) -> bool {
    use lockgate_model::fault::FaultKind;
    matches!(error, GuestError::Fault(fault) if matches!(fault.kind, FaultKind::Retriable(_)))
}

/// Some things that came, by name.
pub(super) fn came<const N: usize>(pairs: [(&str, Value); N]) -> Came {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn report(delivery: &Delivery, bad: Vec<RowFault>) -> Came {
    let own = bad.into_iter().map(|fault| RowFault { row: delivery.origins[fault.row as usize], ..fault });
    let mut bad: Vec<RowFault> = own.chain(delivery.refused.iter().cloned()).collect();
    bad.sort_by_key(|fault| fault.row);
    let accepted = delivery.places.len() - bad.len();
    let fault = |f: &RowFault| json!({"row": f.row, "code": f.code, "message": f.message, "retriable": f.retriable});
    came([("accepted", json!(accepted)), ("bad", bad.iter().map(fault).collect())])
}

fn place(spec: &PlaceSpec) -> PartitionOffset {
    let place = TopicPartition { topic: spec.topic.as_str().into(), partition: spec.partition };
    PartitionOffset { place, next_offset: spec.offset }
}

/// Partition and offset of a record that was completed.
fn place_of(record: &Record) -> (TopicPartition, i64) {
    let topic = record.get("topic").and_then(Value::as_str).unwrap_or_default().into();
    let partition = record.get("partition").and_then(Value::as_u64).and_then(|p| u32::try_from(p).ok()).unwrap_or(0);
    let offset = record.get("offset").and_then(Value::as_i64).unwrap_or(0);
    (TopicPartition { topic, partition }, offset)
}

fn shown(offsets: &[PartitionOffset]) -> Value {
    let offset = |at: &PartitionOffset| json!({"topic": &*at.place.topic, "partition": at.place.partition, "offset": at.next_offset});
    offsets.iter().map(offset).collect()
}
