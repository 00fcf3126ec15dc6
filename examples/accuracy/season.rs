//! A season of machines, day by day, without broker and database: records become readings, truth stays truth.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use polevod::derive::field::{Boundary, Field, FieldId, Fields, LatLon, RawBoundary, Rules};
use polevod::derive::fieldwork::{ImplementUse, Ledger, Machine, Operation, Work};
use polevod::derive::{Readings, TaskEntry};
use simulator::machine::{Catalogue, FieldInfo, Fleet};
use simulator::truth::{self, Event};
use simulator::{FleetConfig, Heard, rehearse};
use wire::{Body, Frame, SequenceSet, SignalId, catalogue};

use super::imperfect::conditions;

/// First days of the windows in which the season is sampled: sowing, haying, spraying, harvest early and late, ploughing.
const WINDOWS: [&str; 6] = [
    "2026-05-11T21:00:00Z",
    "2026-06-22T21:00:00Z",
    "2026-07-06T21:00:00Z",
    "2026-08-17T21:00:00Z",
    "2026-09-07T21:00:00Z",
    "2026-10-01T21:00:00Z",
];
const DAY_MS: i64 = 86_400_000;
/// An implement is taken to be on this long before and after work, unless another one is nearer.
const CHANGE_MS: i64 = 30 * 60_000;

/// What is simulated.
pub(crate) struct Season {
    pub(crate) machines: usize,
    pub(crate) days: i64,
    pub(crate) seed: u64,
    pub(crate) models: Vec<String>,
    /// Only this window.
    pub(crate) window: Option<usize>,
}

/// One machine's working day with its truth.
pub(crate) struct Day<'s> {
    pub(crate) serial: String,
    pub(crate) date: Date,
    pub(crate) readings: Readings,
    pub(crate) tasks: Vec<TaskEntry>,
    pub(crate) truth: Vec<truth::Session>,
    /// Content of its tank, L.
    tank_l: Option<f64>,
    fields: &'s Fields,
    ledger: &'s Ledger,
}

/// What a machine has to tell of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensors {
    /// Everything that it has.
    All,
    /// Position, speed and engine: a plain tractor.
    Plain,
    /// Position and speed alone.
    Position,
}

impl Sensors {
    pub(crate) const ALL: [Self; 3] = [Self::All, Self::Plain, Self::Position];

    fn has(self, signal: SignalId) -> bool {
        let position = [
            catalogue::LATITUDE_DEG,
            catalogue::LONGITUDE_DEG,
            catalogue::HEADING_DEG,
            catalogue::GROUND_SPEED_KMH,
            catalogue::GNSS_FIX,
            catalogue::HDOP,
        ];
        let engine = [
            catalogue::ENGINE_SPEED_RPM,
            catalogue::ENGINE_LOAD_PCT,
            catalogue::FUEL_RATE_LPH,
            catalogue::FUEL_TOTAL_L,
        ];
        match self {
            Self::All => true,
            Self::Plain => position.contains(&signal) || engine.contains(&signal),
            Self::Position => position.contains(&signal),
        }
    }
}

/// A day as sensors of some kind see it.
pub(crate) struct Seen<'d> {
    day: &'d Day<'d>,
    readings: Readings,
    machine: Machine,
}

impl Seen<'_> {
    pub(crate) fn work(&self) -> Work<'_> {
        Work {
            day: self.day.date,
            readings: &self.readings,
            carried: &[],
            tasks: &self.day.tasks,
            fields: self.day.fields,
            machine: &self.machine,
            ledger: self.day.ledger,
        }
    }
}

impl Day<'_> {
    /// The day as `sensors` see it. Operation and width come from the assigned implement, as a farm would enter it.
    pub(crate) fn seen_by(&self, sensors: Sensors) -> Seen<'_> {
        // Between two jobs the implement is changed, half an hour from work at most.
        let times: Vec<(i64, i64)> = self.truth.iter().map(|session| (session.from.0, session.to.0)).collect();
        let implements = self.truth.iter().enumerate().map(|(number, session)| {
            let earlier = times.iter().filter(|(_, to)| *to <= session.from.0).map(|(_, to)| *to).max();
            let later = times.iter().filter(|(from, _)| *from >= session.to.0).map(|(from, _)| *from).min();
            let (from, to) = times[number];
            let begins = earlier.map_or(i64::MIN, |to| to + (from - to) / 2).max(from - CHANGE_MS);
            let ends = later.map_or(i64::MAX, |from| to + (from - to) / 2).min(to + CHANGE_MS);
            ImplementUse {
                period: begins..ends,
                name: session.implement.clone(),
                width_m: Some(session.width_m),
                operation: Operation::parse(&session.operation),
                offset_ahead_m: 0.0,
                offset_right_m: 0.0,
            }
        });
        let machine = Machine { implements: implements.collect(), tank_l: self.tank_l, ..Machine::default() };
        let mut readings = self.readings.clone();
        readings.keep(|signal| sensors.has(signal));
        Seen { day: self, readings, machine }
    }
}

/// What has been heard of one machine.
#[derive(Default)]
struct Machines {
    serial: String,
    days: BTreeMap<Date, (Readings, Vec<TaskEntry>, Vec<truth::Session>)>,
    ledger: BTreeMap<i64, SequenceSet>,
    /// Litres in the tank as days began, Unix milliseconds before them.
    tank: Vec<(i64, f64)>,
}

impl Season {
    /// Runs every window and hands over day after day.
    pub(crate) fn run(&self, mut take: impl FnMut(Day<'_>)) -> anyhow::Result<()> {
        for (number, window) in WINDOWS.into_iter().enumerate() {
            if self.window.is_some_and(|only| only != number) {
                continue;
            }
            let starts_at: jiff::Timestamp = window.parse()?;
            let until = jiff::Timestamp::from_millisecond(starts_at.as_millisecond() + self.days * DAY_MS)?;
            let config = FleetConfig {
                seed: self.seed,
                machines: self.machines,
                starts_at,
                until: Some(until),
                work: simulator::Work::ByDay,
                models: self.models.clone(),
                conditions: conditions(),
                ..FleetConfig::default()
            };
            let fleet = Fleet::plan(&config, &Catalogue::load(None::<&Path>)?)?;
            let fields = fields(&fleet.fields());
            let mut heard = Machines::default();
            rehearse(&config, |event| {
                match event {
                    Heard::Frame(serial, bytes) => {
                        heard.serial = serial.to_string();
                        let decoded = wire::decode(bytes).expect("the simulator sends what the service reads");
                        heard.frame(&decoded.frame);
                    }
                    Heard::Truth(_, events) => heard.truth(events),
                    Heard::MachineDone => {
                        let mut machine = std::mem::take(&mut heard);
                        machine.days.values_mut().for_each(|(readings, ..)| readings.sort());
                        let tank_l = machine.tank_l();
                        let ledger = Ledger { accounted: machine.ledger };
                        for (date, (readings, tasks, truth)) in machine.days {
                            let serial = machine.serial.clone();
                            take(Day {
                                serial,
                                date,
                                readings,
                                tasks,
                                truth,
                                tank_l,
                                fields: &fields,
                                ledger: &ledger,
                            });
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Machines {
    fn frame(&mut self, frame: &Frame) {
        let boot = frame.header.boot.as_i64();
        let sequences = frame.header.sequences();
        self.ledger.entry(boot).or_default().insert(sequences.clone());
        match &frame.body {
            Body::Telemetry(columns) => {
                let mut places = Vec::with_capacity(columns.recorded_at_ms.len());
                for (at, sequence) in columns.recorded_at_ms.iter().zip(sequences) {
                    let day = truth::working_day(*at);
                    let readings = &mut self.days.entry(day).or_default().0;
                    places.push((day, readings.push(*at, boot, sequence.cast_signed())));
                }
                for column in &columns.columns {
                    for (position, raw) in column.presence.positions(places.len()).zip(&column.values) {
                        let (day, index) = places[position];
                        let readings = &mut self.days.entry(day).or_default().0;
                        readings.set(index, column.signal, column.signal.physical(*raw));
                    }
                }
            }
            Body::Task(records) => {
                for (record, sequence) in records.iter().zip(sequences) {
                    let entry = TaskEntry::of((boot, sequence.cast_signed()), record);
                    self.days.entry(truth::working_day(record.recorded_at_ms)).or_default().1.push(entry);
                }
            }
            Body::Faults(_) => {}
        }
    }

    fn truth(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Session(session) => {
                    let day = truth::working_day(session.from.0);
                    self.days.entry(day).or_default().2.push(session.clone());
                }
                Event::Day(day) => self.tank.push((day.from.0, day.at_start.tank_l)),
                _ => {}
            }
        }
    }

    /// What the tank holds, as its owner knows: litres of a morning over the level that the gauge then shows.
    fn tank_l(&self) -> Option<f64> {
        let of_day = |(from, litres): &(i64, f64)| {
            let readings = &self.days.get(&truth::working_day(*from))?.0;
            let level = readings.signal(catalogue::FUEL_LEVEL_PCT);
            let first = (0..readings.len()).find_map(|index| level.at(index))?;
            (first > 5.0).then(|| 100.0 * litres / first)
        };
        let mut tanks: Vec<f64> = self.tank.iter().filter_map(of_day).collect();
        tanks.sort_unstable_by(f64::total_cmp);
        tanks.get(tanks.len() / 2).copied()
    }
}

fn fields(infos: &[FieldInfo]) -> Fields {
    let ring = |points: &[(f64, f64)]| points.iter().map(|&(lat_deg, lon_deg)| LatLon { lat_deg, lon_deg }).collect();
    let field = |(number, info): (usize, &FieldInfo)| {
        let raw = RawBoundary {
            outers: vec![ring(&info.outline)],
            holes: info.holes.iter().map(|hole| ring(hole)).collect(),
            repeats_first_point: false,
        };
        let built = Boundary::build(&raw, &Rules::default()).ok()?;
        Some(Field {
            id: FieldId(number as i64 + 1),
            name: info.name.clone(),
            code: None,
            farm: Some(info.farm.clone()),
            crop: Some(info.crop.clone()),
            boundary: built.boundary,
        })
    };
    Fields::new(infos.iter().enumerate().filter_map(field))
}
