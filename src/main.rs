//! The `polevod` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    polevod::cli::main()
}
