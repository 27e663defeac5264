//! `lockgate package`.
//!
//! Enters: `.wasm` files, names and versions. Leaves: uploaded, listed, removed packages. Invariant: a file is read whole and
//! judged by the worker; an upload that is there already is no failure.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use super::failure::Failure;
use super::remote::{Remote, path};
use super::screen::Screen;
use super::status::text;
use super::table::{Table, clean};

/// Characters of a digest in a list: enough to tell two apart.
const DIGEST: usize = "sha256:".len() + 12;

/// Commands of `lockgate package`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists the packages that are installed
    #[command(visible_alias = "ls")]
    List,
    /// Uploads packages
    #[command(visible_alias = "upload")]
    Push {
        /// Files (.wasm)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Shows a package: its plugins, what it imports and what it asks for
    #[command(visible_alias = "get")]
    Inspect {
        /// Name
        name: String,
        /// Version [default: all of them]
        version: Option<String>,
    },
    /// Deletes a version of a package that nothing uses
    #[command(visible_alias = "rm")]
    Delete {
        /// Name
        name: String,
        /// Version
        version: String,
    },
}

/// Runs it.
pub fn run(command: Command, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::List => screen.show(&remote.get("/packages")?, |packages| Ok(list(packages))),
        Command::Push { files } => super::for_each(&files, |file| push(file, remote, screen)),
        Command::Inspect { name, version } => {
            let segments = ["packages", &name, version.as_deref().unwrap_or_default()];
            let segments = if version.is_some() { &segments[..] } else { &segments[..2] };
            screen.show(&remote.get(&path(segments))?, |found| Ok(details(found)))
        }
        Command::Delete { name, version } => {
            remote.delete(&path(&["packages", &name, &version]))?;
            screen.tell(&format!("{} {} deleted", clean(&name), clean(&version)))
        }
    }
}

fn push(file: &Path, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|cause| Failure::File { path: file.to_owned(), cause })?;
    let answer = remote.upload("/packages", &bytes).map_err(|failure| match failure {
        Failure::Refused { status, message, hint } => {
            Failure::Refused { status, message: format!("{}: {message}", file.display()), hint }
        }
        other => other,
    })?;
    let deed = if answer.status == 201 { "uploaded" } else { "was there already" };
    screen.show(&answer, |package| {
        let (name, version) = (clean(&text(&package["name"])), clean(&text(&package["version"])));
        let classes: Vec<String> = classes(package);
        Ok(format!("{name} {version} {deed}: {}\n", clean(&classes.join(", "))))
    })
}

fn classes(package: &Value) -> Vec<String> {
    package["plugins"].as_array().into_iter().flatten().map(|plugin| text(&plugin["class"])).collect()
}

fn list(packages: &Value) -> String {
    let mut table = Table::new(&["NAME", "VERSION", "BUNDLED", "KIB", "PLUGINS", "DIGEST"]);
    for package in packages.as_array().into_iter().flatten() {
        let bundled = if package["bundled"] == true { "yes" } else { "no" };
        table.row([
            text(&package["name"]),
            text(&package["version"]),
            bundled.to_owned(),
            package["size_bytes"].as_u64().unwrap_or_default().div_ceil(1024).to_string(),
            classes(package).len().to_string(),
            text(&package["digest"]).chars().take(DIGEST).collect(),
        ]);
    }
    table.text()
}

/// One version, or a list of them.
fn details(found: &Value) -> String {
    let versions = found.as_array().map_or(std::slice::from_ref(found), Vec::as_slice);
    versions.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(package: &Value) -> String {
    let mut head = Table::new(&["PACKAGE", &clean(&text(&package["name"]))]);
    head.row(["version".to_owned(), text(&package["version"])]);
    head.row(["about".to_owned(), text(&package["documentation"])]);
    head.row(["digest".to_owned(), text(&package["digest"])]);
    head.row(["bytes".to_owned(), text(&package["size_bytes"])]);
    head.row(["imports".to_owned(), words(&package["imports"], text)]);
    let mut plugins = Table::new(&["CLASS", "TYPE", "ALIASES", "ASKS FOR"]);
    for plugin in package["plugins"].as_array().into_iter().flatten() {
        let request = |request: &Value| format!("{} {}", text(&request["kind"]), text(&request["target"]));
        let (aliases, requests) = (words(&plugin["aliases"], text), words(&plugin["requests"], request));
        plugins.row([text(&plugin["class"]), text(&plugin["type"]), aliases, requests]);
    }
    format!("{}\n{}", head.text(), plugins.text())
}

fn words(list: &Value, word: impl Fn(&Value) -> String) -> String {
    list.as_array().into_iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}
