//! Source tasks, through crashes, traps, a failing producer and a failing store.
//!
//! Enters: seeds. Leaves: nothing, or the law that broke. Invariant: the last life is calm, must come to the end, and its
//! stop must leave nothing to be repeated.

use std::sync::Arc;
use std::time::Duration;

use lockgate_model::place::TaskId;
use lockgate_model::ports::TopicCreation;
use lockgate_model::schemas::Schemas;
use lockgate_pipeline::{Chain, Command, ErrorPolicy, SourceTask, TaskState, Tolerance, Untouched, mailbox};

use super::clock::Until;
use super::seeds::run_seeds;
use super::source_world::{SimFilterDoor, SimSourceDoor, SourceWorld};
use super::store::Store;

const LIVES: u64 = 7;

type Task = SourceTask<SimSourceDoor, SimFilterDoor, SourceWorld, Store>;

fn task(world: &SourceWorld) -> Task {
    let plan = &world.plan;
    let chance = &world.chance;
    let steps = vec![("step".into(), "Step".into())];
    let creation = TopicCreation { create: true, partitions: 1, replication_factor: 1, config: Vec::new() };
    let tolerance = if plan.bad { Tolerance::All } else { Tolerance::None };
    SourceTask {
        id: TaskId { tenant: "default".into(), connector: "c".into(), task: 0 },
        source: SimSourceDoor(world.clone()),
        chain: if plan.chain { Chain::new(vec![SimFilterDoor { world: world.clone(), steps }]) } else { Chain::none() },
        encode: Box::new(Untouched),
        produce: Arc::new(world.clone()),
        store: Arc::new(world.store.clone()),
        topic_creation: Arc::new(move |_| creation.clone()),
        tolerance: ErrorPolicy { retry_timeout: None, tolerance, ..ErrorPolicy::default() },
        limits: plan.limits,
        flush_interval: Duration::from_millis(50 + chance.below(3_000)),
        drain_deadline: Duration::from_millis(100 + chance.below(8_000)),
        restarts_max: u32::try_from(chance.below(3)).unwrap(),
        schemas: Schemas::default(),
        metrics: Arc::default(),
    }
}

async fn simulate(seed: u64) {
    let world = SourceWorld::new(seed);
    for _ in 0..LIVES {
        *world.trouble.lock().unwrap() = 1 + u32::try_from(world.chance.below(3)).unwrap();
        *world.store.trouble.lock().unwrap() = 4;
        live(&world).await;
    }
    *world.trouble.lock().unwrap() = 0;
    *world.store.trouble.lock().unwrap() = 0;
    calm_end(&world).await;
    world.check_order();
    assert!(world.facts().polled_max <= 64, "L5: a batch of {} rows", world.facts().polled_max);
}

async fn calm_end(world: &SourceWorld) {
    let (handle, mailbox) = mailbox();
    // Stopped early in half of the runs, so that a clean stop has something to drain.
    let early = world.chance.one_in(2);
    let mut calm = task(world);
    calm.drain_deadline = Duration::from_mins(1);
    let before = world.facts().topic.len();
    let life = tokio::spawn(calm.run(mailbox));
    for _ in 0..3_600 {
        let step = if early { world.chance.below(500) } else { 1_000 };
        tokio::time::sleep(Duration::from_millis(step)).await;
        if world.is_all_stored() || early {
            break;
        }
        let status = handle.status.borrow().clone();
        assert_eq!(status.state, TaskState::Running, "a calm life ended: {status:?}");
    }
    assert!(early || world.is_all_stored(), "a calm life did not come to the end");
    handle.commands.send(Command::Stop).await.unwrap();
    life.await.unwrap();
    assert_eq!(handle.status.borrow().state, TaskState::Stopped);
    check_nothing_repeats(world, before);
}

/// After a clean stop everything that this life wrote is covered by a stored position.
fn check_nothing_repeats(world: &SourceWorld, before: usize) {
    for p in 0..world.plan.partitions {
        let stored = world.store.offset(&format!("{{\"p\":{p}}}"));
        let facts = world.facts();
        let last = facts.topic[before..].iter().filter(|(q, _)| *q == p).map(|(_, seq)| seq + 1).max().unwrap_or(0);
        assert!(stored >= last, "a clean stop at {stored} of partition {p} will repeat records up to {last}");
    }
}

/// One life with trouble: ends by a crash anywhere, a stop, or a failure.
async fn live(world: &SourceWorld) {
    let chance = &world.chance;
    let (handle, mailbox) = mailbox();
    let polls = if chance.one_in(2) { u32::MAX } else { 1 + u32::try_from(chance.below(300)).unwrap() };
    let mut life = tokio::spawn(Until::polls(polls, task(world).run(mailbox)));
    for _ in 0..chance.below(4) {
        let wait = Duration::from_millis(chance.below(3_000));
        match tokio::time::timeout(wait, &mut life).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
        let command = if chance.one_in(2) { Command::Pause } else { Command::Resume };
        let _ = handle.commands.try_send(command);
    }
    if chance.one_in(2) {
        let _ = handle.commands.try_send(Command::Stop);
        let ended = tokio::time::timeout(Duration::from_mins(5), &mut life).await;
        assert!(ended.is_ok(), "L5: a stop took more than five minutes");
        if let Ok(Err(error)) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    } else {
        life.abort();
        if let Err(error) = life.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

#[test]
fn source_laws_hold_in_every_seed() {
    run_seeds("source_laws_hold_in_every_seed", 2_000, simulate);
}
