//! Field work against the simulator's truth: how far sessions are from what machines really did.
//!
//! `cargo xtask accuracy field-work` runs it and writes its part of `docs/accuracy.md`.

mod compare;
mod imperfect;
mod region;
mod season;
mod table;

use std::path::PathBuf;

use polevod::derive::fieldwork::{self, Rules};

use compare::Comparison;
use season::{Season, Sensors};

/// How the season is simulated: machines, days a window, and a narrower view for a look at single machines.
struct Arguments {
    machines: usize,
    days: i64,
    seed: u64,
    models: Vec<String>,
    window: Option<usize>,
    explain: bool,
    write: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    let season = Season {
        machines: arguments.machines,
        days: arguments.days,
        seed: arguments.seed,
        models: arguments.models,
        window: arguments.window,
    };
    let mut comparisons: Vec<Comparison> = Sensors::ALL.map(Comparison::new).into();
    let mut simulated = 0;
    season.run(|day| {
        simulated += day.readings.len();
        for comparison in &mut comparisons {
            let seen = day.seen_by(comparison.sensors);
            let sessions = fieldwork::fold(&seen.work(), &Rules::default()).sessions;
            comparison.add(&day, &sessions, arguments.explain);
        }
    })?;
    let text = table::write(&season, simulated, &comparisons);
    match arguments.write {
        Some(path) => region::write(&path, "field work", &text)?,
        None => print!("{text}"),
    }
    Ok(())
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut arguments =
        Arguments { machines: 50, days: 6, seed: 1, models: Vec::new(), window: None, explain: false, write: None };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let mut value = || given.next().ok_or_else(|| anyhow::anyhow!("{flag} needs a value"));
        match flag.as_str() {
            "--machines" => arguments.machines = value()?.parse()?,
            "--days" => arguments.days = value()?.parse()?,
            "--seed" => arguments.seed = value()?.parse()?,
            "--model" => arguments.models.push(value()?),
            "--window" => arguments.window = Some(value()?.parse()?),
            "--write" => arguments.write = Some(value()?.into()),
            "--explain" => arguments.explain = true,
            _ => anyhow::bail!(
                "{flag} is not known; there are --machines --days --seed --model --window --write --explain"
            ),
        }
    }
    Ok(arguments)
}
