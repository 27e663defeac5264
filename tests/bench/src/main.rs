//! bench
mod process;
mod raw;
fn main() {}
