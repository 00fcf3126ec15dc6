//! `polevod doctor`.

use std::process::ExitCode;

use crate::config::Config;
use crate::doctor::{self, Finding, Weight};

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It asks the database for its settings, and tries the broker with some small messages on a topic of its own
(polevod/doctor/…), which the broker's access rules must allow. Nothing is changed.")]
pub(super) struct Arguments {
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine(config).await;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        findings.iter().for_each(print);
    }
    let bad = findings.iter().filter(|finding| finding.weight == Weight::Bad).count();
    if bad == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.json {
        say!("{bad} to mend");
    }
    Ok(ExitCode::from(super::ATTENTION))
}

fn print(finding: &Finding) {
    let word = match finding.weight {
        Weight::Good => "ok  ",
        Weight::Note => "note",
        Weight::Bad => "BAD ",
    };
    say!("{word}  {}: {}", finding.subject, finding.found);
    if !finding.mend.is_empty() {
        say!("      {}", finding.mend);
    }
}
