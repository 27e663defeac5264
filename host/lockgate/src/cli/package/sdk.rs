//! The SDKs that this program carries: their sources and the templates of projects.
//!
//! Enters: the archive of `build.rs`. Leaves: a folder that holds one SDK, files of a template. Invariant: a folder of an SDK is
//! equal to what the program carries, so that SDK, WIT and worker fit each other; what lies there beside it is left alone, and a
//! file that is right already keeps its time, so that nothing is built again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::cli::failure::Failure;

const ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sdk.tar.gz"));
/// The folder of a project that holds its SDK.
pub(super) const FOLDER: &str = ".lockgate-sdk";
/// What this program has put into the folder, one path a line.
const LIST: &str = ".files";
/// The folder with the projects of `lockgate package new` in each SDK.
const TEMPLATE: &str = "template";

/// A file of the archive.
#[derive(Debug)]
pub(super) struct Carried {
    /// Below the folder that was asked for.
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

/// Makes `folder` hold the SDK of this name (`rust`, `python`, `js`, `go`, `c`).
pub(super) fn put(folder: &Path, name: &str) -> Result<(), Failure> {
    let failed = |path: &Path, cause| Failure::File { path: path.to_owned(), cause };
    fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    let guard = folder.join(".lock");
    // Several programs may build at the same time; held until the end of this function.
    let lock =
        File::create(&guard).and_then(|file| file.lock().map(|()| file)).map_err(|cause| failed(&guard, cause))?;
    let files: Vec<Carried> = carried(name)?.into_iter().filter(|file| !file.path.starts_with(TEMPLATE)).collect();
    let list = folder.join(LIST);
    let before = fs::read_to_string(&list).unwrap_or_default();
    for gone in before.lines().map(Path::new).filter(|path| files.iter().all(|file| file.path != **path)) {
        let path = folder.join(gone);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(&path, cause)),
            _ => {}
        }
    }
    for file in &files {
        write(&folder.join(&file.path), file)?;
    }
    let now: String = files.iter().map(|file| format!("{}\n", file.path.display())).collect();
    if now != before {
        fs::write(&list, now).map_err(|cause| failed(&list, cause))?;
    }
    drop(lock);
    Ok(())
}

/// The files of a template, by its folder (`rust/template/sink`).
pub(super) fn template(folder: &str) -> Result<Vec<Carried>, Failure> {
    carried(folder)
}

/// Writes a file of the archive, unless it is there as it should be.
pub(super) fn write(path: &Path, file: &Carried) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|there| there == file.bytes) {
        return Ok(());
    }
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        fs::write(path, &file.bytes)?;
        fs::set_permissions(path, fs::Permissions::from_mode(file.mode))
    });
    made.map_err(|cause| Failure::File { path: path.to_owned(), cause })
}

fn carried(folder: &str) -> Result<Vec<Carried>, Failure> {
    read(folder).map_err(|cause| Failure::Invalid(format!("this program's own archive of the SDKs is broken: {cause}")))
}

fn read(folder: &str) -> io::Result<Vec<Carried>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(ARCHIVE)).entries()? {
        let mut entry = entry?;
        let Ok(path) = entry.path()?.strip_prefix(folder).map(Path::to_owned) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push(Carried { path, mode: entry.header().mode()?, bytes });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_sdk_is_carried_whole_and_without_what_builds_leave() {
        let needed = [
            ("rust", "src/lib.rs"),
            ("python", "src/lockgate/wit/deps/http.wit"),
            ("js", "cli/lockgate-js.mjs"),
            ("go", "adapter/wasi_snapshot_preview1.reactor.wasm"),
            ("c", "test/fake_host.c"),
        ];
        for (name, path) in needed {
            let files = read(name).unwrap();
            assert!(files.iter().any(|file| file.path == Path::new(path)), "{name} has {path}");
            assert!(files.iter().any(|file| file.path.starts_with("template")), "{name} has a template");
            let made = |file: &&Carried| file.path.components().any(|part| part.as_os_str() == "node_modules");
            assert!(!files.iter().any(|file| made(&file)), "{name}");
        }
        assert!(ARCHIVE.len() < 1 << 20, "{} bytes of the worker's program", ARCHIVE.len());
    }

    #[test]
    fn a_folder_of_an_sdk_becomes_what_the_program_carries_and_keeps_what_is_right() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        put(dir.path(), "rust").unwrap();
        let time = |path: &str| fs::metadata(at(path)).unwrap().modified().unwrap();
        let untouched = time("src/batch.rs");
        let right = fs::read(at("src/lib.rs")).unwrap();
        fs::write(at("src/lib.rs"), "changed").unwrap();
        fs::write(at("src/gone.rs"), "of an older SDK").unwrap();
        fs::write(at("mine.txt"), "not ours").unwrap();
        let list = fs::read_to_string(at(LIST)).unwrap();
        fs::write(at(LIST), format!("src/gone.rs\n{list}")).unwrap();
        put(dir.path(), "rust").unwrap();
        assert_eq!(fs::read(at("src/lib.rs")).unwrap(), right);
        assert_eq!(time("src/batch.rs"), untouched);
        assert!(!at("src/gone.rs").exists() && at("mine.txt").exists() && !at("template").exists());
    }
}
