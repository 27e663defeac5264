//! A package in the sandbox of this program: inspected, compiled and asked who it is, as a worker does it with an upload.
//!
//! Enters: a `.wasm` file. Leaves: the object that REST has for a package, or why a worker would refuse it, with the fix.
//! Invariant: nothing is granted to it; what it claims about itself is shown, not believed.

use std::path::Path;

use lockgate_supervisor::package_view;
use lockgate_wasm::{Compiler, Engine, EngineError, EngineOptions, PackageError, PoolSizes};
use serde_json::Value;

use super::explain;
use super::inspect;
use super::project::cache;
use crate::cli::failure::Failure;
use crate::cli::remote::Answer;
use crate::cli::status::text;
use crate::cli::table::clean;
use crate::runtime;

/// Instances of the one package that is looked at.
const INSTANCES: u32 = 8;

/// What a worker's REST would say of a file.
pub(super) fn file(path: &Path) -> Result<Answer, Failure> {
    let bytes = std::fs::read(path).map_err(|cause| Failure::File { path: path.to_owned(), cause })?;
    let program = std::env::current_exe().map_err(Failure::Print)?;
    let options = EngineOptions {
        cache_dir: Some(cache().join("compiled")),
        compiler: Compiler::Child { program, args: vec!["__compile".into()] },
        pool: PoolSizes { instances_max: INSTANCES, ..PoolSizes::default() },
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).map_err(|error: EngineError| Failure::build(error.to_string(), None))?;
    let package = runtime::block_on(engine.load(bytes.into())).map_err(|error| refused(path, &error))?;
    let view = package_view::package(package.info(), false);
    let body = serde_json::to_string(&view).map_err(|error| Failure::Invalid(error.to_string()))?;
    Ok(Answer::own(body))
}

fn refused(path: &Path, error: &PackageError) -> Failure {
    let message = format!("{} would be refused by a worker: {error}", path.display());
    Failure::build(message, explain::refusal(&error.to_string()).as_deref())
}

/// What `lockgate package build` says at its end.
pub(super) fn built(file: &Path, project: &Path, package: &Value) -> String {
    let (name, version) = (clean(&text(&package["name"])), clean(&text(&package["version"])));
    let what = inspect::plugins(package);
    let reach = inspect::reach(package);
    let next = format!("next: lockgate package push {}", project.display());
    let size = inspect::size(package);
    format!("{}: {name} {version}, {size}\n\n{what}\n{reach}\n{next}\n", file.display())
}
