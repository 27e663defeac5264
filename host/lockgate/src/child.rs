//! A child process that never outlives this one.
//!
//! Enters: a program with arguments. Leaves: the same program, in a process group of its own (Ctrl-C in the terminal does
//! not reach it) and with SIGTERM as its fate when its parent dies. Invariant: the parent's death between `fork` and
//! `prctl` is noticed too. It is a hidden subcommand of this binary that becomes the program, so no code of ours runs
//! between `fork` and `exec`.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The hidden subcommand.
pub const SUBCOMMAND: &str = "__child";

/// Starts a program tied to this process; its output goes to `output`. Call it from the main thread: the kernel means the
/// death of the thread that made the child.
pub fn spawn(program: &Path, args: &[OsString], output: std::fs::File) -> io::Result<Child> {
    let errors = output.try_clone()?;
    Command::new(std::env::current_exe()?)
        .arg(SUBCOMMAND)
        .arg(std::process::id().to_string())
        .arg(program)
        .args(args)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
}

/// What the hidden subcommand does: `PARENT PROGRAM ARGS...`. Returns only if it fails.
pub fn become_program(args: &[OsString]) -> ExitCode {
    let [parent, program, args @ ..] = args else { return ExitCode::from(2) };
    let tied = set_parent_process_death_signal(Some(Signal::TERM));
    let parent_lives = getppid().is_some_and(|pid| pid.as_raw_nonzero().to_string() == parent.to_string_lossy());
    if let Err(error) = tied {
        eprintln!("the child cannot be tied to its parent: {error}");
        return ExitCode::FAILURE;
    }
    if !parent_lives {
        return ExitCode::FAILURE;
    }
    let error = Command::new(program).args(args).exec();
    eprintln!("{} cannot be started: {error}", Path::new(program).display());
    ExitCode::FAILURE
}
