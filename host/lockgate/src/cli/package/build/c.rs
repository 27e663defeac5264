//! Packages in C and C++: the SDK's `lockgate-cc`.
//!
//! Enters: `.c` and `.cpp` files in the folder and in `src`; those of tests stay out. Leaves: the component. Invariant: the
//! compiler's words are shown as they are.

use std::path::PathBuf;
use std::process::Command;

use super::{finish, refused, unfinished};
use crate::cli::failure::Failure;
use crate::cli::package::project::{Project, cache};
use crate::cli::package::tool::{self, Output};

pub(super) fn build(project: &Project) -> Result<PathBuf, Failure> {
    super::python::interpreter("the compiler for C and C++ comes from PyPI")?;
    let sdk = project.sdk()?;
    let mut sources = project.sources(&["", "src"], &[".c", ".cpp", ".cc", ".cxx"]);
    sources.retain(|name| !is_test(name));
    if sources.is_empty() {
        let message = "there is nothing to compile: all files of C and C++ are tests".to_owned();
        return Err(Failure::build(message, Some("files named *_test.c or test_*.c are not part of the package")));
    }
    let output = project.output(&project.folder_name())?;
    let mut command = Command::new("bash");
    command.arg(sdk.join("lockgate-cc")).arg("-o").arg(unfinished(&output)).args(sources);
    command.env("LOCKGATE_CACHE", cache()).current_dir(&project.folder);
    let ended = tool::run(&mut command, Output::Show)?;
    if !ended.ok {
        return Err(refused("the package could not be compiled", advice(&ended.said)));
    }
    finish(output)
}

fn is_test(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let stem = name.split('.').next().unwrap_or(name);
    stem.starts_with("test_") || stem.ends_with("_test")
}

/// What a beginner does about the compiler's words.
fn advice(said: &str) -> Option<&'static str> {
    let known = [
        (
            "undefined symbol: lockgate_package",
            "one file must define `const lg_package lockgate_package`, in C++ inside `extern \"C\"`",
        ),
        ("duplicate symbol: lockgate_package", "there is one `lockgate_package` in a package: list all plugins in it"),
        ("undefined symbol: pthread", "there are no threads in the sandbox"),
        ("pthread.h", "there are no threads in the sandbox"),
        ("undefined symbol: __cxa_throw", "there are no exceptions in the sandbox: return a fault instead"),
        (
            "cannot use 'throw' with exceptions disabled",
            "there are no exceptions in the sandbox: return a fault instead",
        ),
        ("cannot use 'try' with exceptions disabled", "there are no exceptions in the sandbox: return a fault instead"),
        ("lockgate.h' file not found", "`lockgate package build` knows where the header lies: build with it"),
        ("No matching distribution", "PyPI has no compiler for this machine, or cannot be reached"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_tests_are_no_part_of_the_package() {
        assert!(["my_sink_test.c", "src/test_parse.cpp"].iter().all(|name| is_test(name)));
        assert!(!["my_sink.c", "src/latest.c", "src/contest.cpp"].iter().any(|name| is_test(name)));
    }
}
