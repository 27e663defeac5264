//! Bounds: CPU, memory, the wish to stop. What is broken costs the instance and nothing else.
//!
//! Enters: batches that ask for harm. Leaves: typed failures, and a next instance that works.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use lockgate_model::ports::{OpenSink, SinkPort};

use super::fixture::{Task, batch, failure, record, run, task};
use super::{Guest, in_each_language};

in_each_language!(
    a_call_that_computes_for_ever_is_ended_by_its_cpu_budget,
    memory_beyond_the_limit_costs_the_instance,
    a_call_hears_that_its_task_is_to_stop,
);

fn open(task: &Task) -> impl SinkPort + use<> {
    let sink = run(task.package.sink(task.spec.clone()).open(&[])).unwrap();
    task.lines.take();
    sink
}

#[track_caller]
fn the_next_instance_works(task: &Task) {
    assert!(run(open(task).put(&batch(&task.spec.schemas, &[record(0, "x")]))).unwrap().is_empty());
    assert_eq!(task.lines.take().len(), 1);
}

fn a_call_that_computes_for_ever_is_ended_by_its_cpu_budget(guest: Guest) {
    let mut task = task(guest, "ref.Sink", &[]);
    task.spec.limits.cpu = Duration::from_millis(300);
    let mut sink = open(&task);
    let error = failure(run(sink.put(&batch(&task.spec.schemas, &[record(0, "ref:spin")]))));
    assert_eq!((error.failure.code(), error.call), ("plugin.cpu", "put"), "{error}");
    let dead = failure(run(sink.put(&batch(&task.spec.schemas, &[record(0, "x")]))));
    assert!(dead.to_string().contains("an earlier call ended this instance"), "{dead}");
    the_next_instance_works(&task);
}

fn memory_beyond_the_limit_costs_the_instance(guest: Guest) {
    let mut task = task(guest, "ref.Sink", &[]);
    task.spec.limits.memory_bytes = 64 << 20;
    task.spec.limits.cpu = Duration::from_secs(10);
    let error = failure(run(open(&task).put(&batch(&task.spec.schemas, &[record(0, "ref:grow")]))));
    assert_eq!((error.failure.code(), error.call), ("plugin.limit", "put"), "{error}");
    assert!(error.to_string().contains("allowed are 64 (lockgate.limits.memory.mb)"), "{error}");
    the_next_instance_works(&task);
}

fn a_call_hears_that_its_task_is_to_stop(guest: Guest) {
    let mut task = task(guest, "ref.Sink", &[]);
    task.spec.limits.cpu = Duration::from_secs(10);
    let mut sink = open(&task);
    let records = batch(&task.spec.schemas, &[record(0, "ref:wait")]);
    let ended = std::cell::Cell::new(false);
    let stop = async {
        while !ended.get() && !task.lines.texts().contains(&"waiting".to_owned()) {
            tokio::task::yield_now().await;
        }
        task.spec.cancel.store(true, Relaxed);
    };
    let put = async {
        let put = sink.put(&records).await;
        ended.set(true);
        put
    };
    let (put, ()) = run(async { tokio::join!(put, stop) });
    assert!(put.unwrap().is_empty(), "what was taken is taken");
    run(sink.close()).unwrap();
    assert_eq!(task.lines.take().last().unwrap(), "close ref.Sink");
}
