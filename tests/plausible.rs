//! Simulated harvesters beside real ones: the same signals, read by the same code.
//!
//! `cargo test --test plausible -- --nocapture` prints the tables that stand in `docs/simulator.md`, section 9; with
//! `UPDATE_DOCS=1` it draws the distributions beside them anew. Crops
//! differ (maize and grass, corn and wheat), and so do farms; so what is compared is shape: how far a signal strays
//! from its own median, and how fast it follows the header.

use std::path::Path;

use polevod::exchange::{self, Options};
use simulator::machine::{Catalogue, FaultSettings, Fleet, Season};
use simulator::picture::{Curve, Histogram, page};
use simulator::{FleetConfig, Work};
use wire::{Record, Sample, SignalId, catalogue as signal};

/// One harvester's day, as its samples tell it.
#[derive(Debug)]
struct Shape {
    /// 10th and 90th percentile as shares of the median.
    speed: (f64, f64, f64),
    flow: (f64, f64, f64),
    fuel: Option<(f64, f64, f64)>,
    /// Median, and 90th less 10th percentile, points.
    moisture: (f64, f64),
    /// From the header going down to 80 % of the pass's flow, median, seconds.
    rise_s: f64,
    /// Share of the samples in work that show no flow.
    no_flow: f64,
}

struct Reading {
    at_s: f64,
    works: bool,
    kmh: f64,
    flow: f64,
    moisture: Option<f64>,
    fuel: Option<f64>,
}

/// Holds what a sparse log leaves out, and works out the speed from the track.
fn readings(samples: &[Sample]) -> Vec<Reading> {
    let mut held: std::collections::BTreeMap<SignalId, f64> = std::collections::BTreeMap::new();
    let mut before: Option<(f64, f64, f64)> = None;
    let mut readings = Vec::new();
    for sample in samples {
        held.extend(sample.values.iter().map(|(id, raw)| (*id, id.physical(*raw))));
        let value = |id: SignalId| held.get(&id).copied();
        let (Some(latitude), Some(longitude)) = (value(signal::LATITUDE_DEG), value(signal::LONGITUDE_DEG)) else {
            continue;
        };
        let at_s = sample.recorded_at_ms as f64 / 1_000.0;
        let kmh = match (value(signal::INTERVAL_DISTANCE_M), value(signal::INTERVAL_S), before) {
            (Some(metres), Some(seconds), _) if seconds > 0.0 => metres / seconds * 3.6,
            (_, _, Some((old_s, old_latitude, old_longitude))) if at_s > old_s => {
                let north_m = (latitude - old_latitude) * 111_300.0;
                let east_m = (longitude - old_longitude) * 111_300.0 * latitude.to_radians().cos();
                north_m.hypot(east_m) / (at_s - old_s) * 3.6
            }
            _ => 0.0,
        };
        before = Some((at_s, latitude, longitude));
        let works = value(signal::ACTUAL_WORK_STATE).or(value(signal::HEADER_IN_WORK)) == Some(1.0);
        readings.push(Reading {
            at_s,
            works,
            kmh,
            flow: value(signal::CROP_FLOW_KGPS).unwrap_or(0.0),
            moisture: value(signal::CROP_MOISTURE_PCT).filter(|moisture| *moisture > 0.0),
            fuel: value(signal::FUEL_RATE_LPH).or(value(signal::TC_FUEL_RATE_MM3PS).map(|rate| rate * 0.0036)),
        });
    }
    readings
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { f64::NAN } else { values[((values.len() - 1) as f64 * share) as usize] }
}

/// Median, and the 10th and 90th percentile as shares of it.
fn spread(values: Vec<f64>) -> (f64, f64, f64) {
    let median = quantile(values.clone(), 0.5);
    (median, quantile(values.clone(), 0.1) / median, quantile(values, 0.9) / median)
}

fn shape(samples: &[Sample]) -> Shape {
    let all = readings(samples);
    let in_work: Vec<&Reading> = all.iter().filter(|reading| reading.works).collect();
    let flows: Vec<f64> = in_work.iter().map(|r| r.flow).filter(|flow| *flow > 0.0).collect();
    let usual = quantile(flows.clone(), 0.5);
    let mut rises = Vec::new();
    for (index, pair) in all.windows(2).enumerate() {
        // A pass begins where the header goes down while nothing flows.
        if !pair[0].works && pair[1].works && pair[1].flow < 0.2 * usual {
            let from_s = pair[1].at_s;
            let pass = all[index + 1..].iter().take_while(|reading| reading.works);
            rises.extend(pass.skip_while(|r| r.flow < 0.8 * usual).map(|r| r.at_s - from_s).next());
        }
    }
    let moistures: Vec<f64> = in_work.iter().filter_map(|r| r.moisture).collect();
    let fuels: Vec<f64> = in_work.iter().filter_map(|r| r.fuel).filter(|fuel| *fuel > 0.0).collect();
    Shape {
        speed: spread(in_work.iter().map(|r| r.kmh).filter(|kmh| *kmh > 0.5).collect()),
        fuel: (!fuels.is_empty()).then(|| spread(fuels)),
        moisture: (quantile(moistures.clone(), 0.5), quantile(moistures.clone(), 0.9) - quantile(moistures, 0.1)),
        rise_s: quantile(rises, 0.5),
        no_flow: (in_work.len() - flows.len()) as f64 / in_work.len().max(1) as f64,
        flow: spread(flows),
    }
}

/// Draws how the signals in work are distributed, the recording beside the simulation, into `docs/simulator`.
fn draw(name: &str, title: &str, (real_name, real): (&str, &[Sample]), (made_name, made): (&str, &[Sample])) {
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return;
    }
    let in_work = |samples: &[Sample]| -> Vec<Reading> {
        readings(samples).into_iter().filter(|reading| reading.works && reading.kmh > 0.5).collect()
    };
    let (real, made) = (in_work(real), in_work(made));
    let histogram = |title: &str, of: fn(&Reading) -> Option<f64>| {
        let curve = |name: &str, readings: &[Reading]| Curve {
            name: name.to_string(),
            values: readings.iter().filter_map(of).filter(|value| *value > 0.0).collect(),
        };
        let curves = vec![curve(real_name, &real), curve(made_name, &made)];
        let highest = curves.iter().map(|curve| curve.quantile(0.995)).fold(0.0, f64::max);
        let is_known = curves.iter().all(|curve| !curve.values.is_empty());
        is_known.then(|| Histogram { title: title.to_string(), range: (0.0, highest), bins: 48, curves })
    };
    let histograms: Vec<_> = [
        histogram("speed in work, km/h", |reading| Some(reading.kmh)),
        histogram("crop flow, kg/s", |reading| Some(reading.flow)),
        histogram("moisture, %", |reading| reading.moisture),
        histogram("fuel rate, L/h", |reading| reading.fuel),
    ]
    .into_iter()
    .flatten()
    .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulator");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join(name), page(title, &histograms)).expect("the picture can be written");
}

fn simulated(model: &str, season: Season) -> Vec<Sample> {
    let config = FleetConfig {
        seed: 5,
        machines: 1,
        models: vec![model.into()],
        starts_at: "2026-08-27T00:00:00Z".parse().expect("a time"),
        work: Work::AroundTheClock,
        season: Some(season),
        sample_period_ms: 1_000,
        faults: FaultSettings { random_rate: 0.0, scripted: Vec::new() },
        ..FleetConfig::default()
    };
    let fleet = Fleet::plan(&config, &Catalogue::load(None).expect("sound files")).expect("a fleet");
    let (_, mut machine) = fleet.machine(0);
    let until_ms = config.starts_at.as_millisecond() + 10 * 3_600_000;
    let (mut out, mut truth) = (Vec::new(), Vec::new());
    while machine.next_at_ms() < until_ms {
        machine.advance(&mut out, &mut truth);
    }
    out.into_iter().filter_map(|record| if let Record::Sample(sample) = record { Some(sample) } else { None }).collect()
}

fn recorded(path: &Path) -> Vec<Sample> {
    let found = exchange::open(path, &Options::default()).expect("the recording opens");
    let samples = found.recordings.iter().flat_map(|recording| recording.samples().cloned());
    samples.filter(|sample| sample.physical(signal::LATITUDE_DEG).is_some()).collect()
}

fn print(title: &str, real: &Shape, made: &Shape) {
    println!("\n| {title} | real | simulated |\n|---|---:|---:|");
    let triple = |name: &str, unit: &str, a: (f64, f64, f64), b: (f64, f64, f64)| {
        let text = |(median, low, high): (f64, f64, f64)| format!("{median:.1} {unit} ({low:.2} – {high:.2})");
        println!("| {name}: median (10 % – 90 % as shares of it) | {} | {} |", text(a), text(b));
    };
    triple("speed in work", "km/h", real.speed, made.speed);
    triple("crop flow", "kg/s", real.flow, made.flow);
    if let (Some(a), Some(b)) = (real.fuel, made.fuel) {
        triple("fuel rate", "L/h", a, b);
    }
    let moisture = |(median, spread): (f64, f64)| format!("{median:.1} % ({spread:.1})");
    println!("| moisture: median (10 % to 90 %, points) | {} | {} |", moisture(real.moisture), moisture(made.moisture));
    println!("| header down to 80 % of the flow, median | {:.0} s | {:.0} s |", real.rise_s, made.rise_s);
    println!("| in work without flow | {:.0} % | {:.0} % |", real.no_flow * 100.0, made.no_flow * 100.0);
}

/// Both stray from their medians to a similar degree: neither a flat line nor a wild one.
fn assert_alike(name: &str, real: (f64, f64, f64), made: (f64, f64, f64), factor: f64) {
    let strays = |(_, low, high): (f64, f64, f64)| high - low;
    let ratio = strays(made) / strays(real);
    assert!(ratio > 1.0 / factor && ratio < factor, "{name} strays {ratio:.2} times as far: {real:?} {made:?}");
}

#[test]
fn a_forage_harvester_strays_as_a_real_one_does() {
    let Some(path) = test_support::recording("isoxml/forage_harvester_one_task") else { return };
    let (recording, simulation) = (recorded(&path), simulated("fs650", Season::Harvest));
    let title = "A forage harvester in work: a recording of a real one, and the simulated FS650";
    draw("forage_harvester.svg", title, ("recorded", &recording), ("simulated", &simulation));
    let (real, made) = (shape(&recording), shape(&simulation));
    print("forage harvester", &real, &made);
    assert_alike("speed", real.speed, made.speed, 3.0);
    assert_alike("flow", real.flow, made.flow, 3.0);
    assert!((real.rise_s - made.rise_s).abs() < 6.0, "{} {}", real.rise_s, made.rise_s);
}

#[test]
fn a_combine_strays_as_a_real_one_does() {
    let Some(path) = test_support::recording("yield/corn_aglead_advanced.txt") else { return };
    let (recording, simulation) = (recorded(&path), simulated("gs12", Season::Harvest));
    let title = "A combine in work: a recording of a real one in maize, and the simulated GS12 in grain";
    draw("combine.svg", title, ("recorded", &recording), ("simulated", &simulation));
    let (real, made) = (shape(&recording), shape(&simulation));
    print("combine", &real, &made);
    assert_alike("speed", real.speed, made.speed, 3.0);
    assert_alike("flow", real.flow, made.flow, 3.0);
}
