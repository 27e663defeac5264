//! The crates of the host and who uses whom, as Cargo sees it.
//!
//! Enters: `cargo metadata` of this checkout, without the registry. Leaves: [`Crate`]s. Invariant: build and normal
//! dependencies only; what tests use is their own affair.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// One package of the root workspace that lives below `host/`.
#[derive(Debug)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Names of all its direct dependencies.
    pub dependencies: BTreeSet<String>,
}

/// All crates below `host/`, by name.
pub fn host_crates() -> Vec<Crate> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let args = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(args).current_dir(crate::root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut crates: Vec<Crate> = packages.filter(|p| is_host(p)).map(read).collect();
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    crates
}

fn is_host(package: &Value) -> bool {
    let host = crate::root().join("host");
    package["manifest_path"].as_str().is_some_and(|path| std::path::Path::new(path).starts_with(host))
}

fn read(package: &Value) -> Crate {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let used = dependencies.filter(|d| d["kind"].as_str() != Some("dev")).filter_map(|d| d["name"].as_str());
    Crate {
        name: package["name"].as_str().unwrap_or_default().to_owned(),
        dependencies: used.map(str::to_owned).collect(),
    }
}
