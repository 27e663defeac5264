//! `lockgate package inspect`: what a package is and what it could reach.
//!
//! Enters: a `.wasm` file, or the name of a package on a worker. Leaves: its plugins, settings, borders and origin. Invariant:
//! both are the same object, so both look the same; what is shown as reachable is what was asked for, and says who grants it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{classes, examine};
use crate::cli::failure::Failure;
use crate::cli::remote::{Remote, path};
use crate::cli::screen::Screen;
use crate::cli::status::text;
use crate::cli::table::{Table, clean, short};

/// Shows a file, if there is one of that name, or a package of the worker.
pub(super) fn run(subject: &str, version: Option<&str>, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let file = Path::new(subject);
    let is_file = file.extension().is_some_and(|e| e == "wasm") || (version.is_none() && file.is_file());
    let answer = if is_file {
        examine::file(file)?
    } else {
        let segments = ["packages", subject, version.unwrap_or_default()];
        remote.get(&path(if version.is_some() { &segments } else { &segments[..2] }))?
    };
    screen.show(&answer, |found| {
        // One version, or a list of them.
        let versions = found.as_array().map_or(std::slice::from_ref(found), Vec::as_slice);
        Ok(versions.iter().map(details).collect::<Vec<_>>().join("\n"))
    })
}

fn details(package: &Value) -> String {
    let mut head = Table::new(&["PACKAGE", &clean(&text(&package["name"]))]);
    for key in ["version", "documentation", "digest"] {
        head.row([key.to_owned(), text(&package[key])]);
    }
    head.row(["size".to_owned(), size(package)]);
    for key in ["toolchain", "imports", "exports"] {
        head.row([key.to_owned(), words(&package[key], text)]);
    }
    let mut all = format!("{}\n{}", head.text(), plugins(package));
    for plugin in list(&package["plugins"]).filter(|plugin| list(&plugin["config"]).next().is_some()) {
        _ = write!(all, "\nsettings of {}:\n{}", clean(&text(&plugin["class"])), settings(plugin));
    }
    all + "\n" + &reach(package)
}

/// The plugins, a row for each.
pub(super) fn plugins(package: &Value) -> String {
    let mut plugins = Table::new(&["CLASS", "TYPE", "ALIASES", "ENCODINGS", "ASKS FOR"]);
    for plugin in list(&package["plugins"]) {
        let request = |request: &Value| format!("{} {}", text(&request["kind"]), text(&request["target"]));
        plugins.row([
            text(&plugin["class"]),
            text(&plugin["type"]),
            words(&plugin["aliases"], text),
            words(&plugin["encodings"], text),
            words(&plugin["requests"], request),
        ]);
    }
    plugins.text()
}

fn settings(plugin: &Value) -> String {
    let mut table = Table::new(&["  KEY", "TYPE", "DEFAULT", "IMPORTANCE", "DOCUMENTATION"]);
    for key in list(&plugin["config"]) {
        let default = if key["required"] == true { "required".to_owned() } else { short(&text(&key["default_value"])) };
        table.row([
            format!("  {}", text(&key["name"])),
            text(&key["type"]),
            default,
            text(&key["importance"]),
            short(&text(&key["documentation"])),
        ]);
    }
    table.text()
}

/// What the plugins could reach outside of the sandbox, and who decides that.
pub(super) fn reach(package: &Value) -> String {
    let mut lines = String::new();
    let mut asks_http = false;
    for plugin in list(&package["plugins"]) {
        for request in list(&plugin["requests"]) {
            let (kind, target) = (text(&request["kind"]), text(&request["target"]));
            asks_http |= kind == "http";
            let (what, grant) = match kind.as_str() {
                "http" => ("talk HTTP to", "lockgate.grants.http"),
                "tcp" => ("connect by TCP to", "lockgate.grants.tcp"),
                "read" => ("read", "lockgate.grants.read"),
                _ => ("read and write", "lockgate.grants.write"),
            };
            let class = clean(&text(&plugin["class"]));
            _ = writeln!(lines, "  {class} may {what} {}, if the worker grants it: {grant}", clean(&place(&target)));
        }
    }
    let mut all = if lines.is_empty() {
        "this package can reach nothing outside of the sandbox\n".to_owned()
    } else {
        format!("this package can reach, and nothing else:\n{lines}")
    };
    let imports_http = list(&package["imports"]).any(|name| text(name).starts_with("wasi:http/outgoing-handler"));
    if imports_http && !asks_http {
        all.push_str(
            "note: it has a client for HTTP in it, but no plugin asks for HTTP: each request will be refused. Ask where the \
             plugin is described (asks_http, asks=[Http(..)], asks: [{ http }], AskHTTP, LG_ASKS_HTTP)\n",
        );
    }
    all
}

/// A target in words: `{file}` is what the setting `file` names.
fn place(target: &str) -> String {
    match target.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(key) if !key.contains('{') => format!("what its setting `{key}` names"),
        _ => target.to_owned(),
    }
}

/// The size of the file, for people.
pub(super) fn size(package: &Value) -> String {
    let bytes = package["size_bytes"].as_u64().unwrap_or_default();
    // Tenths of a megabyte are exact far beyond what a worker takes.
    if bytes < 1 << 20 {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    } else {
        format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn words(value: &Value, word: impl Fn(&Value) -> String) -> String {
    list(value).map(word).collect::<Vec<_>>().join(", ")
}

/// Classes, for one line.
pub(super) fn class_words(package: &Value) -> String {
    clean(&classes(package).join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_reachable_says_by_which_setting_and_by_whose_grant() {
        let requests = json!([{"kind": "write", "target": "{file}"}, {"kind": "http", "target": "https://{host}/api"}]);
        let said = reach(&json!({"plugins": [{"class": "a.B", "requests": requests}]}));
        assert!(said.contains(
            "a.B may read and write what its setting `file` names, if the worker grants it: lockgate.grants.write"
        ));
        assert!(said.contains("talk HTTP to https://{host}/api"), "{said}");
        assert!(reach(&json!({"plugins": []})).contains("nothing outside"));
    }

    #[test]
    fn a_client_for_http_that_nobody_asked_for_is_pointed_out() {
        let imports = json!(["wasi:http/outgoing-handler@0.2.12"]);
        let plugin = |requests: Value| json!({"imports": imports, "plugins": [{"class": "a.B", "requests": requests}]});
        assert!(reach(&plugin(json!([]))).contains("no plugin asks for HTTP"));
        assert!(!reach(&plugin(json!([{"kind": "http", "target": "{url}"}]))).contains("note:"));
    }

    #[test]
    fn sizes_are_in_the_unit_that_fits() {
        let of = |bytes: u64| size(&json!({"size_bytes": bytes}));
        assert_eq!([of(1), of(72_704), of(19_200_000)], ["1 KiB", "71 KiB", "18.3 MiB"]);
    }
}
