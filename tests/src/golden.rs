//! Answers of the API kept as files, compared after what changes from run to run was taken out.
//!
//! Enters: JSON and the name of a file in `tests/e2e/golden`. Leaves: nothing, or a panic with both texts. Invariant: with
//! `LOCKGATE_GOLDEN=write` files are written instead; the reader of the change judges the difference.

use serde_json::Value;

use crate::places;

/// Compares with `tests/e2e/golden/<name>.json`. Each filter is (text of this run, stand-in).
#[track_caller]
pub fn check_golden(name: &str, value: &Value, filters: &[(&str, &str)]) {
    let path = places::root().join("tests/e2e/golden").join(format!("{name}.json"));
    let mut seen = serde_json::to_string_pretty(&sorted(value)).unwrap();
    for (text, stand_in) in filters {
        seen = seen.replace(text, stand_in);
    }
    seen.push('\n');
    if std::env::var_os("LOCKGATE_GOLDEN").is_some_and(|v| v == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &seen).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == seen, "{} differs.\n--- kept\n{kept}\n--- seen\n{seen}", path.display());
}

/// Objects with their keys in order: Connect does not promise one.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
