//! How fast field work is: the fold, the union of the swath, and recomputing a day against reading it.
//!
//! `cargo run --release --example fieldwork_speed [-- --store]`; `--store` starts a private database for the last.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use polevod::derive::Readings;
use polevod::derive::field::Fields;
use polevod::derive::fieldwork::{self, Ledger, Machine, Rules, Work};
use polevod::derive::geometry::{Frame, Point};
use wire::{SignalId, catalogue};

const ROUNDS: usize = 5;
/// 2026-08-20 04:00 in Tomsk.
const DAY_STARTS_MS: i64 = 1_787_173_200_000;
const GOAL_SAMPLES_PER_S: f64 = 2e6;

/// A day of parallel passes.
struct Drive {
    samples: usize,
    period_ms: i64,
    width_m: f64,
    speed_mps: f64,
    pass_m: f64,
    /// Whether an implement tells that it works; otherwise the track has to.
    implement: bool,
}

impl Drive {
    /// What sample `index` reports.
    fn sample(&self, frame: &Frame, index: usize) -> Vec<(SignalId, f64)> {
        let turn_m = 40.0;
        let way_m = index as f64 * self.speed_mps * self.period_ms as f64 / 1000.0;
        let pass = (way_m / (self.pass_m + turn_m)).floor();
        let along = way_m - pass * (self.pass_m + turn_m);
        let works = along < self.pass_m;
        let forward = pass as i64 % 2 == 0;
        let at = if works { along } else { self.pass_m };
        let turned = if works { 0.0 } else { (along - self.pass_m) / turn_m };
        let bulge = 12.0 * (std::f64::consts::PI * turned).sin();
        let x = if forward { at + bulge } else { self.pass_m - at - bulge };
        // A receiver that strays by decimetres.
        let stray = 0.2 * (index as f64 / 300.0).sin() + 0.02 * (index as f64 * 12.9898).sin();
        let y = (pass + turned) * self.width_m * 0.97 + stray;
        let (latitude, longitude) = frame.degrees(Point::new(x, y));
        let mut values = vec![
            (catalogue::LATITUDE_DEG, latitude),
            (catalogue::LONGITUDE_DEG, longitude),
            (catalogue::GROUND_SPEED_KMH, self.speed_mps * 3.6),
            (catalogue::ENGINE_SPEED_RPM, 1900.0),
            (catalogue::FUEL_RATE_LPH, if works { 42.0 } else { 15.0 }),
        ];
        if self.implement {
            values.extend([
                (catalogue::GNSS_FIX, 2.0),
                (catalogue::ACTUAL_WORK_STATE, f64::from(u8::from(works))),
                (catalogue::ACTUAL_WORKING_WIDTH_M, self.width_m),
                (catalogue::CROP_FLOW_KGPS, if works { 8.0 + (index as f64 / 50.0).sin() } else { 0.0 }),
                (catalogue::CROP_MOISTURE_PCT, 17.0),
            ]);
        }
        values
    }

    fn readings(&self) -> Readings {
        let frame = Frame::at(56.259, 83.971);
        let mut readings = Readings::default();
        for index in 0..self.samples {
            let at_ms = DAY_STARTS_MS + index as i64 * self.period_ms;
            let place = readings.push(at_ms, 1, index as i64);
            self.sample(&frame, index).into_iter().for_each(|(signal, value)| readings.set(place, signal, value));
        }
        readings.sort();
        readings
    }
}

fn main() -> anyhow::Result<()> {
    let day = Drive { samples: 86_400, period_ms: 1000, width_m: 6.0, speed_mps: 2.5, pass_m: 900.0, implement: true };
    let days = [
        ("a day of 86,400 samples, full sensors", &day),
        ("the same, the track alone", &Drive { implement: false, ..day }),
        ("10 Hz, 100,000 samples", &Drive { samples: 100_000, period_ms: 100, ..day }),
        ("100 ha with 6 m at 1 Hz", &Drive { samples: 70_000, ..day }),
    ];
    println!("{:42} {:>9} {:>12} {:>9} {:>8}", "fold", "ms", "samples/s", "goal", "ha");
    for (name, drive) in days {
        let readings = drive.readings();
        let (took, hectares) = fold(&readings);
        let rate = readings.len() as f64 / took.as_secs_f64();
        let met = if rate >= GOAL_SAMPLES_PER_S { "met" } else { "missed" };
        println!("{name:42} {:>9.1} {rate:>12.0} {met:>9} {hectares:>8.2}", took.as_secs_f64() * 1000.0);
    }
    if std::env::args().any(|argument| argument == "--store") {
        store::measure(&day)?;
    }
    Ok(())
}

/// The best of some rounds, and the hectares found.
fn fold(readings: &Readings) -> (Duration, f64) {
    let (fields, machine, ledger) = (Fields::default(), Machine::default(), Ledger::default());
    let work = Work {
        day: Date::constant(2026, 8, 20),
        readings,
        carried: &[],
        tasks: &[],
        fields: &fields,
        machine: &machine,
        ledger: &ledger,
    };
    let mut best = Duration::MAX;
    let mut hectares = 0.0;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let folded = fieldwork::fold(&work, &Rules::default());
        best = best.min(began.elapsed());
        hectares = folded.sessions.iter().filter_map(|session| session.area.union_m2).sum::<f64>() / 10_000.0;
    }
    (best, hectares)
}

/// Recomputing a stored day against reading it.
mod store {
    use super::*;
    use anyhow::ensure;
    use bytes::Bytes;
    use embedded::{Stack, StackOptions};
    use polevod::config::{MqttUrl, Secret};
    use polevod::ingest::{Item, RawMessage, Rules, prepare};
    use polevod::store::{self, Batch, Session, Settings};
    use wire::{Body, BootId, Compression, Frame as WireFrame, Header, MachineSerial, Sample, columns_of};

    const FRAME_SAMPLES: usize = 400;

    pub(super) fn measure(drive: &Drive) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let stack = Stack::start(&StackOptions::default(), &|_| {})?;
        let mut config = polevod::config::load(None, [])?;
        config.database.url = Secret::new(stack.postgres.url());
        config.mqtt.url = MqttUrl::parse(&stack.mosquitto.url())?;
        runtime.block_on(async {
            let mut client = store::connect(&config.database).await?;
            store::migrate(&mut client).await?;
            load(&config, drive).await?;
            let period = DAY_STARTS_MS..DAY_STARTS_MS + 86_400_000;
            let mut reading = Duration::MAX;
            for _ in 0..ROUNDS {
                let began = Instant::now();
                let readings = store::readings(&client, 1, period.clone()).await?;
                ensure!(readings.len() == drive.samples, "{} samples were read", readings.len());
                reading = reading.min(began.elapsed());
            }
            let mut recomputing = Duration::MAX;
            for _ in 0..ROUNDS {
                store::mark(&client, 1, period.start..=period.end - 1).await?;
                let began = Instant::now();
                polevod::recompute::catch_up(&config).await?;
                recomputing = recomputing.min(began.elapsed());
            }
            let ratio = recomputing.as_secs_f64() / reading.as_secs_f64();
            println!("\nreading the day {reading:.1?}, recomputing it {recomputing:.1?}: {ratio:.2} times (goal 2)");
            Ok(())
        })
    }

    async fn load(config: &polevod::config::Config, drive: &Drive) -> anyhow::Result<()> {
        let frame = Frame::at(56.259, 83.971);
        let serial = MachineSerial::parse("SPEED-1")?;
        let rules = Rules::of(&config.clock);
        let mut batch = Batch::default();
        for first in (0..drive.samples).step_by(FRAME_SAMPLES) {
            let samples: Vec<Sample> = (first..(first + FRAME_SAMPLES).min(drive.samples))
                .map(|index| {
                    let mut sample = Sample::at(DAY_STARTS_MS + index as i64 * drive.period_ms);
                    drive.sample(&frame, index).into_iter().for_each(|(signal, value)| sample.set(signal, value));
                    sample
                })
                .collect();
            let frame = WireFrame {
                header: Header {
                    machine: serial.clone(),
                    boot: BootId::new(1).expect("fits"),
                    first_sequence: first as u64,
                    count: samples.len() as u32,
                    age_ms: 0,
                },
                body: Body::Telemetry(columns_of(&samples)),
            };
            let bytes = wire::encode(&frame, Compression::None);
            let message = RawMessage {
                topic: format!("polevod/v1/{serial}/telemetry"),
                payload: Bytes::from(bytes),
                received_at_ms: DAY_STARTS_MS + 86_400_000,
            };
            match prepare(message, &rules) {
                Item::Run(run) => batch.runs.push(run),
                other => anyhow::bail!("a message of our own making was refused: {other:?}"),
            }
        }
        let settings = Settings {
            register_unknown_machines: true,
            late_after_ms: 300_000,
            zone: config.clock.zone.0.clone(),
            payload_bytes_max: 1024,
            without_ledger: false,
        };
        let mut session = Session::connect(&config.database).await?;
        store::load(&mut session, &batch, &settings).await?;
        Ok(())
    }
}
