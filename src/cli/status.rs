//! `polevod status`: the fleet, and how complete each machine's days are.

use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::table::aligned;
use crate::config::Config;
use crate::derive::completeness::{DayCompleteness, by_day};
use crate::store::{self, MachineStatus};

/// What `status` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Completeness counts records by the machine's local day. Missing are numbers that the machine gave and the store
does not hold; they shrink when the machine comes back and sends what it kept.")]
pub(super) struct Arguments {
    /// Only this machine, by serial.
    machine: Option<String>,
    /// Most days shown of each machine, newest first.
    #[arg(long, default_value_t = 7, value_name = "N")]
    days: usize,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

/// A machine with its days, newest first.
#[derive(Debug, Serialize)]
struct Machine {
    #[serde(flatten)]
    status: MachineStatus,
    days: Vec<DayCompleteness>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = store::connect(&config.database).await?;
    let fleet = store::fleet_status(&client, arguments.machine.as_deref()).await?;
    if let (Some(serial), true) = (&arguments.machine, fleet.is_empty()) {
        bail!("machine {serial:?} is not known; `polevod status` without a serial lists the fleet");
    }
    let mut machines = Vec::with_capacity(fleet.len());
    for status in fleet {
        let mut days = by_day(&store::machine_days(&client, status.machine_id).await?);
        days.reverse();
        days.truncate(arguments.days);
        machines.push(Machine { status, days });
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&machines)?);
    } else if machines.is_empty() {
        say!("no machine yet: the first frame of one brings it here");
    } else {
        say_text!("{}", table(&machines));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line a machine and day.
fn table(machines: &[Machine]) -> String {
    let mut rows = vec![
        [
            "machine",
            "model",
            "link",
            "last contact",
            "day",
            "complete",
            "stored",
            "missing",
            "late",
            "twice",
            "refused",
        ]
        .map(String::from),
    ];
    for machine in machines {
        let status = &machine.status;
        let dash = || "-".to_string();
        let who = [
            status.serial.clone(),
            status.model.clone().unwrap_or_else(dash),
            status.link.clone().unwrap_or_else(dash),
            status.received_at.as_deref().map_or_else(dash, |at| at[..at.len().min(19)].replace('T', " ")),
        ];
        if machine.days.is_empty() {
            rows.push(std::array::from_fn(|column| who.get(column).cloned().unwrap_or_else(dash)));
        }
        for (index, day) in machine.days.iter().enumerate() {
            // A machine is named once; its further days stand below.
            let [serial, model, link, contact] = if index == 0 { who.clone() } else { Default::default() };
            rows.push([
                serial,
                model,
                link,
                contact,
                day.day.to_string(),
                day.share().map_or_else(dash, percent),
                day.stored.to_string(),
                day.missing.to_string(),
                day.late.to_string(),
                day.duplicate.to_string(),
                day.refused.to_string(),
            ]);
        }
    }
    aligned(&rows, &[5, 6, 7, 8, 9, 10])
}

/// Rounded down, so that 100 % means every record.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_machine_is_named_once_above_its_days() {
        let day = |day: i8, stored, missing| DayCompleteness {
            day: jiff::civil::Date::constant(2026, 8, day),
            stored,
            missing,
            late: 0,
            duplicate: 4,
            refused: 0,
            estimated_time: 0,
            values_refused: 0,
        };
        let status = MachineStatus {
            machine_id: 1,
            serial: "BY-3522-0017".into(),
            model: Some("mtz-3522".into()),
            link: Some("online".into()),
            recorded_at: None,
            received_at: Some("2026-08-21T05:12:07.123Z".into()),
            latitude_deg: None,
            longitude_deg: None,
            ground_speed_kmh: None,
            engine_speed_rpm: None,
            fuel_level_pct: None,
            engine_hours_h: None,
            coolant_temp_c: None,
        };
        let machine = Machine { status, days: vec![day(21, 9_999, 1), day(20, 17_280, 0)] };
        expect![[r#"
            machine       model     link    last contact         day         complete  stored  missing  late  twice  refused
            BY-3522-0017  mtz-3522  online  2026-08-21 05:12:07  2026-08-21    99.9 %    9999        1     0      4        0
                                                                 2026-08-20   100.0 %   17280        0     0      4        0
        "#]]
        .assert_eq(&table(&[machine]));
    }
}
