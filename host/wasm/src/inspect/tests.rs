//! Uploads that are not what they should be, built by hand.
#![allow(clippy::unwrap_used)]

use super::*;

const MAX: usize = 1 << 20;

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![id, u8::try_from(body.len()).unwrap()];
    out.extend_from_slice(body);
    out
}

/// A component that imports and exports empty instances under these names.
fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let mut out = b"\0asm\x0d\0\x01\0".to_vec();
    let name = |text: &str| {
        let mut bytes = vec![0, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    // Type 0: an instance without exports.
    out.extend(section(7, &[1, 0x42, 0]));
    for import in imports {
        let mut body = vec![1];
        body.extend(name(import));
        body.extend([5, 0]);
        out.extend(section(10, &body));
    }
    // An instance from no exports, for each export.
    for (index, export) in exports.iter().enumerate() {
        out.extend(section(5, &[1, 1, 0]));
        let mut body = vec![1];
        body.extend(name(export));
        body.extend([5, u8::try_from(imports.len() + index * 2).unwrap(), 0]);
        out.extend(section(11, &body));
    }
    out
}

#[test]
fn an_empty_upload_is_named_so() {
    assert_eq!(inspect(b"", MAX), Err(PackageError::Empty));
}

#[test]
fn one_byte_too_many_is_too_large() {
    assert_eq!(inspect(&[0; 11], 10), Err(PackageError::TooLarge { size: 11, max: 10 }));
}

#[test]
fn other_files_are_recognised() {
    let table: [(&[u8], &str); 7] = [
        (b"hello, world\n", "text"),
        (b"(component)", "WebAssembly text; assemble it first"),
        (b"{\"name\":1}", "JSON"),
        (b"\x7fELF\x02\x01", "a native program or library (ELF)"),
        (b"PK\x03\x04....", "a zip or jar archive"),
        (b"\xca\xfe\xba\xbe\0\0\0", "a Java class file"),
        (b"\x01\x02\xff\xfe\0\0\0\0", "binary data of another kind"),
    ];
    for (bytes, expected) in table {
        let looks_like = expected.to_owned();
        assert_eq!(inspect(bytes, MAX), Err(PackageError::NotWasm { looks_like }));
    }
}

#[test]
fn a_core_module_is_told_from_a_component() {
    assert_eq!(inspect(b"\0asm\x01\0\0\0", MAX), Err(PackageError::CoreModule));
}

#[test]
fn every_cut_of_a_component_is_refused_and_almost_all_as_truncated() {
    let whole = component(&["lockgate:connect/log@0.1.0"], &["lockgate:connect/plugin@0.1.0"]);
    let outcomes: Vec<_> = (1..whole.len()).map(|at| inspect(&whole[..at], MAX).unwrap_err()).collect();
    let truncated = outcomes.iter().filter(|e| matches!(e, PackageError::Truncated { .. })).count();
    // Cuts between two sections leave a valid but smaller component: it lacks exports.
    let smaller = outcomes.iter().filter(|e| matches!(e, PackageError::MissingExports(_))).count();
    assert_eq!((truncated + smaller, smaller), (outcomes.len(), 4), "{outcomes:?}");
}

#[test]
fn unknown_imports_are_listed() {
    let names = ["acme:db/client@1.0.0", "lockgate:connect/log@0.1.0", "wasi:cli/exit@0.2.6", "wasi:nn/tensor@0.2.0"];
    let bytes = component(&names, &["lockgate:connect/plugin@0.1.0", "lockgate:connect/sink@0.1.0"]);
    let unknown = vec!["acme:db/client@1.0.0".to_owned(), "wasi:nn/tensor@0.2.0".to_owned()];
    assert_eq!(inspect(&bytes, MAX), Err(PackageError::UnknownImports(unknown)));
}

#[test]
fn interfaces_that_only_guests_export_are_no_imports() {
    let bytes = component(&["lockgate:connect/sink@0.1.0"], &["lockgate:connect/plugin@0.1.0"]);
    assert!(matches!(inspect(&bytes, MAX), Err(PackageError::UnknownImports(_))));
}

#[test]
fn other_versions_of_the_contract_are_refused_by_number() {
    for version in ["0.2.0", "1.0.0", "0.10.0", "0.1"] {
        let name = format!("lockgate:connect/plugin@{version}");
        let error = inspect(&component(&[], &[&name]), MAX).unwrap_err();
        let wrong_name = matches!(&error, PackageError::Invalid { .. }) && version == "0.1";
        let named = matches!(&error, PackageError::UnknownVersion { found, .. } if found == version);
        assert!(named || wrong_name, "{error:?}");
    }
    let bytes = component(&["wasi:cli/exit@0.3.0"], &["lockgate:connect/plugin@0.1.0"]);
    assert!(matches!(inspect(&bytes, MAX), Err(PackageError::UnknownImports(_))));
}

#[test]
fn a_package_needs_plugin_and_one_kind() {
    let bytes = component(&[], &["lockgate:connect/sink@0.1.0"]);
    assert_eq!(inspect(&bytes, MAX), Err(PackageError::MissingExports(vec!["lockgate:connect/plugin".to_owned()])));
    let bytes = component(&[], &["lockgate:connect/plugin@0.1.0"]);
    assert!(matches!(inspect(&bytes, MAX), Err(PackageError::MissingExports(m)) if m.len() == 1));
}

#[test]
fn a_good_package_says_what_it_is() {
    let imports = ["wasi:io/streams@0.2.6", "lockgate:connect/batches@0.1.0"];
    let exports = ["lockgate:connect/plugin@0.1.0", "lockgate:connect/sink@0.1.3", "exports"];
    let found = inspect(&component(&imports, &exports), MAX).unwrap();
    assert_eq!((found.source, found.sink, found.transform), (false, true, false));
    assert_eq!(found.imports, ["lockgate:connect/batches@0.1.0", "wasi:io/streams@0.2.6"]);
}

#[test]
fn a_say_about_offsets_comes_beside_a_kind_and_is_none_itself() {
    let both = ["lockgate:connect/plugin@0.1.0", "lockgate:connect/offsets@0.1.0"];
    assert!(matches!(inspect(&component(&[], &both), MAX), Err(PackageError::MissingExports(_))));
    let source = [both[0], both[1], "lockgate:connect/source@0.1.0"];
    assert!(inspect(&component(&[], &source), MAX).unwrap().offsets);
    assert!(!inspect(&component(&[], &[source[0], source[2]]), MAX).unwrap().offsets);
}

#[test]
fn broken_bytes_inside_are_invalid_and_say_where() {
    let mut bytes = component(&[], &["lockgate:connect/plugin@0.1.0"]);
    bytes[10] = 0xff;
    assert!(matches!(inspect(&bytes, MAX), Err(PackageError::Invalid { .. })));
}
