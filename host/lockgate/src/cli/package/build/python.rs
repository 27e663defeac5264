//! Packages in Python: componentize-py in an environment of its own, libraries in the project's `deps`.
//!
//! Enters: a module that makes a `Package`. Leaves: its component. Invariant: nothing is installed outside of the cache and of the
//! project; a library that cannot run in the sandbox is refused by its name before anything is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{finish, refused, unfinished};
use crate::cli::failure::Failure;
use crate::cli::package::project::{Project, cache};
use crate::cli::package::tool::{self, Output};

/// The Python inside of a component.
const INSIDE: &str = "3.14";
/// Where the libraries of a project lie.
const DEPS: &str = "deps";
/// The copy of `requirements.txt` that `deps` was made from.
const STAMP: &str = ".requirements";

pub(super) fn build(project: &Project) -> Result<PathBuf, Failure> {
    interpreter("a Python of this machine builds the package")?;
    let sdk = project.sdk()?;
    let module = module(project)?;
    let bin = componentize(&sdk)?;
    libraries(project, &bin)?;
    if let Some(native) = native(&project.folder.join(DEPS)) {
        let message = format!("deps/{native} is a native library; only pure Python runs in the sandbox");
        let hint = "remove it from deps, and take a library in pure Python, or do without";
        return Err(Failure::build(message, Some(hint)));
    }
    let output = project.output(&module.replace('_', "-"))?;
    let mut python = Command::new(bin.join("python3"));
    python.args(["-m", "lockgate", "build", &module, "--path", ".", "--output"]).arg(unfinished(&output));
    if project.folder.join(DEPS).is_dir() {
        python.args(["--path", DEPS]);
    }
    python.current_dir(&project.folder).env("PYTHONPATH", sdk.join("src")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env_remove("VIRTUAL_ENV").env_remove("PYTHONHOME");
    let ended = tool::run(&mut python, Output::Keep)?;
    if !ended.ok {
        return Err(refused("the Python package could not be built", advice(&ended.said)));
    }
    finish(output)
}

/// Sees to it that there is a Python that can make environments.
pub(super) fn interpreter(why: &str) -> Result<(), Failure> {
    if tool::on_path("python3").is_none() {
        let hint = "install Python 3.11 or newer (https://www.python.org, or `apt install python3 python3-venv`)";
        return Err(Failure::build(format!("Python is missing: there is no `python3` on the PATH; {why}"), Some(hint)));
    }
    let check = "import sys, venv, ensurepip; print(sys.version_info >= (3, 11), sys.version.split()[0])";
    match tool::ask("python3", &["-c", check]).as_deref().and_then(|said| said.split_once(' ')) {
        Some(("True", _)) => Ok(()),
        Some((_, version)) => {
            Err(Failure::build(format!("python3 is {version}, but 3.11 or newer is needed; {why}"), None))
        }
        None => Err(Failure::build(
            format!("this python3 cannot make environments: it lacks `venv` or `ensurepip`; {why}"),
            Some("on Debian and Ubuntu: apt install python3-venv"),
        )),
    }
}

/// The module that makes the package.
fn module(project: &Project) -> Result<String, Failure> {
    let mut names = project.sources(&[""], &[".py"]);
    names.retain(|name| !name.starts_with("test_") && !name.ends_with("_test.py"));
    let makes = |name: &String| {
        let text = project.text(name).unwrap_or_default();
        text.lines().any(|line| line.starts_with(char::is_alphabetic) && line.contains("= Package("))
    };
    names.retain(makes);
    match names.as_slice() {
        [one] => Ok(one.trim_end_matches(".py").to_owned()),
        [] => Err(Failure::build(
            "no module of this folder makes a package".to_owned(),
            Some("the module ends with: package = Package(\"my-source\", \"0.1.0\", MySource)"),
        )),
        several => Err(Failure::build(
            format!("several modules make a package: {}", several.join(", ")),
            Some("one folder is one package: keep one `Package(...)` with all plugins"),
        )),
    }
}

/// The folder with the programs of componentize-py, in the version that the SDK is made for.
fn componentize(sdk: &Path) -> Result<PathBuf, Failure> {
    let about = fs::read_to_string(sdk.join("pyproject.toml")).unwrap_or_default();
    let wanted = about.split('"').find(|text| text.starts_with("componentize-py=="));
    let wanted = wanted.ok_or_else(|| Failure::Invalid("the SDK for Python names no componentize-py".to_owned()))?;
    let folder = cache().join("tools").join(format!("python-{}", wanted.replace("==", "-")));
    tool::once(&folder, wanted, |folder| {
        let made = tool::run(Command::new("python3").args(["-m", "venv"]).arg(folder), Output::Show)?;
        let mut pip = Command::new(folder.join("bin/python3"));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", wanted]);
        if made.ok && tool::run(&mut pip, Output::Show)?.ok {
            return Ok(());
        }
        Err(refused(&format!("{wanted} could not be installed"), Some("it comes from PyPI: is the network there?")))
    })?;
    Ok(folder.join("bin"))
}

/// Installs what `requirements.txt` names into `deps`, if that is not done already.
fn libraries(project: &Project, bin: &Path) -> Result<(), Failure> {
    let Some(wanted) = project.text("requirements.txt") else { return Ok(()) };
    let deps = project.folder.join(DEPS);
    if fs::read_to_string(deps.join(STAMP)).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    eprintln!("lockgate: installing what requirements.txt names into deps");
    let failed = |cause| Failure::File { path: deps.clone(), cause };
    // What an older list has left must not go into the component.
    if deps.join(STAMP).exists() {
        fs::remove_dir_all(&deps).map_err(failed)?;
    }
    let mut pip = Command::new(bin.join("python3"));
    pip.current_dir(&project.folder).args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]);
    // Pure Python only, for the Python inside of the component.
    pip.args(["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]);
    pip.args(["--python-version", INSIDE, "--upgrade", "--target", DEPS, "--requirement", "requirements.txt"]);
    let ended = tool::run(&mut pip, Output::Show)?;
    if !ended.ok {
        let hint = "a library needs a wheel in pure Python (`py3-none-any`) on PyPI: what is compiled for a machine (numpy, \
                    orjson, cryptography) does not run in the sandbox";
        return Err(refused("the libraries could not be installed", Some(hint)));
    }
    fs::create_dir_all(&deps).and_then(|()| fs::write(deps.join(STAMP), &wanted)).map_err(failed)
}

/// A native library below a folder, three levels deep: where wheels keep them.
fn native(folder: &Path) -> Option<String> {
    let mut places = vec![(folder.to_owned(), 0)];
    while let Some((place, depth)) = places.pop() {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && depth < 3 {
                places.push((path, depth + 1));
            } else if [".so", ".pyd", ".dylib"].iter().any(|end| name.ends_with(end)) || name.contains(".so.") {
                return path.strip_prefix(folder).ok().map(|path| path.display().to_string());
            }
        }
    }
    None
}

/// What a beginner does about the words of the build.
fn advice(said: &str) -> Option<&'static str> {
    let known = [
        (
            "ModuleNotFoundError",
            "a library goes into requirements.txt (pure Python only): `lockgate package build` installs it into deps",
        ),
        ("cannot import name", "what is imported is not in that module: see its version in deps"),
        ("must make one Package", "the module ends with: package = Package(\"my-source\", \"0.1.0\", MySource)"),
        ("can't start new thread", "there are no threads in the sandbox: the host runs a task for each piece of work"),
        ("SyntaxError", "the trace above names file and line"),
        (
            "Traceback",
            "the module is run once while it is built: what it does at the top must work without a connector's settings",
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
        Project::scratch(Language::Python, files)
    }

    #[test]
    fn the_module_is_the_one_that_makes_a_package() {
        let made = "package = Package(\"x\", \"0.1.0\", X)\n";
        let (_dir, one) = project(&[("feed.py", made), ("parse.py", "x = 1"), ("test_feed.py", made)]);
        assert_eq!(module(&one).unwrap(), "feed");
        let (_dir, none) = project(&[("feed.py", "    package = Package()")]);
        assert!(module(&none).unwrap_err().to_string().contains("no module"));
        let (_dir, two) = project(&[("a.py", made), ("b.py", made)]);
        assert!(module(&two).unwrap_err().to_string().contains("a.py, b.py"));
    }

    #[test]
    fn a_native_library_is_found_by_its_file() {
        let (dir, _) = project(&[("deps/numpy/core/_multiarray.cpython-314-x86_64-linux-gnu.so", "")]);
        assert_eq!(native(&dir.path().join("deps")).unwrap(), "numpy/core/_multiarray.cpython-314-x86_64-linux-gnu.so");
        let (dir, _) = project(&[("deps/jmespath/__init__.py", "")]);
        assert_eq!(native(&dir.path().join("deps")), None);
    }
}
