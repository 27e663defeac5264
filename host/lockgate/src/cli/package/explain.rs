//! What an author does about a package that is refused.
//!
//! Enters: the words of a refusal, of this program's sandbox or of a worker's. Leaves: a hint. Invariant: decided by the dotted
//! code in brackets, which is stable, and within it by words of runtimes.

/// The fix for a refusal, if there is a usual one.
pub(super) fn refusal(message: &str) -> Option<String> {
    let code = message.rsplit_once('[').map_or("", |(_, rest)| rest.trim_end_matches([']', '.', '\n']));
    let hint = match code {
        "package.missing-exports" => {
            "the component has no plugin of that kind: export one (package!, Package, definePackage, lockgate.Export, \
             lockgate_package), and build with `lockgate package build`"
        }
        "package.unknown-version" => {
            "the WIT of the package and that of the worker differ: `lockgate package build` of the worker's own release \
             brings the right SDK into .lockgate-sdk"
        }
        "package.unknown-imports" => {
            "a library wants something that is not in the sandbox; allowed is what `lockgate package inspect` of any \
             bundled package shows, and WASI 0.2"
        }
        "package.core-module" => "`lockgate package build` makes a component of it",
        "package.too-large" => {
            "the limit is the worker's: lockgate.limits.package.mb; or build without debug information"
        }
        "package.compile" if message.contains("memory") => {
            "the compiler needs more memory than it may have: lockgate.compile.memory.mb of the worker"
        }
        "package.describe" => return Some(describe(message)),
        "package.bad-info" => "correct it where the package and its plugins are described, and build again",
        "package.disk-full" => "the worker's disk is full: lockgate.packages.dir",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Why a package could not say what it is: its code ran, and failed.
fn describe(message: &str) -> String {
    let known = [
        (
            "ModuleNotFoundError",
            "Python imports nothing at run time: import it at the top of a module, so that it is built in",
        ),
        ("LookupError", "Python loads codecs at run time: import encodings.NAME at the top of a module"),
        ("start new thread", "there are no threads in the sandbox"),
        ("failed to spawn thread", "there are no threads in the sandbox"),
        (
            "is not defined",
            "QuickJS has the language and nothing of browsers or Node; a plugin that asks for HTTP gets an engine with fetch",
        ),
        (
            "cannot leave component instance",
            "the collector of Go ran at the wrong time: set no GC percentage and no memory limit",
        ),
        (
            "all goroutines are asleep",
            "a goroutine waits for one that does not run: nothing runs between the calls of the host",
        ),
        ("deadline", "what runs when the package is loaded took too long: do the work in `open`, not at the top"),
        ("memory", "what runs when the package is loaded needs more memory than a task may have"),
    ];
    let hint = known.iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| *hint);
    hint.unwrap_or(
        "its code failed while the package was loaded: the trace names the line; what stands at the top and in the \
                    description must work without settings and without the outside",
    )
    .to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_refusal_that_a_beginner_meets_has_a_fix() {
        let table = [
            (
                "the component does not export lockgate:connect/plugin [package.missing-exports]",
                "lockgate package build",
            ),
            ("built for lockgate:connect 0.9 [package.unknown-version]", ".lockgate-sdk"),
            ("this is a core module [package.core-module]", "lockgate package build"),
            ("imports what this host does not offer [package.unknown-imports]", "WASI 0.2"),
            ("the package has 70 bytes [package.too-large]", "lockgate.limits.package.mb"),
            ("does not describe itself: panicked at src/lib.rs:3 [package.describe]", "the trace names the line"),
            ("does not describe itself: ModuleNotFoundError: json.tool [package.describe]", "at the top"),
            ("does not describe itself: cannot leave component instance [package.describe]", "GC percentage"),
        ];
        for (message, fix) in table {
            assert!(refusal(message).unwrap().contains(fix), "{message}");
        }
        assert_eq!(refusal("something else"), None);
    }
}
