//! Packages in Rust: cargo, and the target of components from rustup.
//!
//! Enters: a crate with a `cdylib`. Leaves: its component. Invariant: cargo decides what is built again; its words are shown.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{finish, refused, unfinished};
use crate::cli::failure::Failure;
use crate::cli::package::project::Project;
use crate::cli::package::tool::{self, Output};

const TARGET: &str = "wasm32-wasip2";

pub(super) fn build(project: &Project) -> Result<PathBuf, Failure> {
    if tool::on_path("cargo").is_none() {
        let hint = "install it from https://rustup.rs, open a new shell, and try again";
        return Err(Failure::build("Rust is missing: there is no `cargo` on the PATH".to_owned(), Some(hint)));
    }
    target(&project.folder)?;
    project.sdk()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&project.folder).args(["build", "--release", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics");
    if std::io::stderr().is_terminal() {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    let ended = tool::run(&mut cargo, Output::Keep)?;
    if !ended.ok {
        return Err(refused("cargo could not build the crate", advice(&ended.said)));
    }
    let (name, made) = component(&ended.output, &project.folder)?;
    let output = project.output(&name)?;
    fs::copy(&made, unfinished(&output)).map_err(|cause| Failure::File { path: made, cause })?;
    finish(output)
}

/// Sees to it that the standard library for components is there.
fn target(folder: &Path) -> Result<(), Failure> {
    if has_target(folder) {
        return Ok(());
    }
    if tool::on_path("rustup").is_none() {
        return Err(Failure::build(
            format!("this Rust has no standard library for {TARGET}, and no rustup that could add it"),
            Some("install Rust from https://rustup.rs, or that library by the package manager that Rust came with"),
        ));
    }
    eprintln!("lockgate: adding the target {TARGET} to Rust, once");
    let mut rustup = Command::new("rustup");
    let ended = tool::run(rustup.args(["target", "add", TARGET]).current_dir(folder), Output::Show)?;
    if ended.ok && has_target(folder) {
        return Ok(());
    }
    Err(refused(&format!("rustup could not add {TARGET}"), Some("`rustup update` may help; it needs the network")))
}

fn has_target(folder: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder);
    rustc
        .output()
        .is_ok_and(|ended| ended.status.success() && Path::new(String::from_utf8_lossy(&ended.stdout).trim()).is_dir())
}

/// The name and the file of the component among cargo's messages.
fn component(messages: &str, folder: &Path) -> Result<(String, PathBuf), Failure> {
    let mut found = Vec::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let manifest = message["manifest_path"].as_str().unwrap_or_default();
        if message["reason"] != "compiler-artifact" || !Path::new(manifest).starts_with(folder) {
            continue;
        }
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let wasm = files.map(PathBuf::from).filter(|file| file.extension().is_some_and(|e| e == "wasm"));
        let name = message["target"]["name"].as_str().unwrap_or_default().replace('_', "-");
        found.extend(wasm.map(|file| (name.clone(), file)));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::build(
            "cargo built no component".to_owned(),
            Some("a package is a library: put `[lib]` and `crate-type = [\"cdylib\"]` into Cargo.toml"),
        )),
        _ => {
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("there are {} packages here: {}", names.len(), names.join(", "));
            Err(Failure::build(message, Some("name the folder of one: lockgate package build DIR")))
        }
    }
}

/// What a beginner does about cargo's words.
fn advice(said: &str) -> Option<&'static str> {
    let known = [
        ("requires rustc", "the SDK needs a newer Rust: rustup update"),
        (
            "failed to load source for dependency `lockgate-sdk`",
            "lockgate-sdk = { path = \".lockgate-sdk\" } names the SDK that this program brings along",
        ),
        ("failed to select a version", "cargo could not fit the dependencies together: its words say which"),
        ("crate-type", "a package is a library: `crate-type = [\"cdylib\"]` in [lib] of Cargo.toml"),
        (
            "link-arg",
            "a dependency wants a library of C, which the sandbox does not have: switch that feature off, or choose a crate in pure Rust",
        ),
        (
            "failed to run custom build command",
            "a dependency compiles something for the target; one that needs a library of C or the system's headers does not work in the sandbox",
        ),
        ("Could not resolve host", "cargo could not fetch the dependencies: is the network there?"),
        ("not all trait items implemented", "the trait of the plugin's kind says which functions are needed"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(manifest: &str, name: &str, file: &str) -> String {
        let all = serde_json::json!({"reason": "compiler-artifact", "manifest_path": manifest, "target": {"name": name}, "filenames": [file]});
        format!("{all}\n")
    }

    #[test]
    fn the_component_is_the_one_wasm_of_the_projects_own_crates() {
        let folder = Path::new("/p");
        let other = message("/q/Cargo.toml", "macros", "/t/macros.wasm");
        let own = message("/p/Cargo.toml", "my_sink", "/t/my_sink.wasm");
        let (name, file) = component(&format!("no json\n{other}{own}"), folder).unwrap();
        assert_eq!((name.as_str(), file.to_str().unwrap()), ("my-sink", "/t/my_sink.wasm"));
        let none = component(&message("/p/Cargo.toml", "lib", "/t/lib.rlib"), folder).unwrap_err();
        assert!(matches!(&none, Failure::Build { hint: Some(hint), .. } if hint.contains("cdylib")), "{none}");
        let two = format!("{own}{}", message("/p/b/Cargo.toml", "b", "/t/b.wasm"));
        assert!(component(&two, folder).unwrap_err().to_string().contains("my-sink, b"));
    }
}
