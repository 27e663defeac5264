//! lockgate
fn main() {}
