//! Figures as Markdown tables.
//!
//! Enters: series and rows. Leaves: text on standard output. Invariant: a ratio is of the best runs of both sides, beside the
//! spread of the raw loop with itself, so that a reader sees what is noise.

use crate::series::{Run, Series};

/// Prints the cases that are paired with the raw loop.
pub fn print_pairs(all: &[Series]) {
    println!(
        "| case | raw records/s | Lockgate records/s | raw CPU s/M | Lockgate CPU s/M | CPU ratio (median) | rate ratio | A/A | B/B | peak MiB | target |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for series in all {
        let (raw, ours) = (best(&series.raw), best(&series.lockgate));
        let case = &series.case;
        let target = match (case.ratio_max > 0.0, case.cpu_max > 0.0) {
            (true, _) => verdict(ours.cpu / raw.cpu, case.ratio_max, "ratio"),
            (_, true) => verdict(ours.cpu, case.cpu_max, "CPU s/M"),
            _ => "-".to_owned(),
        };
        println!(
            "| {} | {:.0} k | {:.0} k | {:.3} | {:.3} | {:.2} ({:.2}) | {:.2} | {:.2} | {:.2} | {:.0} | {target} |",
            case.name,
            raw.rate / 1e3,
            ours.rate / 1e3,
            raw.cpu,
            ours.cpu,
            ours.cpu / raw.cpu,
            median(&series.lockgate) / median(&series.raw),
            ours.rate / raw.rate,
            spread(&series.raw),
            spread(&series.lockgate),
            ours.peak_rss_mib,
        );
    }
    println!();
}

/// Prints rows of (what, figure).
pub fn print(heading: &str, rows: &[(String, String)]) {
    println!("| {heading} | |\n|---|---|");
    rows.iter().for_each(|(what, figure)| println!("| {what} | {figure} |"));
    println!();
}

/// A figure against its target.
pub fn verdict(seen: f64, max: f64, unit: &str) -> String {
    format!("{unit} <= {max}: {}", if seen <= max { "met" } else { "MISSED" })
}

/// Lowest CPU, highest rate and highest peak: they may come from different runs.
fn best(runs: &[Run]) -> Run {
    runs.iter().copied().fold(Run { rate: 0.0, cpu: f64::INFINITY, peak_rss_mib: 0.0 }, |best, run| Run {
        rate: best.rate.max(run.rate),
        cpu: best.cpu.min(run.cpu),
        peak_rss_mib: best.peak_rss_mib.max(run.peak_rss_mib),
    })
}

fn median(runs: &[Run]) -> f64 {
    let mut all: Vec<f64> = runs.iter().map(|r| r.cpu).collect();
    all.sort_by(f64::total_cmp);
    let middle = all.len() / 2;
    if all.len() % 2 == 1 { all[middle] } else { f64::midpoint(all[middle - 1], all[middle]) }
}

/// The largest ratio between the two runs of one round.
fn spread(runs: &[Run]) -> f64 {
    let ratio = |pair: &[Run]| (pair[0].cpu / pair[1].cpu).max(pair[1].cpu / pair[0].cpu);
    runs.chunks_exact(2).map(ratio).fold(1.0, f64::max)
}
