//! Names of connectors.
//!
//! Enters: a name. Leaves: Kafka Connect's reason why not. Invariant: an accepted name prints on one line.

/// Kafka Connect's rule: not empty, no ISO control characters.
pub fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("String may not be empty".to_owned());
    }
    let controls: Vec<String> = name.chars().filter(|c| c.is_control()).map(|c| u32::from(c).to_string()).collect();
    if controls.is_empty() {
        return Ok(());
    }
    let listed = controls.join(", ");
    Err(format!("String may not contain control sequences but had the following ASCII chars: {listed}"))
}
