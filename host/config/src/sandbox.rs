//! `lockgate.http.*` and `lockgate.limits.compile.*`: the sandbox of a worker as a whole.
//!
//! Enters: checked settings. Leaves: [`SandboxSettings`]. Invariant: each bound has a unit in its name and a default.

use std::path::PathBuf;
use std::time::Duration;

use lockgate_model::package::{ConfigType, Importance};

use crate::definitions::Known;
use crate::reading::Settings;

/// What is the same for all packages of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSettings {
    /// `lockgate.http.ca.file`: PEM certificates that plugins' HTTPS trusts beside those of the web.
    pub http_ca: Option<PathBuf>,
    /// `lockgate.limits.compile.cpu.ms`.
    pub compile_cpu: Duration,
    /// `lockgate.limits.compile.ms`.
    pub compile_wall: Duration,
    /// `lockgate.limits.compile.memory.mb` in bytes.
    pub compile_memory_bytes: u64,
}

impl SandboxSettings {
    pub(crate) fn read(settings: &Settings) -> Self {
        let millis = |key: &str| Duration::from_millis(settings.fits(key));
        Self {
            http_ca: settings.filled("lockgate.http.ca.file").map(PathBuf::from),
            compile_cpu: millis("lockgate.limits.compile.cpu.ms"),
            compile_wall: millis("lockgate.limits.compile.ms"),
            compile_memory_bytes: settings.fits::<u64>("lockgate.limits.compile.memory.mb") << 20,
        }
    }
}

/// Its keys.
pub(crate) fn keys() -> Vec<Known> {
    let bound = |name: &str, default: &str, min: f64, max: f64, text: &str| {
        let name = format!("lockgate.limits.compile.{name}");
        Known::new(&name, ConfigType::Long, Some(default), Importance::Low, text).between(min, max)
    };
    let trust = "PEM file with certificates that plugins' HTTPS trusts beside those of the web: a company's own CA.";
    vec![
        Known::new("lockgate.http.ca.file", ConfigType::String, None, Importance::Medium, trust),
        bound("cpu.ms", "120000", 1_000.0, 3_600_000.0, "CPU time to compile one package, milliseconds."),
        bound("ms", "180000", 1_000.0, 3_600_000.0, "Wall-clock time to compile one package, milliseconds."),
        bound("memory.mb", "4096", 256.0, 65_536.0, "Address space of the process that compiles one package, MiB."),
    ]
}
