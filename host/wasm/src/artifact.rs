//! From the bytes of an upload to a package that can be instantiated.
//!
//! Enters: bytes. Leaves: a described [`Package`]. Invariant: native code comes only from this host's compiler, directly or
//! through the sealed cache; a package is handed out only after it described itself well.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::abi::info::Facts;
use crate::cache::Found;
use crate::engine::Core;
use crate::error::PackageError;
use crate::inspect::{Inspected, inspect};
use crate::package::Package;

/// Does it all, in order.
pub(crate) async fn load(core: &Arc<Core>, bytes: Bytes) -> Result<Arc<Package>, PackageError> {
    let size_bytes = bytes.len() as u64;
    let (digest, component, found) = component(core, bytes).await?;
    let pre = core.linker.instantiate_pre(&component).map_err(|e| {
        // Inspection knows packages, the linker knows every function.
        PackageError::UnknownImports(vec![format!("{e:#}")])
    })?;
    let facts = Facts {
        digest,
        size_bytes,
        imports: found.imports,
        exports: found.exports,
        toolchain: found.toolchain,
        source: found.source,
        sink: found.sink,
        transform: found.transform,
        offsets: found.offsets,
        pre_release: found.pre_release,
    };
    Package::describe(core, pre, facts).await
}

/// The package's digest, its native code, and what it says about its borders: from the cache, or inspected and compiled now.
async fn component(core: &Arc<Core>, wasm: Bytes) -> Result<(String, Component, Inspected), PackageError> {
    let bytes = wasm.clone();
    // Hashing takes milliseconds for each ten megabytes: not on a thread that drives tasks.
    let looked_up = blocking(core, move |core| {
        let digest = digest_of(&bytes);
        let cached = cached(core, &digest);
        (digest, cached)
    });
    let (digest, found) = looked_up.await?;
    if let Some((component, found)) = found {
        return Ok((digest, component, found));
    }
    let (max, bytes) = (core.options.upload.package_bytes, wasm.clone());
    // Validation takes longer still.
    let inspected = blocking(core, move |_| inspect(&bytes, max)).await??;
    let (wanted, patience) = (digest.clone(), core.options.compile.wall);
    let turn = blocking(core, move |core| core.cache.as_ref().map(|cache| cache.turn(&wanted, patience))).await?;
    if turn.as_ref().is_some_and(|turn| !turn.is_alone()) {
        tracing::warn!(digest, "another process has been compiling this package for long; compiling it here, too");
    }
    let wanted = digest.clone();
    // Another process may have compiled it meanwhile.
    if let Some((component, found)) = blocking(core, move |core| cached(core, &wanted)).await? {
        return Ok((digest, component, found));
    }
    let image = crate::compile::compile(core, wasm).await?;
    let (name, notes) = (digest.clone(), inspected.clone());
    let component = blocking(core, move |core| kept(core, &name, &image, &notes)).await??;
    drop(turn);
    Ok((digest, component, inspected))
}

/// What the cache has of a package. A package that was inspected before its image was kept is as good as inspected.
fn cached(core: &Core, digest: &str) -> Option<(Component, Inspected)> {
    match core.cache.as_ref()?.find(digest) {
        Found::Image(path, notes) => {
            let inspected = serde_json::from_slice(&notes).map_err(|e| tracing::warn!(digest, "unreadable notes: {e}"));
            match from_file(core, &path) {
                Ok(component) => return Some((component, inspected.ok()?)),
                Err(e) => tracing::warn!(digest, "the cached native image is of no use, compiling again: {e:#}"),
            }
        }
        Found::Tampered => {
            tracing::warn!(digest, "the cached native image was changed by someone else: removed, compiling again");
        }
        Found::Nothing => {}
    }
    None
}

/// Keeps an image, and loads it from where it is kept, so that its pages are those of the file.
fn kept(core: &Core, digest: &str, image: &[u8], notes: &Inspected) -> Result<Component, PackageError> {
    let notes = serde_json::to_vec(notes).map_err(|e| host(format!("notes cannot be written: {e}")))?;
    match core.cache.as_ref().map(|cache| cache.keep(digest, image, &notes)) {
        None => {}
        Some(Ok(path)) => match from_file(core, &path) {
            Ok(component) => return Ok(component),
            Err(e) => tracing::warn!(digest, "the native image cannot be mapped, using it from memory: {e:#}"),
        },
        Some(Err(e)) => {
            tracing::warn!(digest, "the native image cannot be kept (it is compiled again at the next start): {e}");
        }
    }
    from_memory(core, image).map_err(|e| host(format!("the native image cannot be loaded: {e:#}")))
}

async fn blocking<T: Send + 'static>(
    core: &Arc<Core>,
    work: impl FnOnce(&Core) -> T + Send + 'static,
) -> Result<T, PackageError> {
    let core = Arc::clone(core);
    let work = tokio::task::spawn_blocking(move || work(&core));
    work.await.map_err(|e| host(format!("loading a package panicked: {e}")))
}

#[allow(unsafe_code)]
fn from_file(core: &Core, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by this host's compiler and its keyed seal was verified just now (or it was written
    // just now); it lies in a directory that only this user may enter, and is replaced by rename, never changed.
    unsafe { Component::deserialize_file(&core.wasm, path) }
}

#[allow(unsafe_code)]
fn from_memory(core: &Core, image: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes came through a pipe from this host's own compiler and have been in this process since.
    unsafe { Component::deserialize(&core.wasm, image) }
}

fn digest_of(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn host(message: String) -> PackageError {
    PackageError::Compile { message, host: true }
}
