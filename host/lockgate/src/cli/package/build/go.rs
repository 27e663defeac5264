//! Packages in Go: the ordinary compiler and the SDK's `lockgate-go`.
//!
//! Enters: a module with `package main`. Leaves: its component. Invariant: the compiler's words are shown as they are.

use std::path::PathBuf;
use std::process::Command;

use super::{finish, refused, unfinished};
use crate::cli::failure::Failure;
use crate::cli::package::project::{Project, cache};
use crate::cli::package::tool::{self, Output};

pub(super) fn build(project: &Project) -> Result<PathBuf, Failure> {
    super::python::interpreter("the tools for Go come from PyPI")?;
    let sdk = project.sdk()?;
    let output = project.output(&name(project))?;
    let mut command = Command::new("bash");
    command.arg(sdk.join("lockgate-go")).arg("-o").arg(unfinished(&output)).arg(&project.folder);
    command.env("LOCKGATE_CACHE", cache()).current_dir(&project.folder);
    let ended = tool::run(&mut command, Output::Show)?;
    if !ended.ok {
        return Err(refused("the Go package could not be built", advice(&ended.said)));
    }
    finish(output)
}

/// The last part of the module's path.
fn name(project: &Project) -> String {
    let text = project.text("go.mod").unwrap_or_default();
    let module = text.lines().find_map(|line| line.strip_prefix("module ")).unwrap_or_default().trim();
    module.rsplit('/').next().filter(|name| !name.is_empty()).map_or_else(|| project.folder_name(), str::to_owned)
}

/// What a beginner does about Go's words.
fn advice(said: &str) -> Option<&'static str> {
    let known = [
        (
            "function main is undeclared",
            "package main needs `func main() {}`; it is never called: lockgate.Export in `init` says what there is",
        ),
        ("is not a main package", "a package of Lockgate is `package main`, with `func main() {}`"),
        (
            "buildmode=c-shared requires exactly one main package",
            "a package of Lockgate is `package main`, with `func main() {}`",
        ),
        ("no required module provides package", "`go get MODULE` adds it"),
        ("missing go.sum entry", "`go mod tidy` writes the sums"),
        (
            "replacement directory",
            "`replace lockgate.dev/go => ./.lockgate-sdk` names the SDK that this program brings along",
        ),
        ("does not implement", "the interface of the plugin's kind says which methods are needed"),
        (
            "build constraints exclude all Go files",
            "this package does not exist for WASI: it wants threads, cgo or an operating system",
        ),
        ("proxy", "Go could not fetch the modules: is the network there?"),
        ("No matching distribution", "PyPI has no such tool for this machine, or cannot be reached"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
}
