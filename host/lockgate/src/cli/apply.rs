//! `lockgate connector apply`: a cluster becomes equal to files.
//!
//! Enters: files, what is there. Leaves: created, updated, deleted connectors, a line for each and a summary. Invariant: what
//! is as wanted is not touched, so that nothing restarts; a file that is not understood deletes nothing; one failure does not
//! stop the others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::change::{Step, steps};
use super::connector::create;
use super::documents::{self, Config, Documents};
use super::failure::Failure;
use super::plugin::{problems, validate};
use super::remote::{Remote, path};
use super::screen::Screen;
use super::secrets::Secrets;
use super::table::clean;
use super::wait::Wait;

/// Options of `apply`.
#[derive(Args, Debug)]
pub struct Apply {
    /// Files, folders (their .json, .yaml and .yml files), or - for standard input
    #[arg(short, long = "file", required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Deletes the connectors that no file wants
    #[arg(long)]
    prune: bool,
    /// Lets --prune delete everything when the files hold no connector at all
    #[arg(long, requires = "prune")]
    allow_empty: bool,
    /// Shows the differences, checks the configurations on the worker, changes nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
}

/// One line of the report for scripts.
#[derive(Serialize)]
struct Line {
    name: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Shown>,
}

/// A difference whose secrets are hidden.
#[derive(Clone, Serialize)]
struct Shown {
    key: String,
    before: Option<String>,
    after: Option<String>,
}

/// Runs it.
pub fn run(options: &Apply, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let Documents { wanted, failures } = documents::read(&options.files)?;
    let unread = failures.len();
    let outcome = super::for_each(failures, Err);
    if options.prune && wanted.is_empty() && unread == 0 && !options.allow_empty {
        let text = "the files hold no connector: --prune would delete all of them; --allow-empty lets it";
        return Err(Failure::Usage(text.to_owned()));
    }
    let prune = options.prune && unread == 0;
    if options.prune && !prune {
        eprintln!("lockgate: nothing is pruned, because not all files were understood");
    }
    let steps = steps(wanted, actual(remote)?, prune);
    let mut work = Work { remote, secrets: Secrets::default(), lines: Vec::new(), dry_run: options.dry_run };
    let outcome = Failure::both(outcome, super::for_each(&steps, |step| work.step(step, screen)));
    let outcome = Failure::both(outcome, work.wait(&steps, &options.wait, screen));
    screen.tell(&work.summary(unread))?;
    screen.report(&work.lines)?;
    outcome
}

struct Work<'a> {
    remote: &'a Remote,
    secrets: Secrets,
    lines: Vec<Line>,
    dry_run: bool,
}

impl Work<'_> {
    fn step(&mut self, step: &Step, screen: &mut Screen) -> Result<(), Failure> {
        let changes = self.shown(step)?;
        if self.dry_run && screen.is_for_people() {
            screen.print(&difference(step, &changes))?;
        }
        let done = if self.dry_run { self.check(step) } else { self.take(step) };
        let error = done.as_ref().err().map(ToString::to_string);
        let action = if error.is_some() { "failed" } else { step.deed() };
        if !self.dry_run && error.is_none() {
            screen.tell(&format!("{} {action}", clean(step.name())))?;
        }
        self.lines.push(Line { name: step.name().to_owned(), action, error, changes });
        done.map_err(|failure| of(step.name(), failure))
    }

    fn take(&self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Keep(_) => {}
            Step::Create(wanted) => drop(create(self.remote, wanted)?),
            Step::Update(wanted, _) => {
                let path = path(&["connectors", &wanted.name, "config"]);
                self.remote.send(&Method::PUT, &path, &json!(wanted.config))?;
            }
            Step::Delete(name, _) => drop(self.remote.delete(&path(&["connectors", name]))?),
        }
        Ok(())
    }

    /// What the worker would say to it.
    fn check(&self, step: &Step) -> Result<(), Failure> {
        let (Step::Create(wanted) | Step::Update(wanted, _)) = step else { return Ok(()) };
        let class = wanted.config.get("connector.class").map(String::as_str).unwrap_or_default();
        if class.is_empty() {
            return Err(Failure::Invalid("there is no connector.class".to_owned()));
        }
        let found = problems(&validate(self.remote, class, &wanted.config)?.json()?);
        let texts: Vec<String> =
            found.into_iter().map(|problem| format!("{}: {}", problem.key, problem.text)).collect();
        if texts.is_empty() { Ok(()) } else { Err(Failure::Invalid(texts.join("\n"))) }
    }

    fn shown(&mut self, step: &Step) -> Result<Vec<Shown>, Failure> {
        let class = match step {
            Step::Keep(_) => return Ok(Vec::new()),
            Step::Create(wanted) | Step::Update(wanted, _) => wanted.config.get("connector.class"),
            Step::Delete(_, config) => config.get("connector.class"),
        };
        let class = class.map(String::as_str).unwrap_or_default();
        let mut shown = Vec::new();
        for change in step.differences() {
            let mut value = |value: Option<String>| match value {
                Some(text) => {
                    self.secrets.shown(self.remote, class, &change.key, &text).map(|text| Some(text.to_owned()))
                }
                None => Ok(None),
            };
            shown.push(Shown { before: value(change.before)?, after: value(change.after)?, key: change.key });
        }
        Ok(shown)
    }

    fn wait(&self, steps: &[Step], wait: &Wait, screen: &mut Screen) -> Result<(), Failure> {
        let failed = |name: &str| self.lines.iter().any(|line| line.name == name && line.error.is_some());
        let changed = |step: &&Step| matches!(step, Step::Create(_) | Step::Update(..)) && !failed(step.name());
        let names: Vec<String> = steps.iter().filter(changed).map(|step| step.name().to_owned()).collect();
        wait.settled(self.remote, &names, screen)
    }

    fn summary(&self, unread: usize) -> String {
        let count = |action: &str| self.lines.iter().filter(|line| line.action == action).count();
        let mut text = String::new();
        for action in ["created", "updated", "unchanged", "deleted"] {
            _ = write!(text, "{} {action}, ", count(action));
        }
        _ = write!(text, "{} failed", count("failed") + unread);
        if self.dry_run { format!("{text} (dry run: nothing was changed)") } else { text }
    }
}

fn actual(remote: &Remote) -> Result<BTreeMap<String, Config>, Failure> {
    let all = remote.get("/connectors?expand=info")?.json()?;
    let config = |info: &Value| {
        let pairs = info["info"]["config"].as_object().into_iter().flatten();
        pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    Ok(all.as_object().into_iter().flatten().map(|(name, info)| (name.clone(), config(info))).collect())
}

fn difference(step: &Step, changes: &[Shown]) -> String {
    let mut text = match step {
        Step::Create(wanted) => format!("+ {} (new, from {})\n", clean(&wanted.name), clean(&wanted.file)),
        Step::Update(wanted, _) => format!("~ {} (changed, by {})\n", clean(&wanted.name), clean(&wanted.file)),
        Step::Keep(name) => format!("= {}\n", clean(name)),
        Step::Delete(name, _) => return format!("- {} (deleted)\n", clean(name)),
    };
    for Shown { key, before, after } in changes {
        for (sign, value) in [('-', before), ('+', after)] {
            if let Some(value) = value {
                _ = writeln!(text, "    {sign} {}: {}", clean(key), clean(value));
            }
        }
    }
    text
}

/// The failure with the connector's name before it.
fn of(name: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Refused { status, message, hint } => {
            Failure::Refused { status, message: format!("{name}: {message}"), hint }
        }
        Failure::Invalid(text) => Failure::Invalid(format!("{name}: {text}")),
        other => other,
    }
}
