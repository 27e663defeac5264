//! What went wrong, for people and for scripts.
//!
//! Enters: refusals of the server, faults of the connection, of files, of waiting. Leaves: one message with a hint on
//! standard error, and an exit status. Invariant: each exit status has one meaning, listed in `docs/cli.md`; a reader
//! that closes the pipe is no failure.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::table::clean;

/// A command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is well-formed and still makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// Status code of HTTP.
        status: u16,
        /// What the server said.
        message: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// There was no answer.
    #[error("{server} does not answer: {cause}")]
    Unreachable {
        /// The base address.
        server: String,
        /// Why.
        cause: String,
    },
    /// The server answered something that is no answer.
    #[error("{server} answered something that is not Kafka Connect's REST: {what}")]
    Strange {
        /// The base address.
        server: String,
        /// What.
        what: String,
    },
    /// A file.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A configuration or another input that is not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// A project cannot be built, or the machine lacks what that takes.
    #[error("{message}")]
    Build {
        /// What is wrong.
        message: String,
        /// What the author can do.
        hint: Option<String>,
    },
    /// Waiting took too long.
    #[error("{name} is not {wanted} after {}: {seen}", humantime::format_duration(*after))]
    Late {
        /// The connector.
        name: String,
        /// The state waited for.
        wanted: &'static str,
        /// How long.
        after: Duration,
        /// What was seen last.
        seen: String,
    },
    /// What was waited for has failed.
    #[error("{name} FAILED: {trace}")]
    Failed {
        /// The connector.
        name: String,
        /// Its first trace.
        trace: String,
    },
    /// Several failures, each reported already.
    #[error("{0} failures")]
    Several(usize, u8),
    /// Nobody reads what is printed.
    #[error("the reader has gone")]
    Closed,
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Print(io::Error),
}

impl From<io::Error> for Failure {
    /// Of printing: everything else names its file.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Print(error) }
    }
}

impl Failure {
    /// Of a project, with what its author can do.
    pub fn build(message: String, hint: Option<&str>) -> Self {
        Self::Build { message, hint: hint.map(str::to_owned) }
    }

    /// The exit status.
    pub fn code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Strange { .. } | Self::File { .. } | Self::Print(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused { status, .. } => match status {
                404 | 410 => 3,
                409 => 4,
                400 | 406 | 411..=417 | 422 => 5,
                401 | 403 => 7,
                503 | 504 => 6,
                _ => 1,
            },
            Self::Invalid(_) | Self::Build { .. } => 5,
            Self::Unreachable { .. } => 6,
            Self::Late { .. } => 8,
            Self::Failed { .. } => 9,
            Self::Several(_, code) => *code,
        }
    }

    /// Prints it.
    pub fn report(&self) -> ExitCode {
        self.say();
        ExitCode::from(self.code())
    }

    /// Prints it without ending.
    pub fn say(&self) {
        if matches!(self, Self::Closed | Self::Several(..)) {
            return;
        }
        let lines: Vec<String> = self.to_string().lines().map(clean).collect();
        eprintln!("lockgate: {}", lines.join("\n  "));
        if let Some(hint) = self.hint() {
            eprintln!("  hint: {hint}");
        }
        eprintln!("  exit code {} ({})", self.code(), meaning(self.code()));
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Refused { hint, .. } | Self::Build { hint, .. } => return hint.clone(),
            Self::Unreachable { cause, .. } if cause.contains("ertificate") => {
                "name the file of the certificate authority with --ca or LOCKGATE_CA (PEM)"
            }
            Self::Unreachable { .. } | Self::Strange { .. } => {
                "is a worker running there? --server or LOCKGATE_SERVER says where (default http://localhost:8083)"
            }
            Self::Usage(_) => "--help shows the options",
            Self::Late { .. } => "--deadline gives it more time",
            Self::Failed { name, .. } => {
                return Some(format!("`lockgate connector status {name} --trace` shows everything, `logs {name}` too"));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Both outcomes as one: the exit status stays if they agree, and is 1 if not. What has failed is reported.
    pub fn both(before: Result<(), Self>, next: Result<(), Self>) -> Result<(), Self> {
        match (before, next) {
            (before, Ok(())) => before,
            (_, Err(Self::Closed)) => Err(Self::Closed),
            (before, Err(failure)) => {
                failure.say();
                let count = match &failure {
                    Self::Several(count, _) => *count,
                    _ => 1,
                };
                match before {
                    Ok(()) => Err(Self::Several(count, failure.code())),
                    Err(before) => {
                        let code = if before.code() == failure.code() { failure.code() } else { 1 };
                        let earlier = if let Self::Several(earlier, _) = before { earlier } else { 1 };
                        Err(Self::Several(earlier + count, code))
                    }
                }
            }
        }
    }
}

const fn meaning(code: u8) -> &'static str {
    match code {
        0 => "done",
        2 => "wrong command line",
        3 => "not found",
        4 => "conflict",
        5 => "invalid",
        6 => "unreachable",
        7 => "not allowed",
        8 => "deadline passed",
        9 => "FAILED",
        _ => "failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Failure {
        Failure::Refused { status, message: String::new(), hint: None }
    }

    #[test]
    fn a_status_code_becomes_the_exit_code_of_its_kind() {
        let codes =
            [(404, 3), (409, 4), (400, 5), (422, 5), (413, 5), (401, 7), (403, 7), (503, 6), (500, 1), (405, 1)];
        for (status, code) in codes {
            assert_eq!(refused(status).code(), code, "{status}");
        }
    }

    #[test]
    fn several_failures_of_one_kind_keep_their_code_and_others_are_1() {
        let same = Failure::both(Failure::both(Ok(()), Err(refused(404))), Err(refused(404)));
        assert_eq!(same.map_err(|f| f.code()), Err(3));
        let mixed = Failure::both(Failure::both(Ok(()), Err(refused(404))), Err(refused(409)));
        assert_eq!(mixed.map_err(|f| f.code()), Err(1));
        let one = Failure::both(Failure::both(Ok(()), Err(refused(404))), Ok(()));
        assert_eq!(one.map_err(|f| f.code()), Err(3));
    }
}
