//! What an author meets: tools that are missing, code that does not compile, packages that are refused, a worker that says no.
//!
//! Enters: projects and components with one thing wrong. Leaves: what is said, the fix, the exit code.

use std::fs;
use std::path::Path;

use lockgate_tests::{Kafka, Receiver, Reply, Worker, places};
use serde_json::json;

use super::{at, ended, program};
use crate::ran::Ran;

/// A folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn build(dir: &Path) -> Ran {
    at("127.0.0.1:1", &["package", "build", &dir.to_string_lossy()])
}

#[test]
fn a_toolchain_that_is_missing_is_named_with_where_it_comes_from() {
    let table = [
        ("Cargo.toml", "[package]", "Rust is missing", "rustup.rs"),
        ("package.json", "{}", "Node is missing", "nodejs.org"),
        ("feed.py", "package = Package()", "Python is missing", "python.org"),
        ("go.mod", "module x", "the tools for Go come from PyPI", "python.org"),
        ("x.c", "", "the compiler for C and C++ comes from PyPI", "python.org"),
    ];
    let empty = tempfile::tempdir().unwrap();
    for (file, text, missing, from) in table {
        let dir = project(&[(file, text)]);
        let mut command = program("127.0.0.1:1", &["package", "build", &dir.path().to_string_lossy()]);
        let ran = ended(command.env("PATH", empty.path()).spawn().unwrap()).ends(5);
        assert!(ran.err.contains(missing) && ran.err.contains(from), "{file}: {}", ran.err);
    }
}

#[test]
fn errors_of_compilers_are_shown_as_they_are() {
    let cargo = "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    let made = "\npackage = Package('x', '0.1.0')\n";
    let python = format!("from lockgate import Package\ndef f(:{made}");
    type Files<'a> = &'a [(&'a str, &'a str)];
    let table: [(Files<'_>, &[&str]); 5] = [
        (
            &[("Cargo.toml", cargo), ("src/lib.rs", "fn f() -> u8 { missing }")],
            &["cannot find value `missing`", "src/lib.rs:1"],
        ),
        (&[("x.c", "int f(void) { return missing; }\n")], &["x.c:1", "missing"]),
        (&[("x.c", "#include <lockgate.h>\n")], &["lockgate_package", "const lg_package lockgate_package"]),
        (&[("feed.py", &python)], &["feed.py", "SyntaxError", "line 2"]),
        (
            &[("go.mod", "module x\n\ngo 1.24\n"), ("main.go", "package main\n\nfunc main() { missing() }\n")],
            &["main.go:3", "missing"],
        ),
    ];
    for (files, said) in table {
        let dir = project(files);
        let ran = build(dir.path()).ends(5);
        for words in said {
            assert!(ran.err.contains(words), "{words} in: {}", ran.err);
        }
        assert_eq!(fs::read_dir(dir.path().join("dist")).map(Iterator::count).unwrap_or(0), 0, "nothing half is left");
    }
}

#[test]
fn a_type_that_does_not_fit_is_an_error_of_a_project_in_typescript() {
    let dir = project(&[]);
    let place = dir.path().join("p").to_string_lossy().into_owned();
    at("127.0.0.1:1", &["package", "new", "--lang", "ts", "--kind", "transform", "my-types", "--dir", &place]).ends(0);
    let module = dir.path().join("p/src/my-types.ts");
    let code = fs::read_to_string(&module).unwrap();
    fs::write(&module, format!("const n: number = \"text\";\n{code}export {{ n }};\n")).unwrap();
    let ran = build(Path::new(&place)).ends(5);
    assert!(ran.err.contains("the types do not fit") && ran.err.contains("src/my-types.ts"), "{}", ran.err);
}

#[test]
fn a_native_wheel_is_refused_by_its_name() {
    let dir = project(&[("feed.py", "package = Package('x', '0.1.0')\n"), ("deps/numpy/core.cpython-314.so", "")]);
    let ran = build(dir.path()).ends(5);
    assert!(ran.err.contains("deps/numpy/core.cpython-314.so is a native library"), "{}", ran.err);
}

#[test]
fn what_compiles_and_does_not_work_in_the_sandbox_is_pointed_out() {
    let main = "package main\n\nimport \"runtime/debug\"\n\nfunc main() { debug.SetGCPercent(50); missing() }\n";
    let go = project(&[("go.mod", "module x\n\ngo 1.24\n"), ("main.go", main)]);
    let ran = build(go.path()).ends(5);
    assert!(ran.err.contains("main.go:5: the SDK runs the collector"), "{}", ran.err);
    let python = project(&[("feed.py", "def f(:\n    import decimal\npackage = Package()\n")]);
    let ran = build(python.path()).ends(5);
    assert!(ran.err.contains("feed.py:2: `decimal` is imported inside a function"), "{}", ran.err);
}

#[test]
fn a_component_that_a_worker_would_refuse_is_refused_by_inspect_with_the_fix() {
    let component = places::guest("c_sink");
    let other = |wanted: &[u8], instead: &[u8]| {
        let mut bytes = component.clone();
        let places: Vec<usize> =
            (0..bytes.len() - wanted.len()).filter(|at| bytes[*at..].starts_with(wanted)).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| bytes[*at..*at + wanted.len()].copy_from_slice(instead));
        bytes
    };
    let table = [
        (other(b"@0.1.0", b"@0.9.0"), "built for lockgate:connect 0.9.0", "brings the right SDK"),
        (b"\0asm\x01\0\0\0".to_vec(), "core module", "lockgate package build"),
        (places::guest("describe-panics"), "does not describe itself", "hint:"),
        (b"#!/bin/sh".to_vec(), "looks like", ""),
    ];
    for (bytes, said, fix) in table {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.wasm");
        fs::write(&file, bytes).unwrap();
        let ran = at("127.0.0.1:1", &["package", "inspect", &file.to_string_lossy()]).ends(5);
        assert!(ran.err.contains(said) && ran.err.contains(fix), "{said}: {}", ran.err);
    }
}

#[test]
fn a_file_and_the_worker_show_the_same_of_a_package() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let file = worker.path_text("x.wasm");
    fs::write(&file, places::guest("c_sink")).unwrap();
    at(&worker.address, &["package", "push", &file]).ends(0);
    let of_file = at("127.0.0.1:1", &["package", "inspect", &file]).ends(0).out;
    assert_eq!(at(&worker.address, &["package", "inspect", "my-sink", "0.1.0"]).ends(0).out, of_file);
    for words in
        ["com.example.MySink", "required", "lockgate:connect/sink@0.1.0", "this package can reach, and nothing else"]
    {
        assert!(of_file.contains(words), "{words} in {of_file}");
    }
    let object = at("127.0.0.1:1", &["package", "inspect", &file, "--output", "json"]).ends(0).json();
    assert_eq!(object, at(&worker.address, &["package", "inspect", "my-sink", "0.1.0", "-o", "json"]).ends(0).json());
    assert_eq!(object["plugins"][0]["requests"], json!([{"kind": "write", "target": "{file}"}]));
    assert!(object["toolchain"].as_array().is_some_and(|tools| !tools.is_empty()), "{object}");
}

#[test]
fn a_package_of_40_megabytes_is_pushed() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let mut bytes = places::guest("c_sink");
    // A custom section: nothing compiles it, everybody carries it.
    let body = [&[3][..], b"big", &vec![7; 40 << 20]].concat();
    bytes.push(0);
    let mut length = body.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    let file = worker.path_text("big.wasm");
    fs::write(&file, bytes).unwrap();
    let ran = at(&worker.address, &["package", "push", &file]).ends(0);
    assert!(ran.out.contains("my-sink 0.1.0 uploaded: com.example.MySink"), "{}", ran.out);
}

#[test]
fn a_worker_that_says_no_to_a_package_is_explained() {
    let server = Receiver::start();
    let dir = project(&[("x.wasm", "bytes")]);
    let file = dir.path().join("x.wasm").to_string_lossy().into_owned();
    let table = [
        (401, "who are you", 7, "--token"),
        (409, "my-sink 0.1.0 has other bytes", 4, "raise the version"),
        (413, "the package is too large: it may have at most 10 bytes", 5, "lockgate.limits.package.mb"),
        (422, "the component does not export x [package.missing-exports]", 5, "lockgate package build"),
    ];
    for (status, message, code, fix) in table {
        server.answer_by(move |_| {
            Some(Reply { body: json!({"error_code": status, "message": message}).to_string(), ..Reply::status(status) })
        });
        let ran = at(&server.address, &["package", "push", &file]).ends(code);
        assert!(ran.err.contains(message) && ran.err.contains(fix) && ran.err.contains("x.wasm"), "{}", ran.err);
    }
}

#[test]
fn the_address_may_be_called_url_as_well() {
    let server = Receiver::start();
    server.answer_by(|_| Some(Reply { body: "[]".to_owned(), ..Reply::status(200) }));
    let url = format!("http://{}", server.address);
    at("127.0.0.1:1", &["package", "list", "--url", &url]).ends(0);
}
