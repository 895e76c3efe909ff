//! The `dcquic` command.
fn main() {}
