//! `simulator truth`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use simulator::truth::{Event, State, Totals, read_truth};

use super::progress::grouped;

/// What `truth` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator truth truth                               sums over all machines and days
  simulator truth truth --by-machine                  a line for each machine
  simulator truth truth --machine SIM-gs12-00003 --events session,fault

Files are {folder}/{day}/{serial}.jsonl, one event a line; docs/simulator.md describes every event. A day runs from
04:00 to 04:00 in Tomsk.")]
pub(super) struct Arguments {
    /// The folder that `run --truth` or `capture frames --truth` has written.
    folder: PathBuf,
    /// Only this machine.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<String>,
    /// Only this working day, as 2026-08-20.
    #[arg(long, value_name = "DATE")]
    day: Option<jiff::civil::Date>,
    /// Print the events themselves, as JSON lines with the machine; all, or those of some kinds, as session,fault.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', num_args = 0..=1, default_missing_value = "all")]
    events: Option<Vec<String>>,
    /// A line for each machine.
    #[arg(long)]
    by_machine: bool,
    /// Print sums as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut out = super::out();
    let mut totals = Totals::default();
    let mut outcome = Ok(());
    read_truth(&arguments.folder, |machine, event| {
        let is_wanted = arguments.machine.as_deref().is_none_or(|wanted| wanted == machine)
            && arguments.day.is_none_or(|wanted| wanted == event.day());
        if is_wanted {
            totals.add(machine, &event);
            if let Some(kinds) = &arguments.events {
                outcome = print_event(&mut out, machine, &event, kinds);
            }
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome?;
    if arguments.events.is_none() && arguments.json {
        serde_json::to_writer_pretty(&mut out, &totals)?;
        writeln!(out)?;
    } else if arguments.events.is_none() && arguments.by_machine {
        print_machines(&mut out, &totals)?;
    } else if arguments.events.is_none() {
        print_sums(&mut out, &totals)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn print_event(out: &mut impl Write, machine: &str, event: &Event, kinds: &[String]) -> anyhow::Result<()> {
    let mut line = serde_json::to_value(event)?;
    let kind = line["event"].as_str().unwrap_or_default().to_string();
    if kinds.iter().any(|wanted| wanted == "all" || *wanted == kind) {
        if let Some(object) = line.as_object_mut() {
            object.insert("machine".into(), machine.into());
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn print_machines(out: &mut impl Write, totals: &Totals) -> std::io::Result<()> {
    let [records, working, way, fuel, area, mass] = ["records", "working h", "km", "fuel L", "ha", "t"];
    writeln!(out, "{:<26} {records:>10} {working:>9} {way:>9} {fuel:>9} {area:>9} {mass:>7}", "machine")?;
    for (machine, of) in &totals.machines {
        writeln!(
            out,
            "{machine:<26} {:>10} {:>9.1} {:>9.1} {:>9.1} {:>9.2} {:>7.1}",
            of.records, of.hours.working, of.distance_km, of.fuel_l, of.worked_ha, of.harvested_t
        )?;
    }
    Ok(())
}

fn print_sums(out: &mut impl Write, totals: &Totals) -> std::io::Result<()> {
    let mut sum = totals.sum();
    let count = grouped;
    let real = |number: f64| format!("{number:.1}");
    let mut lines = vec![
        ("machines".to_string(), count(totals.machines.len() as u64), String::new()),
        ("records".into(), count(sum.records), "what the store holds when everything has arrived".into()),
        ("  samples".into(), count(sum.samples), String::new()),
        ("  fault reports".into(), count(sum.fault_reports), String::new()),
        ("  task records".into(), count(sum.task_records), String::new()),
        ("not recorded".into(), count(sum.missed), "records the unit missed; in nobody's count".into()),
        ("lost with power".into(), count(sum.lost), "records nobody ever heard of".into()),
    ];
    for state in State::ALL {
        lines.push((format!("{state:?} h").to_lowercase(), real(*sum.hours.of(state)), String::new()));
    }
    lines.extend([
        ("way km".into(), real(sum.distance_km), String::new()),
        ("fuel l".into(), real(sum.fuel_l), "burned".into()),
        ("sessions".into(), count(sum.sessions), String::new()),
        ("worked ha".into(), format!("{:.2}", sum.worked_ha), "union of the swath".into()),
        ("  twice ha".into(), format!("{:.2}", sum.double_worked_ha), String::new()),
        ("harvested t".into(), real(sum.harvested_t), String::new()),
        ("faults".into(), count(sum.faults), "causes that began to act".into()),
        ("outages".into(), count(sum.outages), format!("{:.1} h", sum.outage_h)),
        ("clock errors".into(), count(sum.clock_errors), String::new()),
        ("position errors".into(), count(sum.receiver_errors), String::new()),
    ]);
    lines.iter().try_for_each(|(name, value, note)| writeln!(out, "{name:<22} {value:>14}   {note}"))
}
