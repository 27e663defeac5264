//! `lockgate package push`: a package, or a project, onto a worker.
//!
//! Enters: a `.wasm` file, or a folder that is built first. Leaves: what was uploaded and the command that runs it. Invariant: the
//! worker judges the bytes; the same bytes again are no failure; a command that is shown has every key that is required.

use std::path::Path;

use serde_json::Value;

use super::{build, explain, inspect};
use crate::cli::failure::Failure;
use crate::cli::remote::Remote;
use crate::cli::screen::Screen;
use crate::cli::status::text;
use crate::cli::table::clean;

/// Uploads a file or a project.
pub(super) fn run(subject: &Path, remote: &Remote, screen: &mut Screen) -> Result<(), Failure> {
    let built = if subject.is_dir() { Some(build::build(subject)?) } else { None };
    let file = built.as_deref().unwrap_or(subject);
    let bytes = std::fs::read(file).map_err(|cause| Failure::File { path: file.to_owned(), cause })?;
    let answer = remote.upload("/packages", &bytes).map_err(|failure| match failure {
        Failure::Refused { status, message, hint } => {
            let hint = explain::refusal(&message).or(hint);
            Failure::Refused { status, message: format!("{}: {message}", file.display()), hint }
        }
        other => other,
    })?;
    let deed = if answer.status == 201 { "uploaded" } else { "was there already" };
    screen.show(&answer, |package| {
        let (name, version) = (clean(&text(&package["name"])), clean(&text(&package["version"])));
        let commands = commands(package).join("\n");
        Ok(format!("{name} {version} {deed}: {}\n{commands}", inspect::class_words(package)))
    })
}

/// A command for each plugin that runs it.
fn commands(package: &Value) -> Vec<String> {
    let plugins = package["plugins"].as_array().into_iter().flatten();
    plugins.filter_map(|plugin| command(&text(&package["name"]), plugin)).collect()
}

fn command(package: &str, plugin: &Value) -> Option<String> {
    let (class, kind) = (text(&plugin["class"]), text(&plugin["type"]));
    let (title, start, prefix) = match kind.as_str() {
        "source" => ("a connector with it", format!("lockgate connector create {package} connector.class={class}"), ""),
        "sink" => {
            let start = format!("lockgate connector create {package} connector.class={class} topics=TOPIC");
            ("a connector with it", start, "")
        }
        "transformation" => {
            let start =
                format!("lockgate connector config CONNECTOR --set transforms=it --set transforms.it.type={class}");
            ("a connector that exists gets it", start, "--set transforms.it.")
        }
        _ => return None,
    };
    let required = plugin["config"].as_array().into_iter().flatten().filter(|key| key["required"] == true);
    let settings: Vec<String> = required.map(|key| text(&key["name"])).map(|key| setting(prefix, &key)).collect();
    let wait = if kind == "transformation" { "" } else { " --wait" };
    let line = std::iter::once(start).chain(settings).collect::<Vec<_>>().join(" ");
    Some(format!("\n{title}:\n  {}{wait}\n", clean(&line)))
}

fn setting(prefix: &str, key: &str) -> String {
    let placeholder: String =
        key.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("{prefix}{key}={placeholder}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_of_each_plugin_names_what_is_required_and_nothing_else() {
        let key = |name: &str, required: bool| json!({"name": name, "required": required});
        let plugin = |kind: &str, keys: Value| json!({"class": "a.B", "type": kind, "config": keys});
        let package = json!({"name": "b", "plugins": [
            plugin("sink", json!([key("file.path", true), key("separator", false)])),
            plugin("transformation", json!([key("field", true)])),
            plugin("predicate", json!([])),
        ]});
        let said = commands(&package);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0]
                .contains("lockgate connector create b connector.class=a.B topics=TOPIC file.path=FILE_PATH --wait\n"),
            "{said:?}"
        );
        assert!(said[1].contains("--set transforms.it.type=a.B --set transforms.it.field=FIELD\n"), "{said:?}");
    }
}
