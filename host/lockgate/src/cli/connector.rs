//! `lockgate connector`.
//!
//! Enters: names, settings, files. Leaves: Kafka Connect's calls for connectors, and their answers as tables. Invariant: no
//! decision about a connector is made here; a command that names several goes on after one that fails.

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::{Map, Value, json};

use super::apply::{self, Apply};
use super::documents::{self, Wanted};
use super::failure::Failure;
use super::logs::{self, Logs};
use super::offsets;
use super::remote::{Answer, Remote, path};
use super::screen::Screen;
use super::secrets::Secrets;
use super::status;
use super::table::{Table, clean};
use super::wait::Wait;
use super::watch::Watch;

/// Commands of `lockgate connector`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists all connectors with their states
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        watch: Watch,
    },
    /// Shows a connector: kind, tasks, settings (values of passwords are hidden; -o json has them)
    #[command(visible_alias = "describe")]
    Get {
        /// The connector
        name: String,
    },
    /// Creates connectors, from files or from settings on the command line
    Create {
        /// Files, folders, or - for standard input
        #[arg(short, long = "file", value_name = "PATH", required_unless_present = "name")]
        files: Vec<PathBuf>,
        /// The connector, when its settings follow
        #[arg(conflicts_with = "files")]
        name: Option<String>,
        /// Its settings
        #[arg(value_name = "KEY=VALUE", value_parser = setting, requires = "name")]
        settings: Vec<(String, String)>,
        /// Where it begins
        #[arg(long, value_name = "STATE", value_parser = ["running", "paused", "stopped"], ignore_case = true)]
        state: Option<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Makes the cluster equal to files or folders: creates, updates, and with --prune deletes
    Apply(Apply),
    /// Shows states of a connector and its tasks, traces shortened
    Status {
        /// The connector
        name: String,
        /// Shows whole traces
        #[arg(long)]
        trace: bool,
        #[command(flatten)]
        watch: Watch,
    },
    /// Shows or changes a connector's settings (what is not named stays)
    Config {
        /// The connector
        name: String,
        /// Sets a key
        #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
        set: Vec<(String, String)>,
        /// Removes a key
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
        /// Replaces all settings by those of a file, or of standard input (-)
        #[arg(short, long = "file", value_name = "PATH", conflicts_with_all = ["set", "unset"])]
        file: Option<PathBuf>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Pauses connectors: tasks stay and do nothing
    Pause(Names),
    /// Resumes paused or stopped connectors
    Resume(Names),
    /// Stops connectors: tasks are taken away, the configuration and the offsets stay
    Stop(Names),
    /// Restarts a connector, its tasks, or one task
    Restart {
        /// The connector
        name: String,
        /// Its tasks too
        #[arg(long)]
        include_tasks: bool,
        /// Only what has FAILED
        #[arg(long)]
        only_failed: bool,
        /// Only this task
        #[arg(long, value_name = "NUMBER", conflicts_with_all = ["include_tasks", "only_failed"])]
        task: Option<u32>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Deletes connectors; their offsets stay
    #[command(visible_alias = "rm")]
    Delete {
        /// The connectors
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Shows, sets or removes the offsets of a connector
    #[command(subcommand)]
    Offsets(offsets::Command),
    /// Shows what a connector's plugins logged
    Logs(Logs),
}

/// Connectors, and whether to wait for them.
#[derive(clap::Args, Debug)]
pub struct Names {
    /// The connectors
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::List { watch } => watch.run(screen, |screen| {
            let answer = remote.get("/connectors?expand=info&expand=status")?;
            screen.form(&answer, |all| Ok(status::list(all)))
        }),
        Command::Get { name } => get(&name, remote, screen),
        Command::Create { files, name, settings, state, wait } => {
            let wanted = match name {
                Some(name) => Ok(vec![named(name, settings)]),
                None => from_files(&files),
            };
            create_all(wanted?, state, &wait, remote, screen)
        }
        Command::Apply(options) => apply::run(&options, remote, screen),
        Command::Status { name, trace, watch } => watch.run(screen, |screen| {
            let answer = remote.get(&path(&["connectors", &name, "status"]))?;
            screen.form(&answer, |one| Ok(status::one(one, trace)))
        }),
        Command::Config { name, set, unset, file, wait } => {
            if let Some(file) = file {
                let config = json!(documents::read_config(&file)?);
                let answer = remote.send(&Method::PUT, &path(&["connectors", &name, "config"]), &config)?;
                return changed(&name, &answer, &wait, remote, screen);
            }
            config(&name, set, unset, &wait, remote, screen)
        }
        Command::Pause(names) => turn(&names, "pause", "PAUSED", remote, screen),
        Command::Resume(names) => turn(&names, "resume", "RUNNING", remote, screen),
        Command::Stop(names) => turn(&names, "stop", "STOPPED", remote, screen),
        Command::Restart { name, include_tasks, only_failed, task, wait } => {
            restart(&name, include_tasks, only_failed, task, remote, screen)?;
            wait.reach(remote, &[name], "RUNNING", screen)
        }
        Command::Delete { names } => super::for_each(&names, |name| {
            remote.delete(&path(&["connectors", name]))?;
            screen.tell(&format!("{} deleted", clean(name)))
        }),
        Command::Offsets(command) => offsets::run(command, remote, screen),
        Command::Logs(options) => logs::run(&options, remote, screen),
    }
}

/// `POST /connectors`.
pub fn create(remote: &Remote, wanted: &Wanted) -> Result<Answer, Failure> {
    let mut body = json!({"name": wanted.name, "config": wanted.config});
    if let Some(state) = &wanted.initial_state {
        body["initial_state"] = Value::from(state.to_uppercase());
    }
    remote.send(&Method::POST, "/connectors", &body)
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    if key.is_empty() { Err("there is no key before =".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}

fn named(name: String, settings: Vec<(String, String)>) -> Wanted {
    Wanted { name, config: settings.into_iter().collect(), initial_state: None, file: "the command line".to_owned() }
}

fn from_files(files: &[PathBuf]) -> Result<Vec<Wanted>, Failure> {
    let read = documents::read(files)?;
    super::for_each(read.failures, Err)?;
    if read.wanted.is_empty() {
        return Err(Failure::Invalid("the files hold no connector".to_owned()));
    }
    Ok(read.wanted)
}

fn create_all(
    wanted: Vec<Wanted>,
    state: Option<String>,
    wait: &Wait,
    remote: &Remote,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let mut created = Vec::new();
    let mut outcome = Ok(());
    for mut wanted in wanted {
        wanted.initial_state = state.clone().or(wanted.initial_state);
        let done = create(remote, &wanted).and_then(|answer| {
            created.push(wanted.name.clone());
            screen.show(&answer, |_| Ok(format!("{} created\n", clean(&wanted.name))))
        });
        outcome = Failure::both(outcome, done);
    }
    Failure::both(outcome, wait.settled(remote, &created, screen))
}

fn get(name: &str, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let answer = remote.get(&path(&["connectors", name]))?;
    screen.show(&answer, |info| {
        let tasks = info["tasks"].as_array().map_or(0, Vec::len);
        let kind = info["type"].as_str().unwrap_or_default();
        let head = format!("{}: a {} with {tasks} task(s)\n\n", clean(name), clean(kind));
        Ok(head + &settings(&info["config"], remote)?)
    })
}

fn config(
    name: &str,
    set: Vec<(String, String)>,
    unset: Vec<String>,
    wait: &Wait,
    remote: &Remote,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let address = path(&["connectors", name, "config"]);
    if set.is_empty() && unset.is_empty() {
        return screen.show(&remote.get(&address)?, |config| settings(config, remote));
    }
    let set = set.into_iter().map(|(key, value)| (key, Value::from(value)));
    let patch: Map<String, Value> = set.chain(unset.into_iter().map(|key| (key, Value::Null))).collect();
    let answer = remote.send(&Method::PATCH, &address, &Value::Object(patch))?;
    changed(name, &answer, wait, remote, screen)
}

fn changed(name: &str, answer: &Answer, wait: &Wait, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let deed = if answer.status == 201 { "created" } else { "updated" };
    screen.show(answer, |_| Ok(format!("{} {deed}\n", clean(name))))?;
    wait.settled(remote, &[name.to_owned()], screen)
}

/// A table of settings, secrets hidden.
fn settings(config: &Value, remote: &Remote) -> Result<String, Failure> {
    let mut secrets = Secrets::default();
    let class = config["connector.class"].as_str().unwrap_or_default();
    let mut table = Table::new(&["KEY", "VALUE"]);
    let mut pairs: Vec<(&String, &Value)> = config.as_object().into_iter().flatten().collect();
    pairs.sort_by_key(|(key, _)| key.as_str());
    for (key, value) in pairs {
        let value = value.as_str().unwrap_or_default();
        table.row([key.clone(), secrets.shown(remote, class, key, value)?.to_owned()]);
    }
    Ok(table.text())
}

fn turn(names: &Names, verb: &str, state: &'static str, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let mut turned = Vec::new();
    let outcome = super::for_each(&names.names, |name| {
        remote.put(&path(&["connectors", name, verb]))?;
        turned.push(name.to_owned());
        screen.tell(&format!("{}: {verb} accepted", clean(name)))
    });
    Failure::both(outcome, names.wait.reach(remote, &turned, state, screen))
}

fn restart(
    name: &str,
    include_tasks: bool,
    only_failed: bool,
    task: Option<u32>,
    remote: &Remote,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if let Some(task) = task {
        remote.post(&path(&["connectors", name, "tasks", &task.to_string(), "restart"]))?;
        return screen.tell(&format!("{}: restart of task {task} accepted", clean(name)));
    }
    let query = format!("?includeTasks={include_tasks}&onlyFailed={only_failed}");
    let answer = remote.post(&(path(&["connectors", name, "restart"]) + &query))?;
    screen.tell(&format!("{}: restart accepted", clean(name)))?;
    // 202 has the planned states, 204 nothing.
    if answer.body.is_empty() { Ok(()) } else { screen.show(&answer, |planned| Ok(status::one(planned, false))) }
}
