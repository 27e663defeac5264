//! `lockgate plugin`.
//!
//! Enters: classes, configurations. Leaves: what can be run, which settings it has, and what is wrong with a configuration.
//! Invariant: a configuration is judged by the worker, never here.

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::documents::{self, Config};
use super::failure::Failure;
use super::remote::{Answer, Remote, encode};
use super::screen::Screen;
use super::status::text;
use super::table::{Table, short};

/// Commands of `lockgate plugin`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists the connectors that can be run
    #[command(visible_alias = "ls")]
    List {
        /// Transforms, predicates and converters too
        #[arg(short, long)]
        all: bool,
    },
    /// Shows the settings of a plugin
    #[command(visible_alias = "get")]
    Config {
        /// Class or alias
        class: String,
        /// Version, or a range of versions; default: the latest
        #[arg(long)]
        version: Option<String>,
    },
    /// Checks a configuration without creating anything; exit code 5 if it has errors
    Validate {
        /// File with a connector (JSON or YAML), or - for standard input
        #[arg(short, long = "file", value_name = "PATH")]
        file: PathBuf,
        /// Class [default: that of connector.class]
        class: Option<String>,
    },
}

/// One thing that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its key.
    pub key: String,
    /// The worker's words.
    pub text: String,
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::List { all } => {
            let answer = remote.get(&format!("/connector-plugins?connectorsOnly={}", !all))?;
            screen.show(&answer, |plugins| Ok(list(plugins)))
        }
        Command::Config { class, version } => {
            let query = version.map(|version| format!("?version={}", encode(&version))).unwrap_or_default();
            let answer = remote.get(&format!("/connector-plugins/{}/config{query}", encode(&class)))?;
            screen.show(&answer, |keys| Ok(definitions(keys)))
        }
        Command::Validate { file, class } => {
            let config = documents::read_config(&file)?;
            let class = class.or_else(|| config.get("connector.class").cloned());
            let missing = || Failure::Invalid(format!("{}: there is no connector.class", file.display()));
            let answer = validate(remote, &class.ok_or_else(missing)?, &config)?;
            let found = problems(&answer.json()?);
            screen.show(&answer, |_| Ok(report(&found)))?;
            if found.is_empty() {
                return Ok(());
            }
            Err(Failure::Invalid(format!("the configuration has {} error(s)", found.len())))
        }
    }
}

/// `PUT /connector-plugins/{class}/config/validate`.
pub fn validate(remote: &Remote, class: &str, config: &Config) -> Result<Answer, Failure> {
    let path = format!("/connector-plugins/{}/config/validate", encode(class));
    remote.send(&Method::PUT, &path, &json!(config))
}

/// The errors in the answer to a validation.
pub fn problems(infos: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for config in infos["configs"].as_array().into_iter().flatten() {
        let errors = config["value"]["errors"].as_array().into_iter().flatten();
        found.extend(errors.map(|error| Problem { key: text(&config["value"]["name"]), text: text(error) }));
    }
    found
}

fn report(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return "the configuration is valid\n".to_owned();
    }
    let mut table = Table::new(&["KEY", "ERROR"]);
    for problem in problems {
        table.row([problem.key.clone(), problem.text.clone()]);
    }
    table.text()
}

fn list(plugins: &Value) -> String {
    let mut table = Table::new(&["CLASS", "TYPE", "VERSION"]);
    for plugin in plugins.as_array().into_iter().flatten() {
        table.row([text(&plugin["class"]), text(&plugin["type"]), text(&plugin["version"])]);
    }
    table.text()
}

fn definitions(keys: &Value) -> String {
    let mut table = Table::new(&["KEY", "TYPE", "REQUIRED", "DEFAULT", "IMPORTANCE", "DOCUMENTATION"]);
    for key in keys.as_array().into_iter().flatten() {
        let required = if key["required"] == true { "yes" } else { "no" };
        table.row([
            text(&key["name"]),
            text(&key["type"]),
            required.to_owned(),
            short(&text(&key["default_value"])),
            text(&key["importance"]),
            short(&text(&key["documentation"])),
        ]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_all_errors_of_all_keys() {
        let value = |name: &str, errors: &[&str]| json!({"value": {"name": name, "errors": errors}});
        let infos = json!({"configs": [value("a", &["x", "y"]), value("b", &[]), value("c", &["z"])]});
        let texts: Vec<String> = problems(&infos).iter().map(|p| format!("{} {}", p.key, p.text)).collect();
        assert_eq!(texts, ["a x", "a y", "c z"]);
    }
}
