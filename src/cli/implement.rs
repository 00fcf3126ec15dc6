//! `polevod implement`: implements, and which machine had which when. What was computed with them follows at once.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::config::Config;
use crate::derive::fieldwork::{FuelSource, Operation};
use crate::recompute;
use crate::store::work::{self as stored, ImplementRow, MachineWork};
use crate::store::{self, StoreError};
use crate::time::display_ms;

/// What `implement` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List implements, and which machine had which when.
    List,
    /// Enter an implement, or change the one of that name.
    Set {
        /// What people call it.
        name: String,
        /// Working width, m.
        #[arg(long, value_name = "M", value_parser = width)]
        width: Option<f64>,
        /// What is done with it: ploughing, sowing, …
        #[arg(long, value_name = "NAME", value_parser = operation)]
        operation: Option<Operation>,
        #[command(flatten)]
        offset: Offset,
    },
    /// Say that a machine has an implement.
    Use {
        /// Name of the implement.
        name: String,
        /// Serial of the machine.
        #[arg(long, value_name = "SERIAL")]
        machine: String,
        /// From when, 2026-08-20T08:00 local or with a zone; until the next use, or --to.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Set what is known of a machine itself; what is not given is unset.
    Machine {
        /// Serial of the machine.
        serial: String,
        /// Its own working width, m: a header.
        #[arg(long, value_name = "M", value_parser = width)]
        width: Option<f64>,
        /// What it does when nothing else tells.
        #[arg(long, value_name = "NAME", value_parser = operation)]
        operation: Option<Operation>,
        /// Content of its tank, L: makes litres of a fuel level.
        #[arg(long, value_name = "L", value_parser = tank)]
        tank: Option<f64>,
        /// The only fuel source to use: counter, task_counter, coarse_counter, rate or level.
        #[arg(long, value_name = "SOURCE", value_parser = fuel_source)]
        fuel_source: Option<FuelSource>,
        /// Weighbridge over monitor: what measured mass is multiplied with.
        #[arg(long, value_name = "FACTOR", value_parser = mass_factor)]
        mass_factor: Option<f64>,
        #[command(flatten)]
        offset: Offset,
    },
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Offset {
    /// Ahead of the antenna, m; negative: behind.
    #[arg(long, value_name = "M", default_value_t = 0.0, allow_negative_numbers = true)]
    ahead: f64,
    /// Middle of the implement right of the antenna, m; negative: left.
    #[arg(long, value_name = "M", default_value_t = 0.0, allow_negative_numbers = true)]
    right: f64,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut client = store::connect(&config.database).await?;
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    let said = match arguments.action {
        Action::List => list(&transaction).await?,
        Action::Set { name, width, operation, offset } => {
            let implement = ImplementRow {
                implement_id: 0,
                name,
                operation,
                width_m: width,
                offset_ahead_m: offset.ahead,
                offset_right_m: offset.right,
            };
            stored::enter_implement(&transaction, &implement).await?;
            format!("implement {:?} is set\n", implement.name)
        }
        Action::Use { name, machine, from, to } => {
            let from_ms = instant(config, &from)?;
            let to_ms = to.map(|to| instant(config, &to)).transpose()?;
            if to_ms.is_some_and(|to_ms| to_ms <= from_ms) {
                bail!("--to must be later than --from");
            }
            let known = stored::implements(&transaction).await?;
            let implement = known.iter().find(|known| known.name == name);
            let implement = implement
                .with_context(|| format!("implement {name:?} is not known; enter it with `polevod implement set`"))?;
            let machine_id = machine_id(&transaction, &machine).await?;
            stored::use_implement(&transaction, machine_id, implement.implement_id, from_ms, to_ms).await?;
            format!("machine {machine} has {name:?} from {}\n", display_ms(from_ms))
        }
        Action::Machine { serial, width, operation, tank, fuel_source, mass_factor, offset } => {
            let setting = MachineWork {
                operation,
                width_m: width,
                tank_l: tank,
                fuel_source,
                mass_factor,
                offset_ahead_m: offset.ahead,
                offset_right_m: offset.right,
            };
            let machine_id = machine_id(&transaction, &serial).await?;
            stored::set_machine_work(&transaction, machine_id, &setting).await?;
            format!("machine {serial} is set\n")
        }
    };
    transaction.commit().await.map_err(StoreError::from)?;
    recompute::catch_up(config).await?;
    say_text!("{said}");
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &impl tokio_postgres::GenericClient) -> anyhow::Result<String> {
    let mut text = String::new();
    for implement in stored::implements(client).await? {
        let width = implement.width_m.map_or_else(|| "width unknown".into(), |width| format!("{width} m"));
        let operation = implement.operation.map_or("", Operation::name);
        text.push_str(&format!("{}  {width}  {operation}\n", implement.name));
    }
    for used in stored::implement_uses(client).await? {
        let to = used.to_ms.map_or_else(|| "now".into(), display_ms);
        text.push_str(&format!(
            "  {} had {} from {} to {to}\n",
            used.machine,
            used.implement,
            display_ms(used.from_ms)
        ));
    }
    Ok(if text.is_empty() { "no implements yet\n".into() } else { text })
}

async fn machine_id(client: &impl tokio_postgres::GenericClient, serial: &str) -> anyhow::Result<i64> {
    let machine = store::machine_by_serial(client, store::Reach::Everything, serial).await?;
    machine
        .map(|machine| machine.machine_id)
        .with_context(|| format!("machine {serial:?} is not known; `polevod status` lists the fleet"))
}

/// A time with a zone, or a local one.
fn instant(config: &Config, text: &str) -> anyhow::Result<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let local: DateTime = text.parse().with_context(|| format!("{text:?} is no time; write 2026-08-20T08:00"))?;
    Ok(local.to_zoned(config.clock.zone.0.clone())?.timestamp().as_millisecond())
}

fn within(text: &str, limits: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if limits.contains(&value) { Ok(value) } else { Err(format!("{value} is outside {limits:?}")) }
}

fn width(text: &str) -> Result<f64, String> {
    within(text, 0.1..=100.0)
}

fn tank(text: &str) -> Result<f64, String> {
    within(text, 1.0..=5000.0)
}

fn mass_factor(text: &str) -> Result<f64, String> {
    within(text, 0.2..=5.0)
}

fn operation(text: &str) -> Result<Operation, String> {
    Operation::parse(text).ok_or_else(|| {
        let known: Vec<_> =
            Operation::all().filter(|known| *known != Operation::Unknown).map(Operation::name).collect();
        format!("there are {}", known.join(", "))
    })
}

fn fuel_source(text: &str) -> Result<FuelSource, String> {
    FuelSource::parse(text).ok_or_else(|| "there are counter, task_counter, coarse_counter, rate and level".into())
}
