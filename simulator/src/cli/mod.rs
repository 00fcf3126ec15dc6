//! The command line: one binary, one verb each.

mod capture;
mod list;
mod overrides;
mod preview;
mod progress;
mod run;
mod summary;
mod truth;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use simulator::settings;

/// Exit code when the command did its work and found something that needs attention.
const ATTENTION: u8 = 3;

/// A fleet of farm machines that behaves like real ones near Tomsk, sends what they would send, and writes down the true
/// answers.
#[derive(Debug, Parser)]
#[command(
    name = "simulator",
    version,
    after_help = "\
Settings come from the defaults, then a preset, then --config FILE, then the command line. `simulator config` prints
every setting with its default and meaning.

First steps:
  simulator preview --out day.svg              what a machine does in a day; open it in a browser
  simulator capture frames --for 1h frames     what it would send, without a broker
  cargo run -p embedded --bin stack -- up      a private database and broker; export the two lines it prints
  polevod run --migrate                        the service, in a second terminal
  simulator run --machines 50 --for 60s        the fleet, in a third

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but something needs attention (it is printed)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a fleet against a broker, live, accelerated, or as a backfill of the past.
    Run(run::Arguments),
    /// Show what there is: machines of a fleet, models, fields, faults, presets.
    List(list::Arguments),
    /// Draw a field's day of one machine as SVG.
    Preview(preview::Arguments),
    /// Print or sum up truth files.
    Truth(truth::Arguments),
    /// Write frames to a file without a broker, or ask a running machine for a diagnostic capture.
    #[command(subcommand)]
    Capture(capture::Command),
    /// Print every setting with its default and meaning.
    Config,
}

/// Parses the command line, runs the command, returns its exit code.
pub(crate) fn main() -> ExitCode {
    match start(Cli::parse().command) {
        Ok(code) => code,
        // Whoever read us has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIMULATOR_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match command {
        Command::Run(arguments) => runtime()?.block_on(run::run(arguments)),
        Command::List(arguments) => list::run(arguments),
        Command::Preview(arguments) => preview::run(arguments),
        Command::Truth(arguments) => truth::run(&arguments),
        Command::Capture(capture::Command::Frames(arguments)) => capture::frames(&arguments),
        Command::Capture(capture::Command::Ask(arguments)) => runtime()?.block_on(capture::ask(arguments)),
        Command::Config => {
            print!("{}", settings::DEFAULT_TOML);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Standard output for listings, buffered.
fn out() -> impl std::io::Write {
    std::io::BufWriter::new(std::io::stdout().lock())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_pipe))
}

/// The time, to the second.
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
