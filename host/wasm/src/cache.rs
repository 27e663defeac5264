//! Native images on disk.
//!
//! Enters: images that this host compiled. Leaves: the same bytes, or nothing. Invariant: an image is handed out only if
//! its keyed checksum (HMAC-SHA-256) fits; the key lies beside the images in a directory that only this user can open.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "cache.key";

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
    /// The file holds what this host wrote.
    Image(PathBuf),
    /// There is none.
    Nothing,
    /// There is one that this host did not write, or not like this; it was removed.
    Tampered,
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
        let Ok(expected) = fs::read(&seal) else { return Found::Nothing };
        match self.seal_of(digest, &image) {
            Ok(actual) if same(&actual, &expected) => Found::Image(image),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Found::Nothing,
            _ => {
                let _ = (fs::remove_file(&seal), fs::remove_file(&image));
                Found::Tampered
            }
        }
    }

    /// Keeps an image: first the image, then its seal, each whole or not at all.
    pub(crate) fn keep(&self, digest: &str, image: &[u8]) -> io::Result<PathBuf> {
        let (path, seal) = self.paths(digest);
        let mut mac = self.mac(digest);
        mac.update(image);
        let kept = self.place(&path, image).and_then(|()| self.place(&seal, &mac.finish()));
        if kept.is_err() {
            let _ = (fs::remove_file(&seal), fs::remove_file(&path));
        }
        kept.map(|()| path)
    }

    fn place(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Made with mode 0600; removed if it is not put in place.
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        file.persist(path).map(drop).map_err(|e| e.error)
    }

    fn paths(&self, digest: &str) -> (PathBuf, PathBuf) {
        let name = format!("{}-{}", digest.rsplit(':').next().unwrap_or(digest), self.engine_hash);
        (self.dir.join(format!("{name}.cwasm")), self.dir.join(format!("{name}.seal")))
    }

    fn seal_of(&self, digest: &str, path: &Path) -> io::Result<[u8; 32]> {
        let mut file = File::open(path)?;
        let mut mac = self.mac(digest);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(mac.finish()),
                n => mac.update(&buffer[..n]),
            }
        }
    }

    /// Begun with the names, so that an image cannot stand in for another.
    fn mac(&self, digest: &str) -> Hmac {
        let mut mac = Hmac::new(&self.key);
        mac.update(format!("{digest}\n{}\n", self.engine_hash).as_bytes());
        mac
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

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

/// RFC 2104 over SHA-256, for keys of 32 bytes.
struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
            Sha256::new_with_prefix(block)
        };
        Self { inner: pad(0x36), outer: pad(0x5c) }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    fn finish(self) -> [u8; 32] {
        let mut outer = self.outer;
        outer.update(self.inner.finalize());
        outer.finalize().into()
    }
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
        let path = cache(&dir).keep("sha256:aa", b"native").unwrap();
        assert_eq!(cache(&dir).find("sha256:aa"), Found::Image(path.clone()));
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
            let path = cache.keep("sha256:aa", b"native").unwrap();
            tamper(&path);
            assert_eq!(cache.find("sha256:aa"), Found::Tampered);
            assert_eq!(cache.find("sha256:aa"), Found::Nothing, "it was removed");
        }
    }

    #[test]
    fn a_seal_of_another_package_or_key_does_not_fit() {
        let root = tempfile::tempdir().unwrap();
        let cache = cache(root.path());
        let (a, b) = (cache.keep("sha256:aa", b"one").unwrap(), cache.keep("sha256:bb", b"two").unwrap());
        fs::copy(&a, &b).unwrap();
        fs::copy(a.with_extension("seal"), b.with_extension("seal")).unwrap();
        assert_eq!(cache.find("sha256:bb"), Found::Tampered);
        fs::remove_file(root.path().join(KEY_FILE)).unwrap();
        assert_eq!(self::cache(root.path()).find("sha256:aa"), Found::Tampered);
    }

    #[test]
    fn the_checksum_is_hmac_sha256() {
        // RFC 4231, test case 1, its key padded with zeros as HMAC does.
        let mut key = [0; KEY_BYTES];
        key[..20].fill(0x0b);
        let mut mac = Hmac::new(&key);
        mac.update(b"Hi There");
        let hex: String = mac.finish().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }
}
