//! Native images on disk, each with what is known of its package.
//!
//! Enters: images that this host compiled, notes. Leaves: the same bytes, or nothing. Invariant: an image and its notes are handed
//! out only if their keyed hash (BLAKE3) fits; the key lies beside the images in a directory that only this user can open. So what
//! was checked before an image was made (that the package is valid) need not be checked again.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blake3::{Hash, Hasher};

const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "cache.key";
/// Layout of the seal: 32 bytes of hash, then the notes. Part of the names of files.
const LAYOUT: &str = "2";
/// Time between two looks whether another process has finished compiling.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The directory.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    engine_hash: String,
}

/// What a look into the cache gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The file holds what this host wrote, with these notes.
    Image(PathBuf, Vec<u8>),
    /// There is none.
    Nothing,
    /// There is one that this host did not write, or not like this; it was removed.
    Tampered,
}

/// The right to compile a package. Given back when it is dropped, or the process ends.
#[derive(Debug)]
pub(crate) struct Turn {
    lock: Option<File>,
}

impl Turn {
    /// False if another process seems to be at it still.
    pub(crate) const fn is_alone(&self) -> bool {
        self.lock.is_some()
    }
}

impl Cache {
    /// Opens or makes the directory and its key.
    pub(crate) fn open(dir: &Path, engine_hash: String) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
        let key = read_key(&dir.join(KEY_FILE))?;
        Ok(Self { dir: dir.to_owned(), key, engine_hash })
    }

    /// Looks for the image of a package by its digest.
    pub(crate) fn find(&self, digest: &str) -> Found {
        let (image, seal) = self.paths(digest);
        let Ok(kept) = fs::read(&seal) else { return Found::Nothing };
        let fits = |kept: &[u8]| -> io::Result<Option<Vec<u8>>> {
            let Some((expected, notes)) = kept.split_first_chunk::<KEY_BYTES>() else { return Ok(None) };
            let actual = self.seal_of(digest, notes, File::open(&image)?)?;
            // Compared in constant time.
            Ok((actual == Hash::from_bytes(*expected)).then(|| notes.to_vec()))
        };
        match fits(&kept) {
            Ok(Some(notes)) => Found::Image(image, notes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Found::Nothing,
            _ => {
                let _ = (fs::remove_file(&seal), fs::remove_file(&image));
                Found::Tampered
            }
        }
    }

    /// Keeps an image and notes: first the image, then its seal, each whole or not at all.
    pub(crate) fn keep(&self, digest: &str, image: &[u8], notes: &[u8]) -> io::Result<PathBuf> {
        let (path, seal) = self.paths(digest);
        let kept = self.seal_of(digest, notes, image).and_then(|hash| {
            self.place(&path, image)?;
            self.place(&seal, &[hash.as_bytes(), notes].concat())
        });
        if kept.is_err() {
            let _ = (fs::remove_file(&seal), fs::remove_file(&path));
        }
        kept.map(|()| path)
    }

    /// Waits until no other process compiles this package, for at most so long: then two do the same work, and no harm is done.
    pub(crate) fn turn(&self, digest: &str, patience: Duration) -> Turn {
        let path = self.paths(digest).0.with_extension("lock");
        let Ok(file) = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path) else {
            return Turn { lock: None };
        };
        let end = Instant::now() + patience;
        while file.try_lock().is_err() {
            if Instant::now() > end {
                return Turn { lock: None };
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Turn { lock: Some(file) }
    }

    fn place(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Made with mode 0600; removed if it is not put in place.
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        file.persist(path).map(drop).map_err(|e| e.error)
    }

    fn paths(&self, digest: &str) -> (PathBuf, PathBuf) {
        let name = format!("{}-{}-{LAYOUT}", digest.rsplit(':').next().unwrap_or(digest), self.engine_hash);
        (self.dir.join(format!("{name}.cwasm")), self.dir.join(format!("{name}.seal")))
    }

    /// Over the names, so that an image cannot stand in for another, the notes and the image.
    fn seal_of(&self, digest: &str, notes: &[u8], image: impl Read) -> io::Result<Hash> {
        let mut hasher = Hasher::new_keyed(&self.key);
        hasher.update(format!("{digest}\n{}\n{}\n", self.engine_hash, notes.len()).as_bytes());
        hasher.update(notes);
        hasher.update_reader(image)?;
        Ok(hasher.finalize())
    }
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            file.write_all(&key).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(path)))?;
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let wrong = |_| io::Error::other(format!("{} is not a key; remove the directory", path.display()));
            File::open(path)?.read_exact(&mut key).map_err(wrong)?;
        }
        Err(e) => return Err(e),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cache(dir: &Path) -> Cache {
        Cache::open(dir, "e1".to_owned()).unwrap()
    }

    #[test]
    fn what_was_kept_is_found_by_the_next_process() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("deep/cache");
        let path = cache(&dir).keep("sha256:aa", b"native", b"notes").unwrap();
        assert_eq!(cache(&dir).find("sha256:aa"), Found::Image(path.clone(), b"notes".to_vec()));
        assert_eq!(cache(&dir).find("sha256:bb"), Found::Nothing);
        assert_eq!(Cache::open(&dir, "e2".to_owned()).unwrap().find("sha256:aa"), Found::Nothing);
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&path), mode(&dir.join(KEY_FILE))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_changed_image_is_never_handed_out() {
        let root = tempfile::tempdir().unwrap();
        let cache = cache(root.path());
        let change: [fn(&Path); 3] =
            [|p| fs::write(p, b"nativE").unwrap(), |p| fs::write(p, b"nat").unwrap(), |p| fs::write(p, b"").unwrap()];
        for tamper in change {
            let path = cache.keep("sha256:aa", b"native", b"notes").unwrap();
            tamper(&path);
            assert_eq!(cache.find("sha256:aa"), Found::Tampered);
            assert_eq!(cache.find("sha256:aa"), Found::Nothing, "it was removed");
        }
    }

    #[test]
    fn a_seal_of_another_package_or_key_does_not_fit() {
        let root = tempfile::tempdir().unwrap();
        let cache = cache(root.path());
        let (a, b) = (cache.keep("sha256:aa", b"one", b"").unwrap(), cache.keep("sha256:bb", b"two", b"").unwrap());
        fs::copy(&a, &b).unwrap();
        fs::copy(a.with_extension("seal"), b.with_extension("seal")).unwrap();
        assert_eq!(cache.find("sha256:bb"), Found::Tampered);
        fs::remove_file(root.path().join(KEY_FILE)).unwrap();
        assert_eq!(self::cache(root.path()).find("sha256:aa"), Found::Tampered);
    }

    #[test]
    fn changed_notes_are_never_handed_out() {
        let root = tempfile::tempdir().unwrap();
        let cache = cache(root.path());
        let path = cache.keep("sha256:aa", b"native", b"{}").unwrap();
        let seal = path.with_extension("seal");
        let whole = fs::read(&seal).unwrap();
        for changed in [[&whole[..], b" "].concat(), whole[..whole.len() - 1].to_vec(), whole[..5].to_vec(), vec![]] {
            cache.keep("sha256:aa", b"native", b"{}").unwrap();
            fs::write(&seal, changed).unwrap();
            assert_eq!(cache.find("sha256:aa"), Found::Tampered);
        }
    }

    #[test]
    fn one_process_compiles_and_the_others_wait_for_it() {
        let root = tempfile::tempdir().unwrap();
        let (one, other) = (cache(root.path()), cache(root.path()));
        let turn = one.turn("sha256:aa", Duration::ZERO);
        assert!(turn.is_alone());
        assert!(!other.turn("sha256:aa", Duration::ZERO).is_alone(), "it went on after its patience");
        assert!(other.turn("sha256:bb", Duration::ZERO).is_alone());
        drop(turn);
        assert!(other.turn("sha256:aa", Duration::ZERO).is_alone());
    }
}
