//! What kind of bytes an upload is, before anything is compiled.
//!
//! Enters: all bytes of an upload. Leaves: the interfaces that a valid component imports and exports, or the reason why it
//! is refused. Invariant: nothing goes to the compiler that has not passed here.

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::error::PackageError;

mod toolchain;

/// Interfaces of `lockgate:connect` that a component may import; the last four only for their types.
const OWN_IMPORTS: [&str; 8] = ["log", "metrics", "state", "context", "batches", "faults", "tasks", "plugin"];
/// Packages of WASI 0.2 that are linked.
const WASI_PACKAGES: [&str; 7] = ["cli", "io", "clocks", "filesystem", "random", "sockets", "http"];
/// The versions of `lockgate:connect` that this host knows, as `major.minor`.
const KNOWN_VERSIONS: [&str; 1] = ["0.1"];
/// Names shown in one error at most.
const NAMES_MAX: usize = 20;

/// What a component says about its borders.
#[expect(clippy::struct_excessive_bools, reason = "each is an export of its own")]
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Inspected {
    /// Sorted.
    pub(crate) imports: Vec<String>,
    /// Sorted.
    pub(crate) exports: Vec<String>,
    /// What it says it was made by.
    pub(crate) toolchain: Vec<String>,
    pub(crate) source: bool,
    pub(crate) sink: bool,
    pub(crate) transform: bool,
    pub(crate) offsets: bool,
    /// What stands behind the version that the package says it has: a build of its author's, not a release.
    pub(crate) pre_release: Option<String>,
}

/// The custom section that holds it, as UTF-8 text.
pub(crate) const PRE_RELEASE_SECTION: &str = "lockgate:pre-release";

/// Checks an upload of at most `max` bytes.
pub(crate) fn inspect(bytes: &[u8], max: usize) -> Result<Inspected, PackageError> {
    if bytes.is_empty() {
        return Err(PackageError::Empty);
    }
    if bytes.len() > max {
        return Err(PackageError::TooLarge { size: bytes.len(), max });
    }
    check_preamble(bytes)?;
    check_sections(bytes)?;
    let invalid =
        |e: wasmparser::BinaryReaderError| PackageError::Invalid { message: e.message().to_owned(), at: e.offset() };
    Validator::new_with_features(WasmFeatures::default()).validate_all(bytes).map_err(invalid)?;
    let Borders { imports, exports, pre_release } = borders(bytes).map_err(invalid)?;
    check_versions(imports.iter().chain(&exports))?;
    let unknown: Vec<_> = imports.iter().filter(|name| !is_offered(name)).take(NAMES_MAX).cloned().collect();
    if !unknown.is_empty() {
        return Err(PackageError::UnknownImports(unknown));
    }
    let has = |interface: &str| exports.iter().any(|name| own_interface(name).is_some_and(|(i, _)| i == interface));
    let (source, sink, transform) = (has("source"), has("sink"), has("transform"));
    let (offsets, plugin) = (has("offsets"), has("plugin"));
    let toolchain = toolchain::of(bytes);
    let found = Inspected { imports, exports, toolchain, source, sink, transform, offsets, pre_release };
    let mut missing = Vec::new();
    if !plugin {
        missing.push("lockgate:connect/plugin".to_owned());
    }
    if !(found.source || found.sink || found.transform) {
        missing.push("any of lockgate:connect/source, /sink and /transform".to_owned());
    }
    if missing.is_empty() { Ok(found) } else { Err(PackageError::MissingExports(missing)) }
}

fn check_preamble(bytes: &[u8]) -> Result<(), PackageError> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.len() < 8 && (MAGIC.starts_with(bytes) || bytes.starts_with(MAGIC)) {
        return Err(PackageError::Truncated { at: bytes.len() });
    }
    if !bytes.starts_with(MAGIC) {
        return Err(PackageError::NotWasm { looks_like: looks_like(bytes).to_owned() });
    }
    match bytes[4..8] {
        [1, 0, 0, 0] => Err(PackageError::CoreModule),
        [_, _, 1, 0] => Ok(()),
        _ => Err(PackageError::Invalid { message: "unknown version of the binary format".to_owned(), at: 4 }),
    }
}

fn looks_like(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(512)];
    let text = std::str::from_utf8(head).or_else(|e| std::str::from_utf8(&head[..e.valid_up_to()])).unwrap_or("");
    let start = text.trim_start();
    match head {
        [0x7f, b'E', b'L', b'F', ..] => "a native program or library (ELF)",
        [b'P', b'K', 3, 4, ..] => "a zip or jar archive",
        [0x1f, 0x8b, ..] => "gzip data",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd data",
        [0xca, 0xfe, 0xba, 0xbe, ..] => "a Java class file",
        _ if start.starts_with("(module") || start.starts_with("(component") => "WebAssembly text; assemble it first",
        _ if start.starts_with('{') || start.starts_with('[') => "JSON",
        _ if start.starts_with('<') => "HTML or XML",
        _ if start.starts_with("--") => "a multipart form; send the bytes themselves as the body",
        _ if text.len() + 3 >= head.len() && !text.contains('\0') => "text",
        _ => "binary data of another kind",
    }
}

/// Walks the outermost sections by their lengths alone, so that a file that was cut off is told from a broken one.
fn check_sections(bytes: &[u8]) -> Result<(), PackageError> {
    let truncated = PackageError::Truncated { at: bytes.len() };
    let mut at = 8;
    while at < bytes.len() {
        at += 1;
        let (mut size, mut shift) = (0_u64, 0);
        loop {
            let Some(byte) = bytes.get(at) else { return Err(truncated) };
            at += 1;
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return Err(PackageError::Invalid { message: "a section's length is not a number".to_owned(), at });
            }
        }
        // At most 2^35, so the sum fits.
        let end = at as u64 + size;
        if end > bytes.len() as u64 {
            return Err(truncated);
        }
        at = usize::try_from(end).unwrap_or(usize::MAX);
    }
    Ok(())
}

/// What the outermost component has at its borders.
struct Borders {
    imports: Vec<String>,
    exports: Vec<String>,
    pre_release: Option<String>,
}

fn borders(bytes: &[u8]) -> Result<Borders, wasmparser::BinaryReaderError> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    let mut pre_release = None;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding: Encoding::Module | Encoding::Component, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::CustomSection(section) if depth == 1 && section.name() == PRE_RELEASE_SECTION => {
                pre_release = Some(String::from_utf8_lossy(section.data()).into_owned());
            }
            _ => {}
        }
    }
    imports.sort_unstable();
    exports.sort_unstable();
    Ok(Borders { imports, exports, pre_release })
}

/// Interface and version of a name of `lockgate:connect`.
fn own_interface(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("lockgate:connect/")?;
    Some(rest.split_once('@').unwrap_or((rest, "")))
}

fn check_versions<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), PackageError> {
    let known = |v: &str| KNOWN_VERSIONS.iter().any(|k| v.strip_prefix(k).is_some_and(|rest| rest.starts_with('.')));
    for (_, version) in names.filter_map(|name| own_interface(name)) {
        if !known(version) {
            let known = KNOWN_VERSIONS.iter().map(|k| format!("{k}.x")).collect();
            let found = if version.is_empty() { "without a version".to_owned() } else { version.to_owned() };
            return Err(PackageError::UnknownVersion { found, known });
        }
    }
    Ok(())
}

fn is_offered(name: &str) -> bool {
    if let Some((interface, _)) = own_interface(name) {
        return OWN_IMPORTS.contains(&interface);
    }
    let wasi = || {
        let (package, rest) = name.strip_prefix("wasi:")?.split_once('/')?;
        let (_, version) = rest.split_once('@')?;
        Some(WASI_PACKAGES.contains(&package) && version.starts_with("0.2."))
    };
    wasi().unwrap_or(false)
}

#[cfg(test)]
mod tests;
