//! `lockgate package`: the loop of an author, and what a worker has.
//!
//! Enters: projects, `.wasm` files, names and versions. Leaves: projects, components, and uploaded, listed, removed packages.
//! Invariant: whether a package is good is decided by the sandbox, here or on a worker, and never by the command.

mod build;
mod dev;
mod examine;
mod explain;
mod inspect;
mod new;
mod project;
mod push;
mod sdk;
mod test;
mod tool;

use std::path::PathBuf;

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
    /// Makes a project that builds, with a unit test, a README and a CI file
    New(new::Options),
    /// Builds the component of a project, whatever its language, and says what it is
    Build {
        /// Folder of the project
        #[arg(default_value = ".", value_name = "DIR")]
        project: PathBuf,
    },
    /// Runs a package in the sandbox against scenarios, without a worker
    #[command(after_help = test::HELP)]
    Test(test::Test),
    /// Builds a project whenever it changes, and runs it in a worker
    #[command(after_help = dev::HELP)]
    Dev(dev::Dev),
    /// Lists the packages that are installed
    #[command(visible_alias = "ls")]
    List,
    /// Uploads packages; a folder is built first
    #[command(visible_alias = "upload")]
    Push {
        /// Files (.wasm) or folders of projects
        #[arg(required = true, value_name = "FILE|DIR")]
        subjects: Vec<PathBuf>,
    },
    /// Shows a package, of a file or of the worker: plugins, settings, imports, exports, toolchain, what it can reach
    #[command(visible_alias = "get")]
    Inspect {
        /// A file (.wasm), or the name of a package on the worker
        #[arg(value_name = "FILE|NAME")]
        subject: String,
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
        Command::New(options) => new::run(&options, screen),
        Command::Build { project } => build::run(&project, screen),
        Command::Test(options) => test::run(options, screen),
        Command::Dev(options) => dev::run(&options, remote, screen),
        Command::List => screen.show(&remote.get("/packages")?, |packages| Ok(list(packages))),
        Command::Push { subjects } => super::for_each(&subjects, |subject| push::run(subject, remote, screen)),
        Command::Inspect { subject, version } => inspect::run(&subject, version.as_deref(), remote, screen),
        Command::Delete { name, version } => {
            remote.delete(&path(&["packages", &name, &version]))?;
            screen.tell(&format!("{} {} deleted", clean(&name), clean(&version)))
        }
    }
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
