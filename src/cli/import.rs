//! `polevod import`: what other systems know, into the same fleet.

use std::process::ExitCode;

use super::import_aemp;
use crate::config::Config;

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// Another maker's fleet by ISO 15143-3 (AEMP 2.0): a server or a file.
    Aemp(import_aemp::Arguments),
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.from {
        From::Aemp(arguments) => import_aemp::run(config, arguments).await,
    }
}
