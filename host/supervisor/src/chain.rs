//! From `transforms` to segments.
//!
//! Enters: the transforms of a connector, in order. Leaves: plans of segments: neighbouring transforms of one package
//! together. Invariant: order is kept; a predicate comes from the package of the transform that it guards.

use std::sync::Arc;

use indexmap::IndexMap;
use lockgate_config::{PredicateSpec, TransformSpec};
use lockgate_convert::Recode;
use lockgate_model::package::{PackageInfo, PluginInfo, PluginKind, Request};
use lockgate_model::{Encoding, Formats};
use lockgate_pipeline::{Chain, Link};
use lockgate_wasm::{Package, Policy, Segment, Step, StepPredicate, TaskSpec};

use crate::encodings::{follow, shared};
use crate::grants;
use crate::registry::{Registry, answers_to};
use crate::version::{Version, Wish};

/// One segment to be.
#[derive(Clone)]
pub(crate) struct Plan {
    pub package: Arc<Package>,
    pub steps: Vec<Step>,
    /// Encodings that all its plugins speak; never empty.
    pub spoken: Vec<Encoding>,
    /// What its plugins ask for, and the settings that the requests may name.
    pub requests: Vec<Request>,
    pub config: Vec<(String, String)>,
    digest: String,
    plugins: Vec<Arc<PluginInfo>>,
}

/// Plans the chain; the error names the transform.
pub(crate) fn plan(transforms: &[TransformSpec], registry: &Registry) -> Result<Vec<Plan>, String> {
    let mut plans: Vec<Plan> = Vec::new();
    for transform in transforms {
        let named = |e: String| format!("transform {}: {e}", transform.alias);
        let version = transform.version.as_deref();
        let found =
            registry.find(&transform.class, &[PluginKind::Transform], version).map_err(|e| named(e.to_string()))?;
        let info = &found.installed.info;
        let (step, mut plugins) = step(transform, &found.plugin, info).map_err(named)?;
        plugins.push(Arc::clone(&found.plugin));
        if let Some(plan) = plans.last_mut().filter(|plan| plan.digest == info.digest) {
            plan.add(step, plugins);
        } else {
            let mut plan = Plan {
                package: Arc::clone(&found.installed.package),
                steps: Vec::new(),
                spoken: Vec::new(),
                requests: Vec::new(),
                config: Vec::new(),
                digest: info.digest.clone(),
                plugins: Vec::new(),
            };
            plan.add(step, plugins);
            plans.push(plan);
        }
    }
    for plan in &mut plans {
        plan.spoken = shared(plan.plugins.iter().map(|p| &p.encodings[..]));
        if plan.spoken.is_empty() {
            let classes: Vec<&str> = plan.plugins.iter().map(|p| p.class.as_str()).collect();
            return Err(format!("the neighbouring transforms {} share no encoding", classes.join(", ")));
        }
    }
    Ok(plans)
}

/// The chain of a task whose records come in these formats, and the formats of what leaves it.
pub(crate) fn links(
    plans: Vec<Plan>,
    task: &TaskSpec,
    entry: Formats,
    policy: &Policy,
) -> Result<(Chain<Segment>, Formats), String> {
    let mut formats = entry;
    let mut links = Vec::with_capacity(plans.len());
    for plan in plans {
        let next = follow(formats, &plan.spoken);
        let recode = Recode::new(formats, next);
        formats = next;
        let mut spec = task.clone();
        spec.class.clone_from(&plan.steps[0].class);
        spec.config = Vec::new();
        spec.formats = formats;
        spec.grants = grants::effective(policy, &plan.requests, &plan.config)?;
        let segment = plan.package.segment(spec, plan.steps);
        let recode = (!recode.is_identity()).then(|| Box::new(recode) as Box<dyn lockgate_pipeline::Recode>);
        links.push(Link { recode, segment });
    }
    Ok((Chain::with_links(links), formats))
}

impl Plan {
    /// The plugins of its steps and their predicates, each with its settings.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&PluginInfo, &[(String, String)])> {
        let of = |class: &str, kind| self.plugins.iter().find(move |p| p.kind == kind && answers_to(p, class));
        let steps = self.steps.iter().flat_map(move |step| {
            let own = of(&step.class, PluginKind::Transform).map(|p| (&**p, &step.config[..]));
            let guard = step.predicate.as_ref();
            let guard = guard.and_then(|g| Some((&**of(&g.class, PluginKind::Predicate)?, &g.config[..])));
            own.into_iter().chain(guard)
        });
        steps.collect::<Vec<_>>().into_iter()
    }

    fn add(&mut self, step: Step, plugins: Vec<Arc<PluginInfo>>) {
        self.requests.extend(plugins.iter().flat_map(|p| p.requests.iter().cloned()));
        self.config.extend(step.config.iter().cloned());
        self.steps.push(step);
        self.plugins.extend(plugins);
    }
}

fn step(
    transform: &TransformSpec,
    plugin: &PluginInfo,
    package: &PackageInfo,
) -> Result<(Step, Vec<Arc<PluginInfo>>), String> {
    let mut plugins = Vec::new();
    let predicate = match &transform.predicate {
        None => None,
        Some(predicate) => {
            let found = predicate_of(predicate, package)?;
            plugins.push(Arc::clone(found));
            Some(StepPredicate {
                alias: predicate.alias.clone(),
                class: found.class.clone(),
                config: pairs(&predicate.config),
                negate: transform.negate,
            })
        }
    };
    let (alias, class) = (transform.alias.clone(), plugin.class.clone());
    Ok((Step { alias, class, config: pairs(&transform.config), predicate }, plugins))
}

fn predicate_of<'a>(predicate: &PredicateSpec, package: &'a PackageInfo) -> Result<&'a Arc<PluginInfo>, String> {
    let fits = |p: &&Arc<PluginInfo>| p.kind == PluginKind::Predicate && answers_to(p, &predicate.class);
    let plugin = package.plugins.iter().find(fits).ok_or_else(|| {
        format!(
            "predicate {} has class {}, which package {} {} does not hold; a predicate and the transform that it guards \
             come from one package",
            predicate.alias, predicate.class, package.name, package.version
        )
    })?;
    let wish = predicate.version.as_deref().unwrap_or("latest");
    if !Wish::parse(wish)?.takes(&Version::parse(&package.version)) {
        return Err(format!(
            "predicate {} wants version {wish}, but the transform that it guards is of package {} {}, and both come from \
             one package",
            predicate.alias, package.name, package.version
        ));
    }
    Ok(plugin)
}

fn pairs(config: &IndexMap<String, String>) -> Vec<(String, String)> {
    config.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}
