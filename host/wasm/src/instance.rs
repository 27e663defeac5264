//! One component in its store: what all calls into a guest have in common.
//!
//! Enters: a package, a task's spec. Leaves: calls with their limits, typed errors with the guest's back-trace. Invariant:
//! after a trap, a limit, a deadline or a dropped call nothing enters the instance again.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockgate_model::fault::{GuestError, PluginError, PluginFailure};
use lockgate_model::{Position, TaskMetrics};
use wasmtime::Store;
use wasmtime::component::{Instance as Component, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup;
use wasmtime_wasi::sockets::WasiSocketsView;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::abi::imports::faults::Fault as WitFault;
use crate::abi::imports::tasks::TaskContext;
use crate::abi::{fault, formats};
use crate::call::{Meter, backtrace, failure};
use crate::egress::Egress;
use crate::engine::Core;
use crate::grants::Grants;
use crate::guest_state::GuestState;
use crate::imports::GuestHost;
use crate::limiter::Limiter;
use crate::outgoing;
use crate::package::Package;
use crate::spec::{Limits, LogLevel, TaskSpec};
use crate::stdio::Stdio;
use crate::volume::LogGate;
use crate::wasi::{self, HasLookup, Lookup, SharedResolved};

/// What one store holds for its guest.
pub(crate) struct HostState {
    pub(crate) host: GuestHost,
    limiter: Limiter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
    table: ResourceTable,
    grants: Arc<Grants>,
    resolved: SharedResolved,
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.egress }
    }
}

impl HostState {
    /// Everything that a package may import, linked once for all packages.
    pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Self>> {
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        linker.allow_shadowing(true);
        outgoing::add_to_linker(&mut linker)?;
        ip_name_lookup::add_to_linker::<Self, HasLookup>(&mut linker, Self::lookup)?;
        linker.allow_shadowing(false);
        crate::abi::bindings::WholePackage::add_to_linker::<Self, GuestHost>(&mut linker, |state| &mut state.host)?;
        // `describe` names types of it only, but toolchains import what they use.
        linker.instance("lockgate:connect/plugin@0.1.0")?;
        Ok(linker)
    }

    fn lookup(&mut self) -> Lookup<'_> {
        let (grants, resolved, gate) =
            (Arc::clone(&self.grants), Arc::clone(&self.resolved), Arc::clone(&self.host.gate));
        Lookup { sockets: self.sockets(), grants, resolved, gate }
    }
}

/// What a task's instances share.
pub(crate) struct Shared {
    pub(crate) package: Arc<Package>,
    pub(crate) spec: TaskSpec,
    gate: Arc<LogGate>,
    grants: Arc<Grants>,
}

impl Shared {
    pub(crate) fn new(package: &Arc<Package>, mut spec: TaskSpec) -> Self {
        // Aliases are the host's business: the guest hears its own class.
        if let Some(class) = package.class_of(&spec.class) {
            spec.class = class.to_owned();
        }
        let (gate, grants) = (Arc::new(LogGate::new(&spec)), Arc::new(spec.grants.clone()));
        Self { package: Arc::clone(package), spec, gate, grants }
    }

    /// What a guest hears when it is opened.
    pub(crate) fn context<'a>(&'a self, config: &'a [(&'a str, &'a str)]) -> TaskContext<'a> {
        let spec = &self.spec;
        let (class, connector, task) = (spec.class.as_str(), &*spec.id.connector, spec.id.task);
        TaskContext { class, connector, task, config, formats: formats(spec.formats) }
    }
}

/// The bounds of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

impl Budget {
    pub(crate) const fn call(limits: &Limits) -> Self {
        Self { cpu: limits.cpu, wall: limits.call }
    }

    pub(crate) const fn open(limits: &Limits) -> Self {
        Self { cpu: limits.open, wall: limits.open }
    }

    pub(crate) const fn close(limits: &Limits) -> Self {
        Self { cpu: limits.close, wall: limits.close }
    }
}

/// A live instance, or a dead one.
pub(crate) struct Instance {
    pub(crate) store: Store<HostState>,
    core: Arc<Core>,
    names: Names,
    metrics: Arc<TaskMetrics>,
    meter: Arc<Meter>,
    stderr: Stdio,
    stdout: Stdio,
    /// A call is under way or ended badly.
    dead: bool,
}

/// Whose errors these are.
#[derive(Clone)]
struct Names {
    package: String,
    version: String,
    class: String,
}

/// A call that was begun.
pub(crate) struct Call {
    name: &'static str,
    budget: Budget,
    begun: Instant,
    meter: Arc<Meter>,
    _ticking: crate::epoch::Active,
}

impl Call {
    /// Runs the guest: `None` if the wall-clock deadline passed.
    pub(crate) async fn run<T>(&self, guest: impl Future<Output = T>) -> Option<T> {
        self.meter.run(self.budget.wall, guest).await
    }
}

impl Instance {
    /// Makes a store and instantiates the package in it.
    pub(crate) async fn new(shared: &Shared, stored: &[Position]) -> Result<(Self, Component), GuestError> {
        let (package, spec) = (&shared.package, &shared.spec);
        let info = package.known_as();
        let names = Names { package: info.0, version: info.1, class: spec.class.clone() };
        let (state, positions) = GuestState::load(spec.id.task, stored);
        let stdout = Stdio::new(Arc::clone(&shared.gate), LogLevel::Info);
        let stderr = Stdio::new(Arc::clone(&shared.gate), LogLevel::Warn);
        let resolved = Arc::new(Mutex::default());
        let wasi = wasi::context(&shared.grants, &shared.gate, &resolved, &stdout, &stderr).map_err(|e| {
            let failure = PluginFailure::Instantiate(format!("a granted directory cannot be opened: {e:#}"));
            error(&names, "open", failure, Vec::new())
        })?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(spec.limits.handles_max);
        let connections = spec.limits.connections_max;
        let data = HostState {
            host: GuestHost::new(spec, Arc::clone(&shared.gate), state, &positions),
            limiter: Limiter::new(spec.limits.memory_bytes),
            wasi,
            http: WasiHttpCtx::new(),
            egress: Egress::new(
                Arc::clone(&shared.grants),
                Arc::clone(&shared.gate),
                Arc::clone(&package.core().trust),
                connections,
            )
            .with_far_end(spec.far_end.clone()),
            table,
            grants: Arc::clone(&shared.grants),
            resolved,
        };
        let core = Arc::clone(package.core());
        let mut store = Store::new(&core.wasm, data);
        let meter = Arc::new(Meter::new(core.options.pool.tick));
        let ticks = Arc::clone(&meter);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(spec.limits.hostcall_bytes);
        store.set_max_component_handles(spec.limits.handles_max);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| Ok(ticks.tick()));
        let metrics = Arc::clone(&spec.metrics);
        let mut instance = Self { store, core, names, metrics, meter, stderr, stdout, dead: false };
        let call = instance.begin("open", Budget::open(&spec.limits))?;
        let made = call.run(package.pre().instantiate_async(&mut instance.store)).await;
        let component = instance.end(&call, made).map_err(|mut e| {
            if let PluginFailure::Trap(text) = &e.failure {
                e.failure = PluginFailure::Instantiate(text.clone());
            }
            e
        })?;
        Ok((instance, component))
    }

    /// The exports of one kind, found once so that no call looks for them.
    pub(crate) fn guest<I, G>(
        &mut self,
        kind: &str,
        indices: Option<&I>,
        load: impl FnOnce(&I, &mut Store<HostState>) -> wasmtime::Result<G>,
    ) -> Result<G, GuestError> {
        let Some(indices) = indices else {
            return Err(self.protocol("open", format!("the package has no {kind}")));
        };
        load(indices, &mut self.store).map_err(|e| self.protocol("open", format!("{e:#}")))
    }

    /// Begins a call. Until [`Instance::end`] says otherwise the instance counts as dead, so that a call that is dropped
    /// half-way is the last one.
    pub(crate) fn begin(&mut self, name: &'static str, budget: Budget) -> Result<Call, Box<PluginError>> {
        if self.dead {
            let failure = PluginFailure::Trap("an earlier call ended this instance".to_owned());
            return Err(error(&self.names, name, failure, Vec::new()));
        }
        self.dead = true;
        self.meter.begin(budget.cpu);
        self.store.data_mut().limiter.take_refused();
        self.stderr.take_last_words();
        // The epoch went on while other guests ran.
        self.store.set_epoch_deadline(1);
        let (begun, meter) = (Instant::now(), Arc::clone(&self.meter));
        Ok(Call { name, budget, begun, meter, _ticking: self.core.ticker.enter() })
    }

    /// Ends a call: the instance lives on only if the engine says that all went well.
    pub(crate) fn end<T>(&mut self, call: &Call, outcome: Option<wasmtime::Result<T>>) -> Result<T, Box<PluginError>> {
        self.metrics.guest_time.observe(call.begun.elapsed());
        let refused = self.store.data_mut().limiter.take_refused();
        let (failure, frames) = match outcome {
            Some(Ok(value)) => {
                self.dead = false;
                return Ok(value);
            }
            None => (PluginFailure::Deadline(call.budget.wall), Vec::new()),
            Some(Err(e)) if self.meter.exceeded() => (PluginFailure::Cpu(call.budget.cpu), backtrace(&e)),
            Some(Err(e)) => (failure(&e, refused, &self.stderr.take_last_words()), backtrace(&e)),
        };
        self.stdout.finish();
        self.stderr.finish();
        Err(error(&self.names, call.name, failure, frames))
    }

    /// As [`Instance::end`], for a call that answers with a value or a fault about so many rows.
    pub(crate) fn answer<T>(
        &mut self,
        call: &Call,
        outcome: Option<wasmtime::Result<Result<T, WitFault>>>,
        rows: usize,
    ) -> Result<T, GuestError> {
        match self.end(call, outcome)? {
            Ok(value) => Ok(value),
            Err(wit) => match fault::lift(wit, rows) {
                Ok(fault) => Err(GuestError::Fault(fault)),
                Err(why) => Err(self.protocol(call.name, why)),
            },
        }
    }

    /// The guest broke the contract: the instance is dead.
    pub(crate) fn protocol(&mut self, call: &'static str, why: impl Into<String>) -> GuestError {
        self.dead = true;
        GuestError::Plugin(error(&self.names, call, PluginFailure::Protocol(why.into()), Vec::new()))
    }

    /// State entries that changed since the last call of this.
    pub(crate) fn take_state(&mut self) -> Vec<Position> {
        self.store.data_mut().host.state.take()
    }
}

fn error(names: &Names, call: &'static str, failure: PluginFailure, backtrace: Vec<String>) -> Box<PluginError> {
    let Names { package, version, class } = names.clone();
    Box::new(PluginError { package, version, class, call, failure, backtrace })
}
