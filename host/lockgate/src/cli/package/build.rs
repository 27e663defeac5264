//! `lockgate package build`: the component of a project, whatever its language.
//!
//! Enters: a folder. Leaves: `dist/NAME.wasm` in it, and what it is. Invariant: what a compiler says of the author's code reaches
//! the author as it is; a component appears whole or not at all, and what the sandbox would refuse is refused here, with the fix.

mod c;
mod go;
mod python;
mod rust;
mod script;
mod traps;

use std::fs;
use std::path::{Path, PathBuf};

use super::examine;
use super::project::{Language, Project};
use crate::cli::failure::Failure;
use crate::cli::remote::Answer;
use crate::cli::screen::Screen;

/// Builds the component of the project in a folder and says where it lies. Compilers speak on standard error; standard output
/// is left to the caller. What the sandbox thinks of it is not asked here.
pub(crate) fn build(project: &Path) -> Result<PathBuf, Failure> {
    let project = Project::find(project)?;
    for note in traps::notes(&project) {
        eprintln!("lockgate: {note}");
    }
    match project.language {
        Language::Rust => rust::build(&project),
        Language::Python => python::build(&project),
        Language::Script => script::build(&project),
        Language::Go => go::build(&project),
        Language::C => c::build(&project),
    }
}

/// Runs `lockgate package build`.
pub(super) fn run(project: &Path, screen: &mut Screen) -> Result<(), Failure> {
    let file = build(project)?;
    let mut package = examine::file(&file)?.json()?;
    package["file"] = file.display().to_string().into();
    screen.show(&Answer::own(package.to_string()), |package| Ok(examine::built(&file, project, package)))
}

/// Where a tool writes, beside the place where the component will appear.
fn unfinished(output: &Path) -> PathBuf {
    output.with_extension("wasm.new")
}

/// Puts what a tool has written into its place.
fn finish(output: PathBuf) -> Result<PathBuf, Failure> {
    fs::rename(unfinished(&output), &output).map_err(|cause| Failure::File { path: output.clone(), cause })?;
    Ok(output)
}

/// What the author's code was refused for stands above.
fn refused(what: &str, hint: Option<&str>) -> Failure {
    Failure::build(format!("{what}: see above"), hint)
}
