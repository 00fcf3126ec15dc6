//! Project tasks. Small on purpose: everything big is built by the task that needs it, with cargo's own progress.

mod cargo;
mod demo;
mod lint;
mod tally;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Polevod project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check formatting and lints, then run every test on a private database and broker.
    ///
    /// Real recordings are read from POLEVOD_DATA, else from ../shared/data. What has to be left out is said at
    /// the end, and is a failure where CI=true.
    Test,
    /// Run the tests that take long and are left out of `test`: crashes and outages under load, for hours if asked.
    Soak {
        /// Only tests whose name contains this.
        #[arg(value_name = "NAME")]
        filter: Option<String>,
    },
    /// Check formatting, lints, documentation, and licences and advisories of what is depended on.
    Lint,
    /// Build the service and start everything on this machine: database, broker, simulated fleet, ingest.
    ///
    /// Everything after `demo` goes to `polevod demo`: `cargo xtask demo --for 60s --headless`;
    /// `cargo xtask demo --help` lists what it takes.
    #[command(disable_help_flag = true)]
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
        flags: Vec<OsString>,
    },
    /// Compare field work and health with the simulator's truth over a season of machines; write docs/accuracy.md.
    ///
    /// `accuracy field-work` or `accuracy health` does one of them and leaves the other's part of the page alone. What
    /// follows goes to it: `field-work --machines 50 --days 6 --seed 1`, `health --healthy-days 28 --rate 8`,
    /// `--explain` for every difference.
    #[command(disable_help_flag = true)]
    Accuracy {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
        flags: Vec<OsString>,
    },
    /// Measure the service against `psql \copy` on a private stack; print the table, write target/bench.json.
    ///
    /// Everything after `bench` goes to the bench itself; `cargo xtask bench --help` lists what it takes.
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
        flags: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Soak { filter } => test::soak(filter.as_deref()),
        Task::Lint => lint::run(),
        Task::Demo { flags } => demo::run("polevod", &["demo"], &flags),
        Task::Accuracy { flags } => demo::accuracy(&flags),
        Task::Bench { flags } => demo::run("bench", &[], &flags),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
