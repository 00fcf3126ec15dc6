//! A season of machines without broker and database: what each reported is followed by health, truth stays truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use polevod::catalogues;
use polevod::derive::health::rule::{DayFigures, Ended};
use polevod::derive::health::{Catalogues, Cohort, Episode, HealthFold, HealthState, UsualFigure, trends, usual};
use polevod::derive::{FaultEntry, Readings};
use simulator::machine::FaultSettings;
use simulator::truth::{self, Event};
use simulator::{FleetConfig, Heard, rehearse};
use wire::{Body, Frame};

use super::imperfect::conditions;

/// First days of the windows in which the season is sampled: sowing, haying, harvest, ploughing.
const WINDOWS: [&str; 4] =
    ["2026-05-11T21:00:00Z", "2026-06-22T21:00:00Z", "2026-08-10T21:00:00Z", "2026-09-20T21:00:00Z"];
const DAY_MS: i64 = 86_400_000;

/// What is simulated.
pub(crate) struct Season {
    pub(crate) machines: usize,
    pub(crate) days: i64,
    /// How often machines break: 0 never, 1 as real ones.
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    pub(crate) models: Vec<String>,
    /// Data files laid over those built in.
    pub(crate) folder: Option<PathBuf>,
}

/// A machine over a window: what was found, and what was so.
pub(crate) struct Window {
    pub(crate) serial: String,
    pub(crate) model: String,
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    pub(crate) samples: usize,
    pub(crate) machine_days: usize,
    /// What its fuel tank holds, L.
    pub(crate) tank_l: Option<f64>,
    pub(crate) episodes: Vec<Episode>,
    pub(crate) truth: Vec<Event>,
}

/// What has been heard of one machine.
#[derive(Default)]
struct Machine {
    serial: String,
    readings: Readings,
    reports: Vec<FaultEntry>,
    truth: Vec<Event>,
}

impl Season {
    pub(crate) fn machine_windows(&self) -> usize {
        self.machines * WINDOWS.len()
    }

    /// Runs every window and hands over machine after machine.
    pub(crate) fn run(&self, mut take: impl FnMut(Window)) -> anyhow::Result<()> {
        let mut errors = Vec::new();
        let catalogues = catalogues::load(self.folder.as_deref(), &mut errors);
        anyhow::ensure!(errors.is_empty(), "the data files are wrong: {errors:?}");
        let zone = TimeZone::get("Asia/Tomsk")?;
        for (number, window) in WINDOWS.iter().enumerate() {
            let starts_at: jiff::Timestamp = window.parse()?;
            let from_ms = starts_at.as_millisecond();
            let until_ms = from_ms + self.days * DAY_MS;
            let config = FleetConfig {
                seed: self.seed + number as u64,
                machines: self.machines,
                starts_at,
                until: Some(jiff::Timestamp::from_millisecond(until_ms)?),
                work: simulator::Work::ByDay,
                models: self.models.clone(),
                conditions: conditions(),
                faults: FaultSettings { random_rate: self.rate, scripted: Vec::new() },
                ..FleetConfig::default()
            };
            let mut heard = Machine::default();
            let mut followed: Vec<(Window, Vec<DayFigures>)> = Vec::new();
            rehearse(&config, |event| {
                match event {
                    Heard::Frame(serial, bytes) => {
                        heard.serial = serial.to_string();
                        let decoded = wire::decode(bytes).expect("the simulator sends what the service reads");
                        heard.frame(decoded.frame);
                    }
                    Heard::Truth(_, events) => heard.truth.extend_from_slice(events),
                    Heard::MachineDone => {
                        let machine = std::mem::take(&mut heard);
                        followed.push(machine.follow(&catalogues, &zone, from_ms, until_ms));
                    }
                }
                Ok(())
            })?;
            for window in with_trends(followed, &catalogues) {
                take(window);
            }
        }
        Ok(())
    }
}

impl Machine {
    fn frame(&mut self, frame: Frame) {
        let boot = frame.header.boot.as_i64();
        let sequences = frame.header.sequences();
        match frame.body {
            Body::Telemetry(columns) => {
                let first = self.readings.len();
                for (at, sequence) in columns.recorded_at_ms.iter().zip(sequences) {
                    self.readings.push(*at, boot, sequence.cast_signed());
                }
                let count = columns.recorded_at_ms.len();
                for column in &columns.columns {
                    for (position, raw) in column.presence.positions(count).zip(&column.values) {
                        self.readings.set(first + position, column.signal, column.signal.physical(*raw));
                    }
                }
            }
            Body::Faults(reports) => {
                let entries = reports.into_iter().zip(sequences);
                self.reports.extend(
                    entries.map(|(report, sequence)| FaultEntry { identity: (boot, sequence.cast_signed()), report }),
                );
            }
            Body::Task(_) => {}
        }
    }

    fn follow(
        mut self,
        catalogues: &Catalogues,
        zone: &TimeZone,
        from_ms: i64,
        until_ms: i64,
    ) -> (Window, Vec<DayFigures>) {
        self.readings.sort();
        self.reports.sort_by_key(|entry| (entry.report.recorded_at_ms, entry.identity));
        // SIM-gs12-00017
        let model = self.serial.split('-').skip(1).collect::<Vec<_>>();
        let model = model[..model.len().saturating_sub(1)].join("-");
        let facts = catalogues.models.facts(Some(&model));
        let mut fold = HealthFold::new(&catalogues.rules, &catalogues.faults, &facts, zone, HealthState::default());
        let mut ended = Ended::default();
        fold.push(&self.readings, 0..self.readings.len(), &self.reports, until_ms, &mut ended);
        ended.episodes.extend(fold.open(until_ms));
        ended.days.extend(fold.day());
        let days: BTreeSet<_> = self.readings.recorded_at_ms.iter().map(|at| truth::working_day(*at)).collect();
        let window = Window {
            serial: self.serial,
            model,
            from_ms,
            until_ms,
            samples: self.readings.len(),
            machine_days: days.len(),
            tank_l: facts.tank_l,
            episodes: ended.episodes,
            truth: self.truth,
        };
        (window, ended.days)
    }
}

/// Adds what the machines of a model show beside each other.
fn with_trends(followed: Vec<(Window, Vec<DayFigures>)>, catalogues: &Catalogues) -> impl Iterator<Item = Window> {
    let mut models: BTreeMap<String, Vec<(String, Vec<UsualFigure>)>> = BTreeMap::new();
    for (window, days) in &followed {
        let usual = usual(catalogues.rules.trends(), days);
        models.entry(window.model.clone()).or_default().push((window.serial.clone(), usual));
    }
    followed.into_iter().map(move |(mut window, days)| {
        let mut cohort = Cohort::default();
        let others = models[&window.model].iter().filter(|(serial, _)| *serial != window.serial);
        others.for_each(|(_, usual)| cohort.add(usual));
        window.episodes.extend(trends(catalogues.rules.trends_for(Some(&window.model)), &days, &cohort));
        window
    })
}
