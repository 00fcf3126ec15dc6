//! `polevod import`: what other programs and systems know, into the same fleet.

use std::process::ExitCode;

use super::{import_aemp, import_files};
use crate::config::Config;

/// What `import` takes.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Files may be GeoJSON, KML, KMZ, ISOXML task data of version 3 or 4 (TASKDATA.XML, its folder, or a zip of it), and
zips of these; they are told by their content. Fields come with their farms; task data also brings people and
implements. Machine data of a recording comes in with `polevod replay`.

A field is the known one of the same code, or name where it has none; its boundary is then replaced, and the work on it
computed anew. A field on top of another is refused. Nothing is saved with --dry-run.

Exit code 3: something was refused or could not be read; the rest is saved."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    from: Option<From>,
    #[command(flatten)]
    files: import_files::Arguments,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// Another maker's fleet by ISO 15143-3 (AEMP 2.0): a server or a file.
    Aemp(import_aemp::Arguments),
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.from {
        Some(From::Aemp(arguments)) => import_aemp::run(config, arguments).await,
        None => import_files::run(config, arguments.files).await,
    }
}
