//! `simulator list`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use simulator::machine::{Catalogue, Fleet, fault_kinds};
use simulator::settings::{PRESETS, Settings};

use super::overrides::FleetFlags;

/// What `list` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator list                       the machines of the default fleet
  simulator list machines -m 200       of a larger one
  simulator list models                what a fleet can be made of
  simulator list models --toml gs12    the file of one: change it, and put it into fleet.models_folder
  simulator list presets               what the conditions are in each preset")]
pub(super) struct Arguments {
    /// What to list.
    #[arg(value_enum, default_value_t = What::Machines)]
    what: What,
    #[command(flatten)]
    fleet: FleetFlags,
    /// Machines and fields as one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Of models: print the file of this one, a beginning for one of your own.
    #[arg(long, value_name = "CODE")]
    toml: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The machines of the fleet: serial, model, farm, district, coverage.
    Machines,
    /// The fields of its farms.
    Fields,
    /// The models of machines: code, name, kind.
    Models,
    /// The faults that machines can have, for faults.scripted.
    Faults,
    /// The presets of conditions.
    Presets,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut out = super::out();
    if let Some(code) = &arguments.toml {
        let file = Catalogue::built_in_file(code);
        write!(
            out,
            "{}",
            file.with_context(|| format!("--toml = {code} is no built-in model; see `simulator list models`"))?
        )?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = arguments.fleet.settings(Vec::new())?;
    let catalogue = Catalogue::load(settings.fleet.models_folder.as_deref())?;
    match arguments.what {
        What::Presets => PRESETS.iter().try_for_each(|(name, text)| writeln!(out, "### {name}\n{text}"))?,
        What::Models => {
            catalogue.models().try_for_each(|(code, name, kind)| writeln!(out, "{code:<14} {kind:<10} {name}"))?;
        }
        What::Faults => fault_kinds().try_for_each(|name| writeln!(out, "{name}"))?,
        What::Machines | What::Fields => list_fleet(&arguments, &settings, &catalogue, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn list_fleet(
    arguments: &Arguments,
    settings: &Settings,
    catalogue: &Catalogue,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let config = settings.fleet(super::now())?;
    let fleet = Fleet::plan(&config, catalogue)?;
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
        What::Models | What::Faults | What::Presets => {}
    }
    Ok(())
}
