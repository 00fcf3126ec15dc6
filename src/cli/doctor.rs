//! `polevod doctor`.

use std::process::ExitCode;

use crate::config::Config;

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) async fn run(_config: &Config, _arguments: Arguments) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::from(super::ATTENTION))
}
