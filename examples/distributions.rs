//! Draws distributions of real recordings and of the simulator beside each other, for docs/simulator.md:
//!
//!     cargo run --release --example distributions                 reads $POLEVOD_DATA, else ../shared/data
//!
//! A forage harvester of another make and a combine in another crop cannot be met figure by figure. What must be alike
//! is the shape: how speed, flow and moisture spread while it works, how long passes are and how long turns take. So
//! flow, moisture and fuel are drawn relative to their median, speed and turns as they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use polevod::exchange::{self, Options};
use simulator::machine::{Catalogue, Fleet};
use simulator::picture::{Curve, Histogram, page};
use simulator::{FleetConfig, Work};
use wire::{Record, Sample, SignalId, catalogue as signal};

/// A second of work, or of what lies between.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    at_s: f64,
    position: (f64, f64),
    speed_kmh: f64,
    flow_kgps: f64,
    moisture_pct: f64,
    fuel_lph: f64,
}

/// One machine's day.
struct Log {
    name: String,
    rows: Vec<Row>,
}

fn main() -> anyhow::Result<()> {
    let data = std::env::var_os("POLEVOD_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let out = Path::new("docs/simulator");
    std::fs::create_dir_all(out)?;
    for (file, title, recording, models, start) in [
        (
            "forage_harvester.svg",
            "Forage harvesters: a Krone Big X, recorded, and a PALESSE FS80, made",
            "isoxml/forage_harvester_one_task",
            "fs80",
            "2026-08-12T20:00:00Z",
        ),
        (
            "grain_combine.svg",
            "Combines: corn in Missouri, recorded, and grain near Tomsk with a PALESSE GS12, made",
            "yield/corn_aglead_advanced.txt",
            "gs12",
            "2026-09-05T20:00:00Z",
        ),
    ] {
        let recorded = recorded(&data.join(recording)).with_context(|| format!("{recording} in {}", data.display()))?;
        let made = made(models, start)?;
        let path = out.join(file);
        std::fs::write(&path, page(title, &histograms(&[recorded, made])))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The rows of a recording.
fn recorded(path: &Path) -> anyhow::Result<Log> {
    let options = Options { start: Some("2020-01-01T00:00:00Z".parse()?), ..Options::default() };
    let read = exchange::open(path, &options)?;
    let Some(longest) = read.recordings.iter().max_by_key(|recording| recording.records.len()) else {
        bail!("nothing in it");
    };
    Ok(Log { name: "recorded".into(), rows: rows(longest.samples()) })
}

/// The rows of some machines on two days of harvest, a sample a second.
fn made(model: &str, start: &str) -> anyhow::Result<Log> {
    let config = FleetConfig {
        machines: 4,
        models: vec![model.into()],
        starts_at: start.parse()?,
        sample_period_ms: 1_000,
        work: Work::ByDay,
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &Catalogue::load(None)?)?;
    let until_ms = config.starts_at.as_millisecond() + 2 * 86_400_000;
    let mut all = Vec::new();
    for index in 0..config.machines {
        let (mut records, mut truth) = (Vec::new(), Vec::new());
        let mut machine = fleet.machine(index).1;
        while machine.next_at_ms() < until_ms {
            machine.advance(&mut records, &mut truth);
            truth.clear();
        }
        all.extend(rows(records.iter().filter_map(|record| match record {
            Record::Sample(sample) => Some(sample),
            _ => None,
        })));
    }
    Ok(Log { name: "made".into(), rows: all })
}

/// Samples as rows: a value that a sample leaves out is as before.
fn rows<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row = Row::default();
    for sample in samples {
        let value = |id: SignalId| sample.physical(id);
        let before = row;
        row.at_s = sample.recorded_at_ms as f64 / 1_000.0;
        if let Some(position) = value(signal::LATITUDE_DEG).zip(value(signal::LONGITUDE_DEG)) {
            row.position = position;
        }
        row.flow_kgps = value(signal::CROP_FLOW_KGPS).unwrap_or(row.flow_kgps);
        row.moisture_pct = value(signal::CROP_MOISTURE_PCT).unwrap_or(row.moisture_pct);
        let of_task = value(signal::TC_FUEL_RATE_MM3PS).map(|mm3ps| mm3ps * 0.0036);
        row.fuel_lph = value(signal::FUEL_RATE_LPH).or(of_task).unwrap_or(row.fuel_lph);
        let interval = value(signal::INTERVAL_DISTANCE_M).zip(value(signal::INTERVAL_S));
        let metres = distance_m(before.position, row.position);
        row.speed_kmh = match (interval, row.at_s - before.at_s) {
            (Some((metres, seconds)), _) if seconds > 0.0 => metres / seconds * 3.6,
            (_, seconds) if (0.1..=5.0).contains(&seconds) => metres / seconds * 3.6,
            _ => continue,
        };
        rows.push(row);
    }
    rows
}

fn histograms(logs: &[Log]) -> Vec<Histogram> {
    let make = |title: &str, range, bins, values: &dyn Fn(&Log) -> Vec<f64>| Histogram {
        title: title.to_string(),
        range,
        bins,
        curves: logs.iter().map(|log| Curve { name: log.name.clone(), values: values(log) }).collect(),
    };
    let in_work = |log: &Log, of: fn(&Row) -> f64| -> Vec<f64> {
        let least = threshold(log);
        log.rows.iter().filter(|row| row.flow_kgps > least).map(of).collect()
    };
    let relative = |values: Vec<f64>| {
        let curve = Curve { name: String::new(), values };
        let median = curve.quantile(0.5).max(1e-9);
        curve.values.into_iter().map(|value| value / median).collect::<Vec<_>>()
    };
    vec![
        make("speed in work, km/h", (0.0, 12.0), 48, &|log| in_work(log, |row| row.speed_kmh)),
        make("crop flow in work, median = 1", (0.0, 2.5), 50, &|log| relative(in_work(log, |row| row.flow_kgps))),
        make("crop moisture in work, median = 1", (0.6, 1.4), 40, &|log| {
            relative(in_work(log, |row| row.moisture_pct))
        }),
        make("fuel rate in work, median = 1", (0.0, 2.0), 40, &|log| {
            relative(in_work(log, |row| row.fuel_lph).into_iter().filter(|rate| *rate > 0.0).collect())
        }),
        make("time between two working runs, s", (0.0, 120.0), 30, &|log| {
            gaps(log).into_iter().filter(|seconds| *seconds <= 120.0).collect()
        }),
        make("change of flow from second to second, median flow = 1", (-0.5, 0.5), 50, &|log| {
            let flows = relative(in_work(log, |row| row.flow_kgps));
            flows.windows(2).map(|pair| pair[1] - pair[0]).collect()
        }),
    ]
}

/// Less flow than this is no work: the crop that still comes when the header is up.
fn threshold(log: &Log) -> f64 {
    let flows = log.rows.iter().map(|row| row.flow_kgps).filter(|flow| *flow > 0.0).collect();
    0.3 * Curve { name: String::new(), values: flows }.quantile(0.5)
}

/// Seconds between the end of a working run and the beginning of the next.
fn gaps(log: &Log) -> Vec<f64> {
    let least = threshold(log);
    let (mut gaps, mut ended_s) = (Vec::new(), None);
    for pair in log.rows.windows(2) {
        let [before, after] = [pair[0].flow_kgps > least, pair[1].flow_kgps > least];
        if before && !after {
            ended_s = Some(pair[1].at_s);
        }
        if !before
            && after
            && let Some(ended_s) = ended_s.take()
        {
            gaps.push(pair[1].at_s - ended_s);
        }
    }
    gaps.into_iter().filter(|seconds| *seconds >= 3.0).collect()
}

fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let north = (to.0 - from.0) * 111_320.0;
    let east = (to.1 - from.1) * 111_320.0 * from.0.to_radians().cos();
    north.hypot(east)
}
