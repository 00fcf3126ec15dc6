//! Health against the simulator's truth: what is found of every fault, how late, and what is said of healthy machines.
//!
//! `cargo xtask accuracy health` runs it and writes its part of `docs/accuracy.md`; without `--write` it is printed. `--explain` prints every alarm that no fault explains, and every fault that was missed; `--folder` lays data files of one's own over those
//! built in, as `health.folder` does.

#[path = "../accuracy/imperfect.rs"]
mod imperfect;
#[path = "../accuracy/region.rs"]
mod region;
mod score;
mod season;
mod table;

use std::path::PathBuf;

use score::Score;
use season::Season;

struct Arguments {
    machines: usize,
    healthy_days: i64,
    faulty_days: i64,
    rate: f64,
    seed: u64,
    models: Vec<String>,
    folder: Option<PathBuf>,
    explain: bool,
    write: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    let season = |days, rate| Season {
        machines: arguments.machines,
        days,
        rate,
        seed: arguments.seed,
        models: arguments.models.clone(),
        folder: arguments.folder.clone(),
    };
    let mut scores = Vec::new();
    let seasons = [season(arguments.healthy_days, 0.0), season(arguments.faulty_days, arguments.rate)];
    for season in seasons.into_iter().filter(|season| season.days > 0) {
        let mut score = Score::default();
        season.run(|window| score.add(&window, arguments.explain))?;
        scores.push((season, score));
    }
    let text = table::write(&scores);
    match arguments.write {
        Some(path) => region::write(&path, "health", &text)?,
        None => print!("{text}"),
    }
    Ok(())
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut arguments = Arguments {
        machines: 60,
        healthy_days: 28,
        faulty_days: 28,
        rate: 8.0,
        seed: 1,
        models: Vec::new(),
        folder: None,
        explain: false,
        write: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let mut value = || given.next().ok_or_else(|| anyhow::anyhow!("{flag} needs a value"));
        match flag.as_str() {
            "--machines" => arguments.machines = value()?.parse()?,
            "--healthy-days" => arguments.healthy_days = value()?.parse()?,
            "--faulty-days" => arguments.faulty_days = value()?.parse()?,
            "--rate" => arguments.rate = value()?.parse()?,
            "--seed" => arguments.seed = value()?.parse()?,
            "--model" => arguments.models.push(value()?),
            "--write" => arguments.write = Some(value()?.into()),
            "--folder" => arguments.folder = Some(value()?.into()),
            "--explain" => arguments.explain = true,
            _ => anyhow::bail!(
                "{flag} is not known; there are --machines --healthy-days --faulty-days --rate --seed --model --folder \
                 --write --explain"
            ),
        }
    }
    Ok(arguments)
}
