//! The `polevod` command.
fn main() {}
