//! Other people's programs: compilers, package clients.
//!
//! Enters: commands. Leaves: what they printed, shown at once on standard error. Invariant: a compiler's words reach the author
//! as they are; what is kept of them has a bound, and so has the time.

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::cli::failure::Failure;

/// How long a tool may take: a first build fetches and compiles what it needs.
const DEADLINE: Duration = Duration::from_mins(30);
/// Bytes kept of standard output.
const KEPT: usize = 64 << 20;
/// Bytes kept of standard error: its end.
const TAIL: usize = 64 << 10;
/// Pieces of output waiting to be shown.
const PIECES: usize = 64;

/// What becomes of a tool's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Standard error is shown at once, standard output if the tool fails.
    Keep,
    /// All is shown at once.
    Show,
    /// Nothing is shown: the caller does it.
    Later,
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) ok: bool,
    pub(super) output: String,
    /// The end of standard error, and of standard output if it failed.
    pub(super) said: String,
}

/// Runs a command to its end.
pub(super) fn run(command: &mut Command, output: Output) -> Result<Ended, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |cause: io::Error| Failure::build(format!("{name} cannot be run: {cause}"), None);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (sender, pieces) = sync_channel(PIECES);
    let readers = [
        child.stdout.take().map(|pipe| forward(pipe, false, sender.clone())),
        child.stderr.take().map(|pipe| forward(pipe, true, sender)),
    ];
    let (mut kept, mut said) = (Vec::new(), Vec::new());
    let until = Instant::now() + DEADLINE;
    loop {
        match pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((is_error, piece)) => {
                if (is_error && output != Output::Later) || output == Output::Show {
                    // Whoever closed standard error does not want to read it.
                    let _ = io::stderr().write_all(&piece);
                }
                let (to, max) = if is_error { (&mut said, TAIL) } else { (&mut kept, KEPT) };
                to.extend(piece);
                to.drain(..to.len().saturating_sub(max));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                let after = humantime::format_duration(DEADLINE);
                return Err(Failure::build(format!("{name} was ended: it took longer than {after}"), None));
            }
        }
    }
    let ok = child.wait().map_err(failed)?.success();
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    let output_text = String::from_utf8_lossy(&kept).into_owned();
    let mut said = String::from_utf8_lossy(&said).into_owned();
    if !ok {
        if output == Output::Keep {
            eprint!("{output_text}");
        }
        said.extend(output_text.chars().take(TAIL));
    }
    Ok(Ended { ok, output: output_text, said })
}

fn forward(
    mut pipe: impl Read + Send + 'static,
    is_error: bool,
    sender: SyncSender<(bool, Vec<u8>)>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 8 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            if sender.send((is_error, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    })
}

/// The first line that a command prints, if there is such a program and it succeeds.
pub(super) fn ask(program: &str, args: &[&str]) -> Option<String> {
    let ended = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&ended.stdout).lines().next().unwrap_or_default().trim().to_owned();
    ended.status.success().then_some(text)
}

/// A program of the path.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Installs something into a folder once; others that want the same wait. `install` makes the folder, which is there but empty.
pub(super) fn once(
    folder: &Path,
    what: &str,
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |cause| Failure::File { path: folder.to_owned(), cause };
    let ready = folder.join("ready");
    if ready.exists() {
        return Ok(());
    }
    let beside = folder.with_extension("lock");
    std::fs::create_dir_all(folder.parent().unwrap_or(folder)).map_err(failed)?;
    let lock = std::fs::File::create(&beside).and_then(|file| file.lock().map(|()| file)).map_err(failed)?;
    if !ready.exists() {
        eprintln!("lockgate: installing {what}, once, into {}", folder.display());
        // What an attempt that was interrupted has left.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).map_err(failed)?;
        install(folder)?;
        std::fs::write(&ready, "").map_err(failed)?;
    }
    drop(lock);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_tool_says_is_kept_and_its_failure_seen() {
        let ended = run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), Output::Keep).unwrap();
        assert_eq!((ended.ok, ended.output.as_str(), ended.said.as_str()), (false, "out\n", "err\nout\n"));
        let missing = run(&mut Command::new("no-such-program-anywhere"), Output::Keep).unwrap_err();
        assert!(missing.to_string().contains("no-such-program-anywhere cannot be run"), "{missing}");
    }

    #[test]
    fn what_is_installed_is_not_installed_again_and_an_attempt_that_failed_is() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tool-1.2.3");
        let failing = once(&folder, "it", |place| {
            std::fs::write(place.join("half"), "").unwrap();
            Err(Failure::build("no network".to_owned(), None))
        });
        assert!(failing.is_err());
        let install = |place: &Path| {
            assert!(!place.join("half").exists());
            Ok(())
        };
        once(&folder, "it", install).unwrap();
        once(&folder, "it", |_| panic!("it is there")).unwrap();
    }
}
