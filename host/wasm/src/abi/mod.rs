//! stub
#![allow(unsafe_code, unused_variables, clippy::all, clippy::pedantic, missing_docs, dead_code)]
wasmtime::component::bindgen!({
    path: "../../wit/v0.1",
    world: "mixed-package",
    ownership: Borrowing { duplicate_if_necessary: true },
    exports: { default: async },
});
