//! What `std::fs` does not say about files in a component.
//!
//! Enters: a path below a directory that the task was granted. Leaves: the identity of the file that stands there now.
//! Invariant: two files that exist at the same time have different identities; the size plays no part.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::PathFlags;

/// The identity of the file behind a path, to see that another file was put in its place; none where there is no file.
pub fn identity(path: &str) -> Option<u128> {
    let mut best: Option<(usize, u128)> = None;
    for (directory, name) in get_directories() {
        let Some(rest) = path.strip_prefix(name.trim_end_matches('/')) else { continue };
        let Some(rest) = rest.strip_prefix('/') else { continue };
        if let Ok(hash) = directory.metadata_hash_at(PathFlags::SYMLINK_FOLLOW, rest)
            && best.is_none_or(|(length, _)| name.len() > length)
        {
            best = Some((name.len(), u128::from(hash.upper) << 64 | u128::from(hash.lower)));
        }
    }
    best.map(|(_, hash)| hash)
}
