//! `polevod recompute`: derive everything anew from what is stored.

use std::process::ExitCode;

use anyhow::Context;
use jiff::civil::Date;

use crate::config::Config;
use crate::recompute::{self, WorkingDays};
use crate::store;

/// What `recompute` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Computing anew changes nothing by itself: results follow from what is stored and set, and confirmed sessions keep their
figures. It is needed after an update that computes better.")]
pub(super) struct Arguments {
    /// Only this machine, by serial.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<String>,
    /// First working day; with it, --machine and --to are needed too.
    #[arg(long, value_name = "DAY", requires_all = ["machine", "to"])]
    from: Option<Date>,
    /// Last working day.
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<Date>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    let machine_id = match &arguments.machine {
        Some(serial) => {
            let found = store::machine_by_serial(&client, store::Reach::Everything, serial)
                .await?
                .map(|machine| machine.machine_id);
            Some(found.with_context(|| format!("machine {serial:?} is not known; `polevod status` lists the fleet"))?)
        }
        None => None,
    };
    match (machine_id, arguments.from, arguments.to) {
        (Some(machine_id), Some(from), Some(to)) => {
            let calendar = WorkingDays::new(config.clock.zone.0.clone(), config.derive.day_starts_h);
            let (from, to) = (calendar.on(from), calendar.on(to));
            let (from, to) = from.zip(to).context("days are beyond the calendar")?;
            store::mark(&client, machine_id, from.period.start..=to.period.end - 1).await?;
        }
        _ => {
            store::mark_everything(&client, machine_id).await?;
        }
    }
    let days = recompute::catch_up(config).await?;
    say!("recomputed {days} machine days");
    Ok(ExitCode::SUCCESS)
}
