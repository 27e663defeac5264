//! lockgate-wasm
