//! Which items of a WIT file have no documentation.
//!
//! Enters: the text of a WIT file as this project formats it (one item a line). Leaves: line numbers. Invariant: every
//! interface, world, type, field, case and function counts; cases of an enum written on one line share its comment.

/// `line: text` of each item that has no `///` above it.
pub fn undocumented_items(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let items = lines.iter().enumerate().filter(|(_, line)| is_item(line));
    let bare = items.filter(|(at, _)| *at == 0 || !is_documented(&lines[..*at]));
    bare.map(|(at, line)| format!("{}: {line}", at + 1)).collect()
}

fn is_item(line: &str) -> bool {
    const OTHER: [&str; 8] = ["//", "package ", "use ", "import ", "export ", "include ", "}", ")"];
    if line.is_empty() || OTHER.iter().any(|o| line.starts_with(o)) {
        return false;
    }
    line.ends_with('{') || line.ends_with(',') || line.ends_with(';') || line.ends_with('}')
}

fn is_documented(above: &[&str]) -> bool {
    above.iter().rev().find(|line| !line.starts_with('@')).is_some_and(|line| line.starts_with("///"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_without_a_comment_is_found() {
        let wit = "package a:b;\n/// I.\ninterface i {\n  use x.{y};\n  /// R.\n  record r {\n    /// A.\n    a: u8,\n    b: u8,\n  }\n}\n";
        assert_eq!(undocumented_items(wit), ["9: b: u8,"]);
    }
}
