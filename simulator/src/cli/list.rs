//! `simulator list`.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use simulator::machine::{Catalogue, Fleet};
use simulator::settings::PRESETS;

use super::overrides::FleetFlags;

/// What `list` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator list                       the machines of the default fleet
  simulator list machines -m 200       of a larger one
  simulator list presets               what the conditions are in each preset")]
pub(super) struct Arguments {
    /// What to list.
    #[arg(value_enum, default_value_t = What::Machines)]
    what: What,
    #[command(flatten)]
    fleet: FleetFlags,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The machines of the fleet: serial, model, farm, district, coverage.
    Machines,
    /// The fields of its farms.
    Fields,
    /// The presets of conditions.
    Presets,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut out = super::out();
    if arguments.what == What::Presets {
        for (name, text) in PRESETS {
            writeln!(out, "### {name}\n{text}")?;
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = arguments.fleet.settings(Vec::new())?.fleet(super::now())?;
    let fleet = Fleet::plan(&config, &Catalogue::load(config.models_folder.as_deref())?)?;
    match arguments.what {
        What::Machines => {
            for index in 0..config.machines {
                let info = fleet.info(index);
                if arguments.json {
                    writeln!(out, "{}", serde_json::to_string(&info)?)?;
                } else {
                    let coverage = format!("{:?}", info.coverage).to_lowercase();
                    writeln!(
                        out,
                        "{index:>5}  {:<24} {:<28} {:<10} {:<24} {:<16} {coverage} network",
                        info.serial.as_str(),
                        info.name,
                        info.kind,
                        info.farm,
                        info.district
                    )?;
                }
            }
        }
        What::Fields => {
            for field in fleet.fields() {
                if arguments.json {
                    writeln!(out, "{}", serde_json::to_string(&field)?)?;
                } else {
                    writeln!(
                        out,
                        "{:<28} {:>7.2} ha  {:<18} {:<24} {}",
                        field.name, field.area_ha, field.crop, field.farm, field.district
                    )?;
                }
            }
        }
        What::Presets => {}
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
