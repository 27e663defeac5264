//! Segments of a chain: `wit/v0.1/transform.wit` behind [`ApplyPort`].
//!
//! Enters: batches. Leaves: the same batches, transformed in place. Invariant: on an error the batch is unchanged; after
//! any error but a fault the instance is dead.

use std::sync::Arc;

use lockgate_model::ports::{ApplyPort, OpenApply};
use lockgate_model::{Batch, GuestError, RowFault};

use crate::abi::batch::Dictionary;
use crate::abi::exports::transform as wit;
use crate::abi::settings;
use crate::instance::{Budget, Instance, Shared};
use crate::spec::{Limits, Step};

/// A segment, to be opened any number of times.
pub struct Segment {
    shared: Shared,
    steps: Vec<Step>,
    names: Vec<(Arc<str>, Arc<str>)>,
}

/// An open segment.
pub struct SegmentInstance {
    instance: Instance,
    guest: wit::Guest,
    dictionary: Dictionary,
    limits: Limits,
    steps: usize,
}

impl Segment {
    pub(crate) fn new(shared: Shared, mut steps: Vec<Step>) -> Self {
        let names = steps.iter().map(|s| (s.alias.as_str().into(), s.class.as_str().into())).collect();
        let own = |class: &mut String| {
            if let Some(found) = shared.package.class_of(class) {
                *class = found.to_owned();
            }
        };
        for step in &mut steps {
            own(&mut step.class);
            if let Some(predicate) = &mut step.predicate {
                own(&mut predicate.class);
            }
        }
        Self { shared, steps, names }
    }
}

/// A step with its lists of pairs, which the lowered form borrows.
type Lists<'a> = (&'a Step, Vec<(&'a str, &'a str)>, Vec<(&'a str, &'a str)>);

fn lists(step: &Step) -> Lists<'_> {
    (step, settings(&step.config), step.predicate.as_ref().map(|p| settings(&p.config)).unwrap_or_default())
}

fn lower<'a>((step, config, predicate): &'a Lists<'_>) -> wit::Step<'a> {
    let predicate = step.predicate.as_ref().map(|p| wit::Predicate {
        alias: &p.alias,
        class: &p.class,
        config: predicate,
        negate: p.negate,
    });
    wit::Step { alias: &step.alias, class: &step.class, config, predicate }
}

impl OpenApply for Segment {
    type Port = SegmentInstance;

    async fn open(&self) -> Result<SegmentInstance, GuestError> {
        let spec = &self.shared.spec;
        let (mut instance, component) = Instance::new(&self.shared, &[]).await?;
        let indices = self.shared.package.transform.as_ref();
        let guest = instance.guest("transform", indices, |indices, store| indices.load(store, &component))?;
        let lists: Vec<_> = self.steps.iter().map(lists).collect();
        let steps: Vec<_> = lists.iter().map(lower).collect();
        let config = settings(&spec.config);
        let context = self.shared.context(&config);
        let call = instance.begin("open", Budget::open(&spec.limits))?;
        let outcome = call.run(guest.call_open(&mut instance.store, context, &steps)).await;
        instance.answer(&call, outcome, 0)?;
        let dictionary = Dictionary::new(spec.schemas.clone());
        Ok(SegmentInstance { instance, guest, dictionary, limits: spec.limits.clone(), steps: self.steps.len() })
    }

    fn steps(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.names
    }
}

impl ApplyPort for SegmentInstance {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Vec<RowFault>, GuestError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.instance.begin("apply", Budget::call(&self.limits))?;
        let lowered = self.dictionary.lower(batch);
        let schemas = lowered.schemas();
        let outcome = call.run(self.guest.call_apply(&mut self.instance.store, lowered.param(&schemas))).await;
        let applied = self.instance.answer(&call, outcome, batch.len())?;
        if let Some(wrong) = applied.failed.iter().find(|f| f.step as usize >= self.steps) {
            let why = format!("step {} is said to have failed, but there are {}", wrong.step, self.steps);
            return Err(self.instance.protocol("apply", why));
        }
        self.dictionary.apply(applied, batch).map_err(|why| self.instance.protocol("apply", why))
    }

    async fn close(mut self) -> Result<(), GuestError> {
        let call = self.instance.begin("close", Budget::close(&self.limits))?;
        let outcome = call.run(self.guest.call_close(&mut self.instance.store)).await;
        self.instance.answer(&call, outcome, 0)
    }
}
