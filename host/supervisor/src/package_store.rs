//! The bytes of uploaded packages, on disk.
//!
//! Enters: bytes that the engine has accepted. Leaves: the same bytes at the next start. Invariant: a file is named by the
//! SHA-256 of its content and appears whole (written aside, synced, renamed, directory synced) before the upload is
//! answered; a file whose content does not fit its name is never loaded. Blocking: call it off the runtime's threads.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{ErrorKind, SupervisorError};
use crate::offset_file::replace_file;

const EXTENSION: &str = "wasm";

/// A directory of packages.
#[derive(Clone, Debug)]
pub(crate) struct PackageStore {
    directory: PathBuf,
}

impl PackageStore {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Keeps the bytes. `digest` is `sha256:` and hexadecimal digits.
    pub(crate) fn keep(&self, digest: &str, bytes: &Bytes) -> Result<(), SupervisorError> {
        replace_file(&self.path(digest), bytes).map_err(|e| self.fault("written", &e))
    }

    /// Forgets the bytes; what is not there is forgotten already.
    pub(crate) fn forget(&self, digest: &str) -> Result<(), SupervisorError> {
        let gone = match fs::remove_file(self.path(digest)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        gone.and_then(|()| fs::File::open(&self.directory)?.sync_all()).map_err(|e| self.fault("removed", &e))
    }

    /// The files of all packages here.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        package_files(&self.directory)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.directory.join(digest.trim_start_matches("sha256:")).with_extension(EXTENSION)
    }

    fn fault(&self, what: &str, error: &io::Error) -> SupervisorError {
        let directory = self.directory.display();
        let message = format!("the package could not be {what} in {directory}: {error} (lockgate.packages.dir)");
        let full = error.kind() == io::ErrorKind::StorageFull;
        SupervisorError::new(ErrorKind::Storage, if full { "package.disk-full" } else { "package.io" }, message)
    }
}

/// The `.wasm` files of a directory by name, with their content; none if it does not exist.
pub(crate) fn read_directory(directory: &Path) -> Vec<(PathBuf, io::Result<Bytes>)> {
    package_files(directory).into_iter().map(|path| (path.clone(), fs::read(&path).map(Bytes::from))).collect()
}

/// Likewise, without: packages have tens of megabytes, so they are best read one after the other.
pub(crate) fn package_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    let visible = |p: &PathBuf| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let mut paths: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| e == EXTENSION) && visible(p)).collect();
    paths.sort();
    paths
}

/// True if a file of the store holds what its name says. `digest` is that of its content.
pub(crate) fn is_named_by(path: &Path, digest: &str) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy() == digest.trim_start_matches("sha256:"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn kept_bytes_are_there_again_and_forgotten_bytes_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = PackageStore::new(dir.path().join("packages"));
        assert!(store.files().is_empty());
        store.keep("sha256:aa", &Bytes::from_static(b"one")).unwrap();
        store.keep("sha256:bb", &Bytes::from_static(b"two")).unwrap();
        store.forget("sha256:aa").unwrap();
        store.forget("sha256:aa").unwrap();
        let all = store.files();
        assert_eq!(all.len(), 1);
        assert!(is_named_by(&all[0], "sha256:bb") && fs::read(&all[0]).unwrap() == b"two");
    }

    #[test]
    fn what_a_crash_left_half_written_is_not_a_package() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".cc.wasm.7.tmp"), b"half").unwrap();
        fs::write(dir.path().join(".dd.wasm"), b"hidden").unwrap();
        assert!(PackageStore::new(dir.path().to_owned()).files().is_empty());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_a_storage_error_that_names_the_option() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = PackageStore::new(file).keep("sha256:aa", &Bytes::from_static(b"x")).unwrap_err();
        assert!(error.kind() == ErrorKind::Storage && error.message().contains("lockgate.packages.dir"), "{error}");
    }
}
