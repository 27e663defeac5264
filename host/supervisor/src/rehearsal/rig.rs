//! The plugin of a scenario on the bench: what a task is made of, without Kafka.
//!
//! Enters: a package, a scenario. Leaves: the plugin's configuration, grants, limits, log, state. Invariant: the same checks,
//! grants and limits as a worker's; nothing is granted that the plugin does not ask for; the folder is gone with the rig.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate_config::definitions::of_plugin;
use lockgate_config::reading::check;
use lockgate_model::package::{ConfigType, PluginInfo, PluginKind};
use lockgate_model::{GuestError, GuestFigure, Position, TaskId};
use lockgate_wasm::{FarEnd, GuestLog, LogLevel, Package, Policy, TaskSpec};
use serde_json::{Map, Value, json};

use super::scenario::{PositionSpec, Scenario};
use super::script::{self, Script};
use crate::grants;

/// Bytes of a file of `${dir}` that are shown.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Bytes of a secret at least: what is shorter stands in too many other texts.
const SECRET_BYTES_MIN: usize = 4;
/// Lines kept of one scenario.
const LINES_MAX: usize = 10_000;

/// The lines of a plugin.
#[derive(Default)]
pub(super) struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl GuestLog for Lines {
    fn line(&self, level: LogLevel, text: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < LINES_MAX {
            lines.push((level, text.to_owned()));
        }
    }

    fn lowest(&self) -> LogLevel {
        LogLevel::Debug
    }
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The lines from one on, level and text.
    pub(super) fn since(&self, at: usize) -> Vec<(&'static str, String)> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |level: LogLevel| match level {
            LogLevel::Trace => "TRACE",
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warn => "WARN",
            LogLevel::Error => "ERROR",
        };
        lines.iter().skip(at).map(|(level, text)| (name(*level), text.clone())).collect()
    }
}

/// Why a step did not do what it should.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The plugin.
    Guest(GuestError),
    /// The scenario makes no sense, or the plugin does what no worker takes.
    Scenario(String),
}

impl From<GuestError> for Trouble {
    fn from(error: GuestError) -> Self {
        Self::Guest(error)
    }
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Scenario(why)
    }
}

/// What came of a step, by the names of expectations.
pub(super) type Came = Map<String, Value>;

/// The plugin on the bench.
pub(super) struct Rig {
    pub package: Arc<Package>,
    pub plugin: Arc<PluginInfo>,
    /// The connector's configuration.
    pub config: Vec<(String, String)>,
    pub policy: Policy,
    pub lines: Arc<Lines>,
    pub script: Arc<Script>,
    pub cancel: Arc<AtomicBool>,
    pub tasks_max: u32,
    /// Without the task's configuration.
    pub spec: TaskSpec,
    dir: tempfile::TempDir,
}

impl Rig {
    pub(super) fn new(package: &Arc<Package>, scenario: &Scenario, recording: bool) -> Result<Self, String> {
        let plugin = plugin(package, scenario)?;
        let dir = tempfile::tempdir().map_err(|e| format!("no folder for ${{dir}} can be made: {e}"))?;
        let path = dir.path().canonicalize().map_err(|e| e.to_string())?;
        for (name, content) in &scenario.files {
            write(&path, name, content)?;
        }
        let mut config = settings(scenario, &path)?;
        let mut set = |key: &str, value: &str| {
            if !config.iter().any(|(k, _)| k == key) {
                config.push((key.to_owned(), value.to_owned()));
            }
        };
        let connector = scenario.connector.as_deref().unwrap_or("test");
        if matches!(plugin.kind, PluginKind::Source | PluginKind::Sink) {
            set("connector.class", &plugin.class);
            set("name", connector);
        }
        let script = Arc::new(Script::new(&scenario.http, secrets(&plugin, &config, scenario), recording)?);
        let id = TaskId { tenant: "default".into(), connector: connector.into(), task: scenario.task };
        let mut spec = TaskSpec::new(id, plugin.class.clone());
        let (lines, cancel) = (Arc::<Lines>::default(), Arc::<AtomicBool>::default());
        spec.log = Arc::clone(&lines) as Arc<dyn GuestLog>;
        spec.cancel = Arc::clone(&cancel);
        spec.far_end = Some(Arc::clone(&script) as Arc<dyn FarEnd>);
        spec.limits = scenario.limits.limits();
        let tasks_max = scenario.tasks_max.unwrap_or(scenario.task + 1).max(scenario.task + 1);
        let policy = policy(scenario, &path, recording)?;
        let package = Arc::clone(package);
        Ok(Self { package, plugin, config, policy, lines, script, cancel, tasks_max, spec, dir })
    }

    /// What a worker would refuse before it stores the configuration: key and problem.
    pub(super) async fn problems(&self) -> Result<Came, Trouble> {
        let mut problems = Came::new();
        for known in of_plugin("", &self.plugin) {
            let name = &known.definition.name;
            let given = self.config.iter().find(|(key, _)| key == name).map(|(_, value)| Some(value.clone()));
            if let Some(error) = check(&known, given.as_ref()).errors.first() {
                problems.insert(name.clone(), Value::from(error.message.as_str()));
            }
        }
        if problems.is_empty() {
            for advice in self.package.validate(&self.plugin.class, &self.config).await? {
                if let Some(error) = advice.errors.first() {
                    problems.insert(advice.name, Value::from(error.as_str()));
                }
            }
        }
        let settings = grants::with_defaults(&self.plugin, &self.config);
        for (key, text) in grants::refusals(&self.policy, &self.plugin.requests, &settings) {
            problems.entry(key.unwrap_or_else(|| "connector.class".to_owned())).or_insert(Value::from(text));
        }
        Ok(problems)
    }

    /// The configurations of the tasks.
    pub(super) async fn tasks(&self, max: u32) -> Result<Vec<Vec<(String, String)>>, Trouble> {
        let (class, connector) = (&self.plugin.class, &self.spec.id.connector);
        Ok(self.package.tasks(self.plugin.kind, class, connector, &self.config, max).await?)
    }

    /// The task's spec, complete.
    pub(super) async fn task(&self) -> Result<TaskSpec, Trouble> {
        let mut tasks = self.tasks(self.tasks_max).await?;
        let (task, count) = (self.spec.id.task as usize, tasks.len());
        if task >= count {
            return Err(Trouble::Scenario(format!(
                "there is no task {task}: the plugin made {count} of tasks_max {}",
                self.tasks_max
            )));
        }
        let mut spec = self.spec.clone();
        spec.config = tasks.swap_remove(task);
        let settings = grants::with_defaults(&self.plugin, &spec.config);
        spec.grants = grants::effective(&self.policy, &self.plugin.requests, &settings)?;
        Ok(spec)
    }

    /// The files of the folder, by relative path.
    pub(super) fn files(&self) -> Value {
        let mut found = Map::new();
        let mut open = vec![self.dir.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(name) = path.strip_prefix(self.dir.path()) {
                    let size = entry.metadata().map_or(0, |data| data.len());
                    let content = if size > FILE_BYTES_MAX {
                        Value::from(format!("({size} bytes)"))
                    } else {
                        std::fs::read(&path).map_or(Value::Null, |bytes| script::written(&bytes))
                    };
                    found.insert(name.display().to_string(), content);
                }
            }
        }
        Value::Object(found)
    }

    /// The plugin's own figures.
    pub(super) fn metrics(&self) -> Value {
        let figures = self.spec.metrics.guest.snapshot().figures;
        let figure = |(name, figure): &(String, GuestFigure)| match figure {
            GuestFigure::Counter(value) | GuestFigure::Gauge(value) => (name.clone(), json!(value)),
            GuestFigure::Summary { count, sum } => (name.clone(), json!({"count": count, "sum": sum})),
        };
        Value::Object(figures.iter().map(figure).collect())
    }
}

fn plugin(package: &Arc<Package>, scenario: &Scenario) -> Result<Arc<PluginInfo>, String> {
    let info = package.info();
    let classes = || info.plugins.iter().map(|p| p.class.as_str()).collect::<Vec<_>>().join(", ");
    let of_chain = || {
        let is_chain = scenario.config.contains_key("transforms");
        info.plugins.iter().find(|p| is_chain && p.kind == PluginKind::Transform)
    };
    let wanted = scenario.plugin.as_deref().or_else(|| scenario.config.get("connector.class")?.as_str());
    let Some(wanted) = wanted else {
        return match (&info.plugins[..], of_chain()) {
            ([only], _) => Ok(Arc::clone(only)),
            (_, Some(any)) => Ok(Arc::clone(any)),
            _ => Err(format!("the package has several plugins ({}): name one as `plugin`", classes())),
        };
    };
    let found = info.plugins.iter().find(|p| crate::registry::answers_to(p, wanted));
    found.cloned().ok_or_else(|| format!("the package has no plugin {wanted}; it has {}", classes()))
}

fn settings(scenario: &Scenario, dir: &std::path::Path) -> Result<Vec<(String, String)>, String> {
    let dir = dir.display().to_string();
    let setting = |(key, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.replace("${dir}", &dir),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err(format!("config.{key} is neither text, a number nor a boolean")),
        };
        Ok((key.clone(), environment(&text)))
    };
    scenario.config.iter().map(setting).collect()
}

/// `${env:NAME}` filled in.
fn environment(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${env:") else { return text.to_owned() };
    let Some((name, after)) = rest.split_once('}') else { return text.to_owned() };
    let value = std::env::var(name).unwrap_or_else(|_| "***".to_owned());
    format!("{before}{value}{}", environment(after))
}

/// Values that are never recorded: passwords, and what came from the environment.
fn secrets(plugin: &PluginInfo, config: &[(String, String)], scenario: &Scenario) -> Vec<String> {
    let is_password =
        |key: &str| plugin.config.iter().any(|known| known.name == key && known.config_type == ConfigType::Password);
    let is_secret = |key: &str| {
        let written = scenario.config.get(key).and_then(Value::as_str).unwrap_or_default();
        is_password(key) || written.contains("${env:")
    };
    let secret = config.iter().filter(|(key, value)| is_secret(key) && value.len() >= SECRET_BYTES_MIN);
    secret.map(|(_, value)| value.clone()).collect()
}

fn policy(scenario: &Scenario, dir: &std::path::Path, recording: bool) -> Result<Policy, String> {
    let given = &scenario.grants;
    let dir = dir.display().to_string();
    let here = |list: &[String]| list.join(",").replace("${dir}", &dir);
    let http = given.http.as_ref().map_or_else(|| "*".to_owned(), |list| here(list));
    let read = [here(&given.read), dir.clone()].join(",");
    let write = given.write.as_ref().map_or_else(|| dir.clone(), |list| here(list));
    // A recording is made on the author's own machine, often of a service on it.
    let own = if recording { ",127.0.0.0/8,::1/128" } else { "" };
    let private = format!("{}{own}", here(&given.private));
    Policy::parse(&http, &here(&given.tcp), &read, &write, &private).map_err(|problems| problems.join("; "))
}

fn write(dir: &std::path::Path, name: &str, content: &str) -> Result<(), String> {
    let path = PathBuf::from(name);
    if path.is_absolute() || path.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
        return Err(format!("files: `{name}` is not a path below ${{dir}}"));
    }
    let path = dir.join(path);
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, content));
    made.map_err(|e| format!("files: {}: {e}", path.display()))
}

/// State and positions that are stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored(pub Vec<Position>);

impl Stored {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let task = scenario.task;
        let state = scenario.state.iter().map(|(key, value)| Position {
            partition: json!({"lockgate.state": key, "task": task}).to_string().into(),
            offset: Some(json!({"v": STANDARD.encode(script::bytes(value))}).to_string().into()),
        });
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let position =
            |p: &PositionSpec| Position { partition: text(&p.partition).into(), offset: Some(text(&p.offset).into()) };
        Self(state.chain(scenario.positions.iter().map(position)).collect())
    }

    /// Puts these in place of what was there.
    pub(super) fn take(&mut self, positions: impl IntoIterator<Item = Position>) {
        for position in positions {
            self.0.retain(|p| p.partition != position.partition);
            if position.offset.is_some() {
                self.0.push(position);
            }
        }
    }

    /// The state, by key.
    pub(super) fn state(&self) -> Value {
        let entry = |position: &Position| {
            let place: Value = serde_json::from_str(&position.partition).ok()?;
            let key = place.get("lockgate.state")?.as_str()?.to_owned();
            let value: Value = serde_json::from_str(position.offset.as_deref()?).ok()?;
            let bytes = STANDARD.decode(value.get("v")?.as_str()?).ok()?;
            Some((key, script::written(&bytes)))
        };
        Value::Object(self.0.iter().filter_map(entry).collect())
    }

    /// The positions, without state.
    pub(super) fn positions(&self) -> Value {
        let all = self.0.iter().filter(|p| !p.partition.contains("\"lockgate.state\""));
        all.map(|p| shown(p, None)).collect()
    }
}

/// A position as expectations see it.
pub(super) fn shown(position: &Position, after_row: Option<u32>) -> Value {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let mut value = json!({"partition": json(&position.partition), "offset": position.offset.as_deref().map(json)});
    if let Some(row) = after_row {
        value["after_row"] = if row == u32::MAX { Value::Null } else { json!(row) };
    }
    value
}
