//! `polevod replay`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Config;

/// What `replay` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Recordings.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) async fn run(_config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let _ = arguments.files;
    Ok(ExitCode::SUCCESS)
}
