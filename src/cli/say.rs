//! What commands answer. Whoever reads may stop early (`polevod status | head`): then nobody is left to answer, and the
//! command ends well.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Prints a line.
macro_rules! say {
    () => { $crate::cli::say::write(format_args!("\n")) };
    ($($what:tt)*) => { $crate::cli::say::write(format_args!("{}\n", format_args!($($what)*))) };
}

/// Prints text that has its own line ends.
macro_rules! say_text {
    ($($what:tt)*) => { $crate::cli::say::write(format_args!($($what)*)) };
}

pub(in crate::cli) fn write(what: Arguments<'_>) {
    let Err(error) = std::io::stdout().lock().write_fmt(what) else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("polevod: standard output: {error}");
    std::process::exit(1);
}
