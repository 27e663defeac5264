//! Packs the SDKs and their templates into the program, so that `lockgate package new` and `build` need nothing but it.
//!
//! Enters: `sdk/` of the checkout. Leaves: `sdk.tar.gz` in the build's folder. Invariant: the same files make the same bytes;
//! what builds and tests leave in the folders of the SDKs is not in it.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Folders that are made, not written.
const MADE: [&str; 7] = ["target", "node_modules", "__pycache__", ".venv", "dist", "build", ".lockgate-sdk"];
/// Suffixes of files that are made, not written.
const MADE_FILES: [&str; 3] = [".pyc", ".orig", ".swp"];

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs, not when it was compiled: checkouts that share a target directory share this program.
    let sdk = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../sdk");
    println!("cargo::rerun-if-changed={}", sdk.display());
    let mut files = Vec::new();
    collect(&sdk, &mut files)?;
    files.sort();
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("sdk.tar.gz");
    let mut archive = tar::Builder::new(GzEncoder::new(fs::File::create(out)?, Compression::best()));
    for path in files {
        let bytes = fs::read(&path)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        let executable = fs::metadata(&path)?.permissions().mode() & 0o100 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        archive.append_data(&mut header, path.strip_prefix(&sdk)?, bytes.as_slice())?;
    }
    archive.into_inner()?.finish()?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned()))?;
        if path.is_dir() {
            // The package that setuptools makes beside the sources is one of these as well.
            if !MADE.contains(&name.as_str()) && !name.ends_with(".egg-info") {
                collect(&path, files)?;
            }
        } else if !MADE_FILES.iter().any(|suffix| name.ends_with(suffix)) {
            files.push(path);
        }
    }
    Ok(())
}
