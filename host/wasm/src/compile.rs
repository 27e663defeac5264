//! stub
use std::process::ExitCode;

/// Entry of the child process that compiles: reads what to do and the wasm bytes from standard input, writes a file.
pub fn compile_main() -> ExitCode {
    ExitCode::FAILURE
}
