//! What a component says it was made by: the `producers` sections of its modules.
//!
//! Enters: a valid component. Leaves: a few lines for people. Invariant: anybody can write anything there, so the texts are
//! bounded and nothing is decided by them.

use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader};

/// Entries at most.
const ENTRIES_MAX: usize = 32;
/// Characters of one at most.
const TEXT_MAX: usize = 100;

/// Languages first, then what processed them, each once.
pub(super) fn of(bytes: &[u8]) -> Vec<String> {
    let (mut languages, mut tools) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && let KnownCustom::Producers(producers) = section.as_known()
        {
            read(producers, &mut languages, &mut tools);
        }
    }
    languages.sort_unstable();
    languages.dedup();
    tools.sort_unstable();
    tools.dedup();
    languages.append(&mut tools);
    languages.truncate(ENTRIES_MAX);
    languages
}

fn read(producers: ProducersSectionReader<'_>, languages: &mut Vec<String>, tools: &mut Vec<String>) {
    for field in producers.into_iter().map_while(Result::ok) {
        let to = if field.name == "language" { &mut *languages } else { &mut *tools };
        for value in field.values.into_iter().map_while(Result::ok) {
            if to.len() < ENTRIES_MAX * 4 {
                let text = format!("{} {}", value.name, value.version);
                to.push(text.trim().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A core module with this `producers` section, inside a component.
    fn component(fields: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
        let mut producers = wasm_encoder::ProducersSection::new();
        for (name, values) in fields {
            let mut field = wasm_encoder::ProducersField::new();
            for (name, version) in *values {
                field.value(name, version);
            }
            producers.field(name, &field);
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&producers);
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        component.section(&wasm_encoder::ModuleSection(&module));
        component.finish()
    }

    #[test]
    fn languages_come_first_and_each_tool_once_whichever_module_names_it() {
        let made =
            component(&[("processed-by", &[("rustc", "1.95.0"), ("a\u{1b}b", "")]), ("language", &[("Rust", "")])]);
        assert_eq!(of(&made), ["Rust", "ab", "rustc 1.95.0"]);
    }

    #[test]
    fn a_long_claim_is_cut() {
        let long = "x".repeat(1_000);
        assert_eq!(of(&component(&[("sdk", &[(&long, "1")])]))[0].len(), TEXT_MAX);
    }
}
