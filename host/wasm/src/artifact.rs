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
use crate::inspect::inspect;
use crate::package::Package;

/// Does it all, in order.
pub(crate) async fn load(core: &Arc<Core>, bytes: Bytes) -> Result<Arc<Package>, PackageError> {
    let max = core.options.upload.package_bytes;
    let size_bytes = bytes.len() as u64;
    let wasm = bytes.clone();
    // Validation and hashing take milliseconds for each megabyte: not on a thread that drives tasks.
    let work = tokio::task::spawn_blocking(move || inspect(&wasm, max).map(|found| (found, digest_of(&wasm))));
    let (found, digest) = work.await.map_err(|e| host(format!("validation panicked: {e}")))??;
    let component = component(core, &digest, bytes).await?;
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

async fn component(core: &Arc<Core>, digest: &str, wasm: Bytes) -> Result<Component, PackageError> {
    let found = blocking(core, digest, |core, digest| core.cache.as_ref().map_or(Found::Nothing, |c| c.find(digest)));
    match found.await? {
        Found::Image(path) => match from_file(core, &path) {
            Ok(component) => return Ok(component),
            Err(e) => tracing::warn!(digest, "the cached native image is of no use, compiling again: {e:#}"),
        },
        Found::Tampered => {
            tracing::warn!(digest, "the cached native image was changed by someone else: removed, compiling again");
        }
        Found::Nothing => {}
    }
    let image = Arc::new(crate::compile::compile(core, wasm).await?);
    let kept = Arc::clone(&image);
    let kept = blocking(core, digest, move |core, digest| core.cache.as_ref().map(|cache| cache.keep(digest, &kept)));
    match kept.await? {
        None => {}
        Some(Ok(path)) => match from_file(core, &path) {
            Ok(component) => return Ok(component),
            Err(e) => tracing::warn!(digest, "the native image cannot be mapped, using it from memory: {e:#}"),
        },
        Some(Err(e)) => {
            tracing::warn!(digest, "the native image cannot be kept (it is compiled again at the next start): {e}");
        }
    }
    from_memory(core, &image).map_err(|e| host(format!("the native image cannot be loaded: {e:#}")))
}

async fn blocking<T: Send + 'static>(
    core: &Arc<Core>,
    digest: &str,
    work: impl FnOnce(&Core, &str) -> T + Send + 'static,
) -> Result<T, PackageError> {
    let (core, digest) = (Arc::clone(core), digest.to_owned());
    let work = tokio::task::spawn_blocking(move || work(&core, &digest));
    work.await.map_err(|e| host(format!("the cache panicked: {e}")))
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
