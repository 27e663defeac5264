//! Sink tasks, through crashes, rebalances, traps, slow and failing neighbours.
//!
//! Enters: seeds. Leaves: nothing, or the law that broke. Invariant: the last life is calm and must come to the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate_model::place::TaskId;
use lockgate_model::ports::TopicCreation;
use lockgate_model::schemas::Schemas;
use lockgate_pipeline::{
    Chain, Command, DeadLetter, ErrorPolicy, SinkTask, TaskHandle, TaskState, Tolerance, Untouched, mailbox,
};

use super::clock::Until;
use super::seeds::run_seeds;
use super::sink_world::{Fate, SimApplyDoor, SimFetch, SimLetters, SimSinkDoor, SinkWorld};
use super::store::Store;

/// Lives with trouble before the calm one.
const LIVES: u64 = 7;

type Task = SinkTask<SimFetch, SimSinkDoor, SimApplyDoor, SimLetters, Store>;

fn task(world: &SinkWorld, store: &Store) -> Task {
    let plan = &world.plan;
    let chance = &world.chance;
    let steps = vec![("step".into(), "Step".into())];
    let letters = SimLetters { world: world.clone(), made: Arc::new(Mutex::default()) };
    let creation = TopicCreation { create: true, partitions: 1, replication_factor: 1, config: Vec::new() };
    let tolerance = if plan.bad { Tolerance::All } else { Tolerance::None };
    // Where a record that fails for now could end in the queue, retries have an end.
    let retry_timeout = (plan.bad && plan.letters).then_some(Duration::from_secs(3));
    SinkTask {
        id: TaskId { tenant: "default".into(), connector: "c".into(), task: 0 },
        fetch: SimFetch::new(world),
        sink: SimSinkDoor(world.clone()),
        chain: if plan.chain { Chain::new(vec![SimApplyDoor { world: world.clone(), steps }]) } else { Chain::none() },
        decode: Box::new(Untouched),
        adapt: Box::new(Untouched),
        tolerance: ErrorPolicy { retry_timeout, tolerance, ..ErrorPolicy::default() },
        dead_letter: plan.letters.then(|| DeadLetter::new(letters, "dlq".into(), creation, true)),
        limits: plan.limits,
        linger: Duration::from_millis(chance.below(20)),
        flush_interval: Duration::from_millis(50 + chance.below(3_000)),
        drain_deadline: Duration::from_millis(100 + chance.below(8_000)),
        restarts_max: u32::try_from(chance.below(3)).unwrap(),
        schemas: Schemas::default(),
        metrics: Arc::default(),
        store: Arc::new(store.clone()),
    }
}

async fn simulate(seed: u64) {
    let world = SinkWorld::new(seed);
    let store = Store::new(world.chance.clone());
    for _ in 0..LIVES {
        *world.trouble.lock().unwrap() = 1 + u32::try_from(world.chance.below(3)).unwrap();
        *store.trouble.lock().unwrap() = 4;
        live(&world, &store).await;
    }
    *world.trouble.lock().unwrap() = 0;
    *store.trouble.lock().unwrap() = 0;
    let (handle, mailbox) = mailbox();
    let life = tokio::spawn(task(&world, &store).run(mailbox));
    for _ in 0..3_600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if world.is_all_committed() {
            break;
        }
        let status = handle.status.borrow().clone();
        assert_eq!(status.state, TaskState::Running, "a calm life ended: {status:?}");
    }
    assert!(world.is_all_committed(), "a calm life did not come to the end: {:?}", world.facts().committed);
    handle.commands.send(Command::Stop).await.unwrap();
    life.await.unwrap();
    assert_eq!(handle.status.borrow().state, TaskState::Stopped);
    let facts = world.facts();
    (0..world.plan.partitions).for_each(|p| world.check_settled(&facts, p, world.end(p)));
    for (p, o) in &facts.dead {
        let late = matches!(world.fate(*p, *o), Fate::LaterApplied | Fate::LaterPut);
        assert!(late || matches!(world.fate(*p, *o), Fate::NeverApplied | Fate::NeverPut), "a good record is dead");
    }
}

/// One life with trouble: ends by a crash anywhere, a stop, or a failure.
async fn live(world: &SinkWorld, store: &Store) {
    let chance = &world.chance;
    let (handle, mailbox) = mailbox();
    let polls = if chance.one_in(2) { u32::MAX } else { 1 + u32::try_from(chance.below(600)).unwrap() };
    let mut life = tokio::spawn(Until::polls(polls, task(world, store).run(mailbox)));
    for _ in 0..chance.below(4) {
        let wait = Duration::from_millis(chance.below(6_000));
        match tokio::time::timeout(wait, &mut life).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
        let command = if chance.one_in(2) { Command::Pause } else { Command::Resume };
        let _ = handle.commands.try_send(command);
    }
    if chance.one_in(2) {
        stop(&handle, life).await;
    } else {
        life.abort();
        finish(life).await;
    }
}

async fn stop(handle: &TaskHandle, life: tokio::task::JoinHandle<Option<()>>) {
    let _ = handle.commands.try_send(Command::Stop);
    let ended = tokio::time::timeout(Duration::from_mins(5), finish(life)).await;
    assert!(ended.is_ok(), "L5: a stop took more than five minutes");
}

/// Waits for the end of a life and passes a panic on.
async fn finish(life: tokio::task::JoinHandle<Option<()>>) {
    if let Err(error) = life.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

#[test]
fn sink_laws_hold_in_every_seed() {
    run_seeds("sink_laws_hold_in_every_seed", 2_000, simulate);
}
