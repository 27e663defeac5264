//! What a process has used, from `/proc`.
//!
//! Enters: a process id. Leaves: CPU seconds of all its threads and its memory. Invariant: 100 ticks a second, which every
//! Linux that runs this has.

use std::fs;

/// Kernel ticks a second in `/proc/<pid>/stat`.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system time of all threads, living and ended.
    pub cpu_seconds: f64,
    /// Resident memory now.
    pub rss_mib: f64,
    /// Resident memory at its highest.
    pub peak_rss_mib: f64,
}

/// Memory of a process, MiB, with pages that several mappings share counted once: images of guests are mapped by each instance.
pub fn proportional_mib(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

impl Usage {
    /// Of a process; zeros if it is gone.
    pub fn of(pid: u32) -> Self {
        Self::read(&pid.to_string())
    }

    /// Of this process.
    pub fn of_this_process() -> Self {
        Self::read("self")
    }

    fn read(pid: &str) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything: count fields from behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = |name: &str| {
            let line = status.lines().find(|l| l.starts_with(name));
            line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0)
        };
        Self {
            cpu_seconds: (ticks(11) + ticks(12)) / TICKS_PER_SECOND,
            rss_mib: kib("VmRSS:") / 1024.0,
            peak_rss_mib: kib("VmHWM:") / 1024.0,
        }
    }
}

/// Load of the machine, for the reader of a table.
pub fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}
