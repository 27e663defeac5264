//! `lockgate package dev`: every change of a project runs in a worker, moments later.
//!
//! Enters: a project, a worker, the connector to try it with. Leaves: what the connector does, as it happens: records, counts, log,
//! failures. Invariant: what does not build, or is refused, leaves the former build running; at the end the worker is as it was,
//! unless it is to be kept.

mod deploy;
mod sources;
mod tap;
mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::task::JoinSet;

use crate::cli::documents::{self, Config};
use crate::cli::failure::Failure;
use crate::cli::remote::Remote;
use crate::cli::screen::Screen;
use crate::runtime;
use crate::signals::Signals;
use deploy::Deployment;
use sources::Sources;
use tap::Tap;
use view::View;

/// Ends `--help`.
pub const HELP: &str = "\
Needs a worker: `lockgate dev` in another terminal is one. The connector is that of connector.json in the project, in the form of
`lockgate connector apply`, or of KEY=VALUE arguments; its class is the package's only plugin if it names none.

Examples:
  lockgate package dev
  lockgate package dev my-sink topics=orders file=/data/out.txt
  lockgate package dev --server http://localhost:18083 --kafka localhost:19092 --keep";

/// How often the worker is asked what happened.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Options of `package dev`.
#[derive(Args, Debug)]
pub struct Dev {
    /// The project
    #[arg(default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Settings of the connector, over those of the file
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// The connector: a JSON or YAML file [default: connector.json of the project]
    #[arg(long, value_name = "FILE")]
    connector: Option<PathBuf>,
    /// Kafka brokers, to show records
    #[arg(long, default_value = "localhost:9092", value_name = "HOST:PORT")]
    kafka: String,
    /// How often the project is looked at, for example 300ms
    #[arg(long, default_value = "300ms", value_parser = humantime::parse_duration, value_name = "DURATION")]
    interval: Duration,
    /// Leaves connector and package on the worker at the end
    #[arg(long)]
    keep: bool,
}

/// Runs it until a signal.
pub fn run(options: &Dev, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let config = config(options)?;
    // Fails now if nobody is there.
    remote.get("/")?;
    runtime::block_on(async {
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        let mut signals = Signals::listen()?;
        let stopping = Arc::clone(&stop);
        tasks.spawn(async move {
            signals.next().await;
            stopping.store(true, Relaxed);
            signals.next().await;
            std::process::exit(130);
        });
        let tap = Tap::start(&options.kafka, &mut tasks);
        let mut session =
            Session { deployment: Deployment::new(remote, config), view: View::default(), tap, options, stop };
        let outcome = tokio::task::block_in_place(|| session.run(screen));
        tasks.shutdown().await;
        outcome
    })
}

/// The settings of the connector, complete but for its class.
fn config(options: &Dev) -> Result<Config, Failure> {
    let default = options.project.join("connector.json");
    let file = options.connector.clone().or_else(|| default.exists().then_some(default));
    let mut config = match &file {
        Some(file) => documents::read_config(file)?,
        None if options.settings.is_empty() => {
            return Err(Failure::Usage(format!(
                "which connector? There is no connector.json in {}, and no KEY=VALUE on the command line",
                options.project.display()
            )));
        }
        None => Config::new(),
    };
    for setting in &options.settings {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Failure::Usage(format!("`{setting}` is not KEY=VALUE")));
        };
        config.insert(key.trim().to_owned(), value.to_owned());
    }
    if !config.contains_key("name") {
        let project = options.project.canonicalize().unwrap_or_else(|_| options.project.clone());
        let name = project.file_name().map_or_else(|| "package".into(), |name| name.to_string_lossy().into_owned());
        config.insert("name".to_owned(), format!("{name}-dev"));
    }
    Ok(config)
}

struct Session<'a> {
    deployment: Deployment<'a>,
    view: View,
    tap: Tap,
    options: &'a Dev,
    stop: Arc<AtomicBool>,
}

impl Session<'_> {
    fn run(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let watched = self.watch(screen);
        if self.options.keep {
            return watched;
        }
        screen.tell("putting the worker back as it was")?;
        let restored = self.deployment.restore();
        watched.and(restored)
    }

    fn watch(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let mut built = Sources::default();
        let mut looked = Instant::now();
        while !self.stop.load(Relaxed) {
            let now = Sources::of(&self.options.project)?;
            if now != built {
                // An editor may still be writing.
                sleep(self.options.interval);
                if Sources::of(&self.options.project)? == now {
                    built = now;
                    self.rebuild(screen)?;
                }
                continue;
            }
            self.tap.show(screen)?;
            if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                let (remote, name) = (self.deployment.remote(), self.deployment.name());
                if self.deployment.is_there() {
                    self.view.look(remote, name, screen)?;
                    self.tap.follow(self.view.topics());
                }
            }
            sleep(self.options.interval.min(LOOK_EVERY));
        }
        Ok(())
    }

    /// Builds and deploys; what fails is said and changes nothing.
    fn rebuild(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        screen.tell(&format!("building {}", self.options.project.display()))?;
        let began = Instant::now();
        let deployed = super::build::build(&self.options.project).and_then(|file| self.deployment.deploy(&file));
        match deployed {
            Ok(said) => screen.tell(&format!("{said} ({:.1} s)", began.elapsed().as_secs_f64())),
            Err(Failure::Closed) => Err(Failure::Closed),
            Err(failure) => {
                failure.say();
                let rest = match self.deployment.version() {
                    Some(version) => format!("{version} keeps running"),
                    None => "nothing runs yet".to_owned(),
                };
                screen.tell(&format!("not deployed; {rest}. Waiting for a change"))
            }
        }
    }
}
