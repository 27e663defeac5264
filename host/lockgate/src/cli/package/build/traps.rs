//! What compiles and then does not work in the sandbox.
//!
//! Enters: the sources of a project. Leaves: a note for each line that looks like it, with the fix. Invariant: notes never stop a
//! build: a line of text is no proof.

use crate::cli::package::project::{Language, Project};

/// Notes of one build at most.
const NOTES_MAX: usize = 10;

/// A piece of source, what is wrong with it, what to do.
struct Trap(&'static str, &'static str);

const RUST: &[Trap] = &[
    Trap("thread::spawn", "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own"),
    Trap(
        "tokio::",
        "there is no async runtime in the sandbox; a call that blocks holds no thread of the host, so wait simply",
    ),
    Trap("reqwest::", "reqwest does not run in the sandbox; lockgate_sdk::http does, and asks_http says where to"),
];
const PYTHON: &[Trap] = &[
    Trap(
        "threading.Thread",
        "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own",
    ),
    Trap(
        "ThreadPoolExecutor",
        "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own",
    ),
    Trap(
        "multiprocessing",
        "there are no processes in the sandbox; raise tasks.max, each task is an instance of its own",
    ),
    Trap("subprocess", "there are no processes in the sandbox"),
    Trap("import ssl", "there is no ssl in the sandbox; lockgate.http speaks https, the host does TLS"),
    Trap("import ctypes", "there is no ctypes in the sandbox: pure Python only"),
];
const SCRIPT: &[Trap] = &[
    Trap("from \"node:", "modules of Node do not exist in the sandbox"),
    Trap("require(", "the sandbox has ES modules only: import"),
    Trap("new Worker(", "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own"),
];
const GO: &[Trap] = &[
    Trap(
        "SetGCPercent(",
        "the SDK runs the collector between calls; set no GC percentage, else the guest traps while the host hands over arguments",
    ),
    Trap(
        "SetMemoryLimit(",
        "the SDK runs the collector between calls; set no memory limit, else the guest traps while the host hands over arguments",
    ),
    Trap("import \"C\"", "there is no cgo in the sandbox"),
];
const C: &[Trap] = &[
    Trap(
        "pthread_create(",
        "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own",
    ),
    Trap("std::thread", "there are no threads in the sandbox; raise tasks.max, each task is an instance of its own"),
    Trap("fork(", "there are no processes in the sandbox"),
];

/// What is worth a look.
pub(super) fn notes(project: &Project) -> Vec<String> {
    let (traps, suffixes): (_, &[&str]) = match project.language {
        Language::Rust => (RUST, &[".rs"]),
        Language::Python => (PYTHON, &[".py"]),
        Language::Script => (SCRIPT, &[".ts", ".js", ".mts", ".mjs"]),
        Language::Go => (GO, &[".go"]),
        Language::C => (C, &[".c", ".cpp", ".cc", ".cxx"]),
    };
    let mut notes = Vec::new();
    for name in project.sources(&["", "src"], suffixes) {
        if name.contains("test") {
            continue;
        }
        let text = project.text(&name).unwrap_or_default();
        notes.extend(of_text(&name, &text, traps, project.language));
        if project.language == Language::Python {
            notes.extend(lazy_imports(&name, &text));
        }
    }
    notes.truncate(NOTES_MAX);
    notes
}

fn of_text(name: &str, text: &str, traps: &[Trap], language: Language) -> Vec<String> {
    let comment = if language == Language::Python { "#" } else { "//" };
    let mut notes = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.split(comment).next().unwrap_or_default();
        let found = traps.iter().find(|trap| code.contains(trap.0));
        notes.extend(found.map(|trap| format!("{name}:{}: {}", at + 1, trap.1)));
    }
    notes
}

/// Imports inside functions of what is not imported at the top as well.
fn lazy_imports(name: &str, text: &str) -> Vec<String> {
    let is_inner = |line: &str| line.starts_with([' ', '\t']);
    let at_top: Vec<&str> = text.lines().filter(|line| !is_inner(line)).filter_map(imported).collect();
    let inner = text.lines().enumerate().filter(|(_, line)| is_inner(line));
    let lazy = inner.filter_map(|(at, line)| Some((at, imported(line).filter(|module| !at_top.contains(module))?)));
    let fix = "is imported inside a function; there is no library on disk at run time: import it at the top";
    lazy.map(|(at, module)| format!("{name}:{}: `{module}` {fix}", at + 1)).collect()
}

/// The module that a line imports.
fn imported(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let is_import = matches!(words.next()?, "import" | "from");
    words.next().filter(|_| is_import).map(|module| module.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_work_in_the_sandbox_is_named_with_the_fix() {
        let go = "package main\n\nfunc init() { debug.SetGCPercent(50) } // why\n// debug.SetMemoryLimit(1)\n";
        let notes = of_text("main.go", go, GO, Language::Go);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("main.go:3: ") && notes[0].contains("set no GC percentage"), "{notes:?}");
        let rust = of_text("src/lib.rs", "let t = std::thread::spawn(|| ());", RUST, Language::Rust);
        assert!(rust[0].contains("no threads"), "{rust:?}");
    }

    #[test]
    fn an_import_inside_a_function_is_fine_only_if_it_stands_at_the_top_too() {
        let text = "import json\nfrom a import b\n\ndef f():\n    import json\n    from decimal import Decimal\n    # import x\n";
        let notes = lazy_imports("feed.py", text);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("feed.py:6: `decimal`"), "{notes:?}");
    }
}
