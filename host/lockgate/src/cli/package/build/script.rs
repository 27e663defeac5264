//! Packages in JavaScript and TypeScript: the SDK's `lockgate-js`, its tools from npm.
//!
//! Enters: a module that exports a package. Leaves: its component. Invariant: tools are installed once, into the cache; types are
//! checked before anything is built, if the project has a `tsconfig.json`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{finish, refused, unfinished};
use crate::cli::failure::Failure;
use crate::cli::package::project::{Project, cache};
use crate::cli::package::tool::{self, Output};

/// What a plugin that asks for HTTP is built with, and nobody else needs: 100 MB.
const ENGINE_WITH_FETCH: &str = "@bytecodealliance/componentize-js";
/// Node, as its major version.
const NODE: u32 = 20;

pub(super) fn build(project: &Project) -> Result<PathBuf, Failure> {
    node()?;
    let sdk = project.sdk()?;
    let module = module(project)?;
    let tools = tools(&sdk)?;
    if project.folder.join("tsconfig.json").is_file() {
        types(project, &tools)?;
    }
    let stem = Path::new(&module).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let output = project.output(&stem)?;
    let command = || {
        let mut command = Command::new("node");
        command.arg(sdk.join("cli/lockgate-js.mjs")).args(["build", &module, "--output"]).arg(unfinished(&output));
        command.current_dir(&project.folder).env("LOCKGATE_JS_TOOLS", &tools);
        command
    };
    let mut ended = tool::run(&mut command(), Output::Later)?;
    if !ended.ok && ended.said.contains(ENGINE_WITH_FETCH) && ended.said.contains("is missing") {
        engine_with_fetch(&sdk, &tools)?;
        ended = tool::run(&mut command(), Output::Later)?;
    }
    eprint!("{}", ended.said);
    if !ended.ok {
        return Err(refused("the package could not be built", advice(&ended.said)));
    }
    finish(output)
}

fn node() -> Result<(), Failure> {
    let hint = format!("install Node {NODE} or newer with npm (https://nodejs.org, or `apt install nodejs npm`)");
    let Some(version) = tool::ask("node", &["--version"]) else {
        return Err(Failure::build("Node is missing: there is no `node` on the PATH".to_owned(), Some(&hint)));
    };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(Failure::build(format!("node is {version}, but {NODE} or newer is needed"), Some(&hint)));
    }
    if tool::on_path("npm").is_none() {
        return Err(Failure::build("npm is missing: there is no `npm` on the PATH".to_owned(), Some(&hint)));
    }
    Ok(())
}

/// The module that exports the package: `main` of package.json, else the one below `src` that calls `definePackage`.
fn module(project: &Project) -> Result<String, Failure> {
    let about = project.text("package.json").unwrap_or_default();
    let about: Value = serde_json::from_str(&about)
        .map_err(|error| Failure::build(format!("package.json is no JSON: {error}"), None))?;
    if let Some(main) = about["main"].as_str().filter(|main| project.folder.join(main).is_file()) {
        return Ok(main.to_owned());
    }
    let mut names = project.sources(&["src", ""], &[".ts", ".js", ".mts", ".mjs"]);
    names.retain(|name| project.text(name).is_some_and(|text| text.contains("definePackage(")));
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::build(
            "no module of this folder or its `src` exports a package".to_owned(),
            Some("export default definePackage({ name: \"my-source\", version: \"0.1.0\", plugins: [MySource] })"),
        )),
        several => Err(Failure::build(
            format!("several modules call definePackage: {}", several.join(", ")),
            Some("name the one that exports the package as `main` in package.json"),
        )),
    }
}

/// The folder with the tools of the SDK's version.
fn tools(sdk: &Path) -> Result<PathBuf, Failure> {
    let mut command = Command::new("bash");
    command.arg(sdk.join("tools.sh")).env("LOCKGATE_CACHE", cache());
    let ended = tool::run(&mut command, Output::Keep)?;
    if !ended.ok {
        return Err(refused("npm could not install the tools", Some("they come from npm: is the network there?")));
    }
    Ok(PathBuf::from(ended.output.trim()))
}

fn engine_with_fetch(sdk: &Path, tools: &Path) -> Result<(), Failure> {
    let about = std::fs::read_to_string(sdk.join("package.json")).unwrap_or_default();
    let about: Value = serde_json::from_str(&about).unwrap_or_default();
    let version = about["peerDependencies"][ENGINE_WITH_FETCH].as_str().unwrap_or("latest");
    let wanted = format!("{ENGINE_WITH_FETCH}@{version}");
    eprintln!("lockgate: installing {wanted}, once: the engine that has `fetch`");
    let mut npm = Command::new("npm");
    npm.current_dir(tools).args(["install", "--silent", "--no-audit", "--no-fund", &wanted]);
    if tool::run(&mut npm, Output::Show)?.ok {
        return Ok(());
    }
    Err(refused(&format!("npm could not install {wanted}"), Some("it comes from npm: is the network there?")))
}

fn types(project: &Project, tools: &Path) -> Result<(), Failure> {
    let modules = tools.join("node_modules");
    let mut tsc = Command::new(modules.join(".bin/tsc"));
    tsc.current_dir(&project.folder).args(["--noEmit", "--project", "tsconfig.json", "--typeRoots"]);
    tsc.arg(format!("node_modules/@types,{}", modules.join("@types").display()));
    if tool::run(&mut tsc, Output::Show)?.ok {
        return Ok(());
    }
    let hint = "tsc found errors in the types; libraries of npm want `npm install` before the build";
    Err(refused("the types do not fit", Some(hint)))
}

/// What a beginner does about the words of the build.
fn advice(said: &str) -> Option<&'static str> {
    let known = [
        ("must export a package", "export default definePackage({ name, version, plugins: [...] })"),
        (
            "Could not resolve",
            "`npm install --save-dev NAME` adds a library; those of Node itself (fs, net, http) do not exist in the sandbox",
        ),
        (
            "fetch is not defined",
            "a plugin that asks for HTTP is built with an engine that has `fetch`: asks: [{ http: \"{url}\" }]",
        ),
        (
            "is not defined",
            "QuickJS has the language and nothing of browsers or Node: no timers, no URL, no TextDecoder",
        ),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::package::project::Language;

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
        Project::scratch(Language::Script, files)
    }

    #[test]
    fn the_module_is_main_or_the_one_that_defines_a_package() {
        let made = "export default definePackage({})";
        let (_dir, named) =
            project(&[("package.json", r#"{"main": "src/b.ts"}"#), ("src/a.ts", made), ("src/b.ts", made)]);
        assert_eq!(module(&named).unwrap(), "src/b.ts");
        let (_dir, one) = project(&[("package.json", "{}"), ("src/a.js", made), ("src/b.js", "")]);
        assert_eq!(module(&one).unwrap(), "src/a.js");
        let (_dir, two) = project(&[("package.json", "{}"), ("src/a.ts", made), ("src/b.ts", made)]);
        assert!(module(&two).unwrap_err().to_string().contains("src/a.ts, src/b.ts"));
        let (_dir, broken) = project(&[("package.json", "{")]);
        assert!(module(&broken).unwrap_err().to_string().contains("package.json is no JSON"));
    }
}
