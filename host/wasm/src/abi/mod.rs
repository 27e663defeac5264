//! The contract as types: bindings of `wit/v0.1` and the way between them and the host's own words.
//!
//! Enters: host values to be lowered, guest values that were lifted. Leaves: the other side's form. Invariant: binding types
//! do not leave this crate, and nothing that a guest said leaves this room unchecked and unbounded.

pub(crate) mod batch;
pub(crate) mod fault;
pub(crate) mod info;
pub(crate) mod offsets;

#[allow(unsafe_code, unused_variables, clippy::all, clippy::pedantic, missing_docs, dead_code)]
pub(crate) mod bindings {
    //! Generated.
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        inline: "
            package lockgate:host@0.1.0;
            world whole-package {
                include lockgate:connect/mixed-package@0.1.0;
                include lockgate:connect/offset-keeper@0.1.0;
            }
        ",
        world: "lockgate:host/whole-package@0.1.0",
        ownership: Borrowing { duplicate_if_necessary: true },
        exports: { default: async },
    });
}

pub(crate) use bindings::exports::lockgate::connect as exports;
pub(crate) use bindings::lockgate::connect as imports;

/// Cuts a text to at most so many bytes, at a character's border.
pub(crate) fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

/// Settings as the contract wants them.
pub(crate) fn settings(config: &[(String, String)]) -> Vec<(&str, &str)> {
    config.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// Negotiated encodings as the contract wants them.
pub(crate) fn formats(formats: lockgate_model::Formats) -> imports::batches::Formats {
    use imports::batches::Encoding as Theirs;
    use lockgate_model::Encoding as Ours;
    let one = |encoding| match encoding {
        Ours::Bytes => Theirs::Bytes,
        Ours::Json => Theirs::Json,
        Ours::Cbor => Theirs::Cbor,
    };
    imports::batches::Formats { key: one(formats.key), value: one(formats.value), header: one(formats.header) }
}
