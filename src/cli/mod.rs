//! The command line: one binary, one verb each.

#[macro_use]
mod say;

mod alerts;
mod capture;
mod demo;
mod doctor;
mod export;
mod faults;
mod field;
mod implement;
mod import;
mod import_aemp;
mod import_files;
mod machine;
mod migrate;
mod output;
mod recompute;
mod replay;
mod report;
mod rules;
mod selection;
mod service;
mod service_due;
mod sessions;
mod signals;
mod status;
mod table;
mod token;
mod units;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalogues;
use crate::config::{self, Config};
use crate::derive::health::Catalogues;
use service::Parts;

/// Exit code when the command did its work and found something that needs attention.
const ATTENTION: u8 = 3;

/// Agricultural fleet telemetry: from MQTT frames of tractors and harvesters to work a farm can sign.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Settings come from the defaults, then --config FILE, then POLEVOD_* variables (POLEVOD_DATABASE_URL,
POLEVOD_MQTT_URL, …). `polevod config` prints every setting with its default and meaning.

First steps:
  polevod demo --for 60s --headless      everything on this machine, nothing installed
  polevod doctor                         is the database, is the broker set up so that nothing is lost?
  polevod migrate && polevod run         the service

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but something needs attention (it is printed)."
)]
struct Cli {
    /// Settings file (TOML); only what differs from the defaults has to stand in it.
    #[arg(long, short, global = true, value_name = "FILE", env = "POLEVOD_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole service: ingest, housekeeping, recomputing, HTTP.
    Run(service::Arguments),
    /// Run ingest alone; any number of processes may share the work (mqtt.share_group).
    Ingest(service::Arguments),
    /// Recompute alone what new records or changed settings concern; any number of processes may.
    Derive(service::Arguments),
    /// Bring the database up to date.
    Migrate,
    /// Send real recordings through MQTT as a machine would.
    Replay(replay::Arguments),
    /// Bring in what other programs and systems know: fields, farms, people, implements; another maker's fleet.
    Import(import::Arguments),
    /// Write field work, ways, yield and fields in formats that other programs open.
    Export(export::Arguments),
    /// Make documents for people to print and sign.
    Report(report::Arguments),
    /// Show, enter and change fields.
    Field(field::Arguments),
    /// Ask a machine for a diagnostic capture: chosen signals at a higher rate.
    Capture(capture::Arguments),
    /// Make, list and revoke tokens of other systems.
    Token(token::Arguments),
    /// Show field work: sessions with their figures, sums, confirmations.
    Sessions(sessions::Arguments),
    /// Enter implements and settings of machines that sessions are computed with.
    Implement(implement::Arguments),
    /// Compute everything anew that follows from stored records.
    Recompute(recompute::Arguments),
    /// Show the fleet, and how complete each machine's days are.
    Status(status::Arguments),
    /// Active faults of the fleet, in words; everything around one of them, for a workshop order.
    Faults(faults::Arguments),
    /// Everything known of one machine.
    Machine(machine::Arguments),
    /// The worklist: what needs attention, who is at it, who is told.
    Alerts(alerts::Arguments),
    /// Service: what is due, what was done.
    Service(service_due::Arguments),
    /// Rules on signals: check the files, list what is in force.
    Rules(rules::Arguments),
    /// Check broker and database for settings that would lose data, and say what to change.
    Doctor(doctor::Arguments),
    /// Start a private database, a broker, a simulated fleet and the service on this machine.
    Demo(demo::Arguments),
    /// Print every setting with its default and meaning.
    Config,
}

/// Parses the command line, runs the command, returns its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Config = cli.command {
        say_text!("{}", config::DEFAULT_TOML);
        return ExitCode::SUCCESS;
    }
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("polevod: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes; a cause that the message before it already ends with is not said twice.
fn with_causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.ends_with(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    // Both TLS clients use ring; without a choice rustls would refuse to guess.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = config::load(cli.config.as_deref(), environment())?;
    if !matches!(cli.command, Command::Run(_) | Command::Ingest(_) | Command::Derive(_))
        && std::env::var_os("POLEVOD_LOG_FILTER").is_none()
        && cli.config.is_none()
    {
        // These speak to a person by themselves.
        config.log.filter = "warn".into();
    }
    crate::logging::start(&config.log).map_err(anyhow::Error::msg)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(dispatch(cli.command, config))
}

/// Variables whose value is text; others cannot be settings.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

async fn dispatch(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(arguments) => service::run(&config, arguments, Parts::Whole).await,
        Command::Ingest(arguments) => service::run(&config, arguments, Parts::Ingest).await,
        Command::Derive(arguments) => service::run(&config, arguments, Parts::Derive).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Replay(arguments) => replay::run(&config, arguments).await,
        Command::Import(arguments) => import::run(&config, arguments).await,
        Command::Export(arguments) => export::run(&config, arguments).await,
        Command::Report(arguments) => report::run(&config, arguments).await,
        Command::Field(arguments) => field::run(&config, arguments).await,
        Command::Capture(arguments) => capture::run(&config, arguments).await,
        Command::Token(arguments) => token::run(&config, arguments).await,
        Command::Sessions(arguments) => sessions::run(&config, arguments).await,
        Command::Implement(arguments) => implement::run(&config, arguments).await,
        Command::Recompute(arguments) => recompute::run(&config, arguments).await,
        Command::Status(arguments) => status::run(&config, arguments).await,
        Command::Faults(arguments) => faults::run(&config, arguments).await,
        Command::Machine(arguments) => machine::run(&config, arguments).await,
        Command::Alerts(arguments) => alerts::run(&config, arguments).await,
        Command::Service(arguments) => service_due::run(&config, arguments).await,
        Command::Rules(arguments) => rules::run(&config, arguments),
        Command::Doctor(arguments) => doctor::run(&config, arguments).await,
        Command::Demo(arguments) => demo::run(config, arguments).await,
        Command::Config => Ok(ExitCode::SUCCESS),
    }
}

/// The data files of the trade. What is wrong in them is said, and the rest is used.
fn catalogue_files(config: &Config) -> Catalogues {
    let folder = &config.health.folder;
    let mut errors = Vec::new();
    let catalogues = catalogues::load((!folder.is_empty()).then(|| Path::new(folder)), &mut errors);
    for error in errors {
        eprintln!("polevod: {error}");
    }
    catalogues
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
