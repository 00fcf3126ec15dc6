//! `simulator preview`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::Date;
use simulator::FleetConfig;
use simulator::machine::{Catalogue, FieldInfo, Fleet, Machine, MachineInfo, Picture};
use simulator::picture::{Caption, field_day};
use simulator::truth::{Event, Session, State, day_start_ms, working_day};

use super::overrides::FleetFlags;

/// What `preview` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator preview --out day.svg                                        the first machine that works a field
  simulator preview --models gs12 --from 2026-09-01 --day 2026-09-03     a combine in September
  simulator preview --machine 7 --field 'Field 12' --out field.svg

The picture is an SVG, which every browser shows and prints; `rsvg-convert day.svg -o day.png` makes a PNG of it.
Swaths are as wide as they are: where two overlap it is darker, where one is missing the soil shows.")]
pub(super) struct Arguments {
    #[command(flatten)]
    fleet: FleetFlags,
    /// Which machine: its serial, or its number in the fleet. Without it, the first that works a field.
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
    /// Which working day (04:00 to 04:00 in Tomsk). Without it, the day on which the fleet starts.
    #[arg(long, value_name = "DATE")]
    day: Option<Date>,
    /// Which field, where the machine works several on that day. Without it, the one that it works longest.
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Where to write the picture.
    #[arg(long, short, value_name = "FILE", default_value = "preview.svg")]
    out: PathBuf,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.out.extension().is_some_and(|ending| ending != "svg") {
        bail!("--out = {} does not end in .svg; only SVG is drawn", arguments.out.display());
    }
    // A day that begins in the morning, unless told otherwise.
    let settings = arguments.fleet.settings(vec![("fleet.work", "by_day".into())])?;
    let mut config = settings.fleet(super::now())?;
    let day = arguments.day.unwrap_or_else(|| working_day(config.starts_at.as_millisecond()));
    if arguments.fleet.from.is_none() {
        // The whole day, from the yard on.
        config.starts_at = Timestamp::from_millisecond(day_start_ms(day))?;
    }
    let fleet = Fleet::plan(&config, &Catalogue::load(config.models_folder.as_deref())?)?;
    let Some(view) = find(&fleet, &config, &arguments, day)? else {
        bail!("no machine of this fleet works a field on {day}; try another --day, --season or --models");
    };
    let drawn = field_day(&view.picture, &view.field, &view.caption(day));
    std::fs::write(&arguments.out, drawn).with_context(|| format!("cannot write {}", arguments.out.display()))?;
    println!("{}: {} on {}, {day}", arguments.out.display(), view.info.serial, view.field.name);
    Ok(ExitCode::SUCCESS)
}

/// What is to be drawn.
struct View {
    info: MachineInfo,
    picture: Picture,
    field: FieldInfo,
    sessions: Vec<Session>,
}

fn find(fleet: &Fleet, config: &FleetConfig, arguments: &Arguments, day: Date) -> anyhow::Result<Option<View>> {
    let wanted = match &arguments.machine {
        None => 0..config.machines,
        Some(text) => {
            let index = (0..config.machines)
                .find(|index| fleet.info(*index).serial.as_str() == text)
                .or_else(|| text.parse().ok().filter(|index| *index < config.machines))
                .with_context(|| format!("--machine = {text} is no serial and no number below {}", config.machines))?;
            index..index + 1
        }
    };
    let (from_ms, until_ms) = (day_start_ms(day), day_start_ms(day.tomorrow()?));
    for index in wanted {
        let picture = fleet.machine(index).1.picture(from_ms, until_ms);
        let sessions = sessions_of(fleet.machine(index).1, day, until_ms);
        let longest = |a: &&Session, b: &&Session| a.working_s.total_cmp(&b.working_s);
        let name = arguments.field.clone().or_else(|| sessions.iter().max_by(longest).map(|s| s.field.clone()));
        let field = name.and_then(|name| picture.fields.iter().find(|field| field.name == name).cloned());
        if let Some(field) = field {
            let sessions = sessions.into_iter().filter(|session| session.field == field.name).collect();
            return Ok(Some(View { info: fleet.info(index), picture, field, sessions }));
        }
    }
    Ok(None)
}

/// The true sessions of the day, from a machine of its own: the one that is drawn records nothing.
fn sessions_of(mut machine: Machine, day: Date, until_ms: i64) -> Vec<Session> {
    let (mut records, mut truth, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    let mut keep = |truth: &mut Vec<Event>| {
        sessions.extend(truth.drain(..).filter_map(|event| match event {
            Event::Session(session) if working_day(session.from.0) == day => Some(session),
            _ => None,
        }));
    };
    while machine.next_at_ms() < until_ms {
        machine.advance(&mut records, &mut truth);
        records.clear();
        keep(&mut truth);
    }
    machine.close(until_ms, &mut truth);
    keep(&mut truth);
    sessions
}

impl View {
    fn caption(&self, day: Date) -> Caption {
        let sum = |of: fn(&Session) -> f64| self.sessions.iter().map(of).sum::<f64>();
        let mut facts: Vec<(String, String)> = Vec::new();
        let mut say = |name: &str, value: String| facts.push((name.to_string(), value));
        if let Some(session) = self.sessions.first() {
            say("operation", session.operation.replace('_', " "));
            say("implement", session.implement.clone());
            say("width", format!("{:.1} m", session.width_m));
            let (worked, twice) = (sum(|s| s.area.worked_ha), sum(|s| s.area.double_worked_ha));
            say("worked", format!("{worked:.2} ha"));
            say("  of it twice", format!("{twice:.2} ha, {:.1} %", 100.0 * twice / worked.max(1e-9)));
            say("width × distance", format!("{:.2} ha", sum(|s| s.area.width_distance_ha)));
            say(
                "fuel",
                format!("{:.0} L, {:.1} L/ha", sum(|s| s.fuel_l), sum(|s| s.working_fuel_l) / worked.max(1e-9)),
            );
            let hours = sum(|s| s.working_s) / 3_600.0;
            say("rate in work", format!("{:.1} ha/h", worked / hours.max(1e-9)));
            let mass = sum(|s| s.harvest.map_or(0.0, |harvest| harvest.mass_t));
            if mass > 0.0 {
                let moisture = sum(|s| s.harvest.map_or(0.0, |harvest| harvest.mass_t * harvest.moisture_pct)) / mass;
                say("harvested", format!("{mass:.1} t, {:.2} t/ha", mass / worked.max(1e-9)));
                say("moisture", format!("{moisture:.1} %"));
            }
            let local = |ms: i64| clock_of(ms);
            let (from, to) = (session.from.0, self.sessions.last().map_or(session.to.0, |last| last.to.0));
            say("from, to", format!("{} to {}", local(from), local(to)));
        }
        let unloads =
            self.picture.track.windows(2).filter(|p| p[0].state != State::Unloading && p[1].state == State::Unloading);
        match unloads.count() {
            0 => {}
            count => say("unloaded, standing", format!("{count} times")),
        }
        Caption {
            title: format!("{}, {day}", self.info.name),
            subtitle: format!("{} · {}", self.info.serial, self.info.farm),
            facts,
        }
    }
}

/// Hours and minutes in Tomsk.
fn clock_of(at_ms: i64) -> String {
    let minutes = (at_ms + simulator::truth::LOCAL_OFFSET_MS).div_euclid(60_000).rem_euclid(1_440);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
