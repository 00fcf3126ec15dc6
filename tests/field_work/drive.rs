//! A made drive: where a machine went and what it said, sample by sample, with the truth known by construction.

use jiff::Timestamp;
use jiff::civil::Date;
use polevod::derive::field::{Boundary, Field, FieldId, Fields, LatLon, RawBoundary, Rules as BoundaryRules};
use polevod::derive::fieldwork::{self, Ledger, Machine, Rules, Session, Work};
use polevod::derive::geometry::{Frame, Point};
use polevod::derive::{Readings, TaskEntry};
use wire::{SignalId, catalogue};

/// Where drives take place.
pub(crate) const HOME: (f64, f64) = (56.259, 83.971);
/// Beginning of the working day 2026-08-20 in Tomsk: 04:00 local.
pub(crate) const DAY_START: &str = "2026-08-19T21:00:00Z";

/// One reading.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) at_ms: i64,
    pub(crate) values: Vec<(SignalId, f64)>,
}

/// What a machine reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensors {
    /// Position, engine, work state and width.
    Implement,
    /// Position, speed and engine.
    Plain,
    /// Position alone.
    Position,
}

/// A drive in the making.
pub(crate) struct Drive {
    pub(crate) samples: Vec<Sample>,
    pub(crate) sensors: Sensors,
    pub(crate) width_m: f64,
    frame: Frame,
    at: Point,
    now_ms: i64,
    period_ms: i64,
    fuel_l: f64,
}

impl Drive {
    /// Begins at `local` time of 2026-08-20 (HH:MM), at the home corner.
    pub(crate) fn begin(local: &str, sensors: Sensors, width_m: f64) -> Self {
        let (hours, minutes) = local.split_once(':').expect("HH:MM");
        let (hours, minutes): (i64, i64) = (hours.parse().expect("hours"), minutes.parse().expect("minutes"));
        let start: Timestamp = DAY_START.parse().expect("a time");
        let now_ms = start.as_millisecond() + ((hours - 4) * 60 + minutes) * 60_000;
        Self {
            samples: Vec::new(),
            sensors,
            width_m,
            frame: Frame::at(HOME.0, HOME.1),
            at: Point::default(),
            now_ms,
            period_ms: 1000,
            fuel_l: 1000.0,
        }
    }

    pub(crate) fn every_ms(mut self, period_ms: i64) -> Self {
        self.period_ms = period_ms;
        self
    }

    fn report(&mut self, speed_kmh: f64, works: bool, rpm: f64, rate_lph: f64) {
        let (latitude, longitude) = self.frame.degrees(self.at);
        let mut values = vec![(catalogue::LATITUDE_DEG, latitude), (catalogue::LONGITUDE_DEG, longitude)];
        if self.sensors != Sensors::Position {
            values.extend([
                (catalogue::GROUND_SPEED_KMH, speed_kmh),
                (catalogue::ENGINE_SPEED_RPM, rpm),
                (catalogue::FUEL_RATE_LPH, rate_lph),
                (catalogue::FUEL_TOTAL_L, self.fuel_l),
            ]);
        }
        if self.sensors == Sensors::Implement {
            values.extend([
                (catalogue::ACTUAL_WORK_STATE, f64::from(u8::from(works))),
                (catalogue::ACTUAL_WORKING_WIDTH_M, self.width_m),
                (catalogue::GNSS_FIX, 4.0),
            ]);
        }
        self.samples.push(Sample { at_ms: self.now_ms, values });
        self.fuel_l += rate_lph * self.period_ms as f64 / 3_600_000.0;
        self.now_ms += self.period_ms;
    }

    /// Drives straight to a place.
    pub(crate) fn to(&mut self, x: f64, y: f64, kmh: f64, works: bool) {
        let target = Point::new(x, y);
        let step_m = kmh / 3.6 * self.period_ms as f64 / 1000.0;
        let rate = if works { 30.0 } else { 12.0 };
        while self.at.distance(target) > step_m {
            self.report(kmh, works, 1900.0, rate);
            self.at = self.at.towards(target, step_m / self.at.distance(target));
        }
        self.at = target;
    }

    /// Turns round in a half circle to `y`, on the side on which it is.
    pub(crate) fn turn_to(&mut self, y: f64, east: bool, kmh: f64) {
        let middle = Point::new(self.at.x, (self.at.y + y) / 2.0);
        let radius = (y - self.at.y) / 2.0;
        let steps =
            ((radius.abs() * std::f64::consts::PI) / (kmh / 3.6 * self.period_ms as f64 / 1000.0)).ceil() as i32;
        for step in 1..=steps {
            let angle = f64::from(step) / f64::from(steps) * std::f64::consts::PI;
            let bulge = if east { 1.0 } else { -1.0 } * radius.abs() * angle.sin();
            self.report(kmh, false, 1700.0, 12.0);
            self.at = Point::new(middle.x + bulge, middle.y - radius * angle.cos());
        }
    }

    /// Stands for so many seconds.
    pub(crate) fn stand(&mut self, seconds: i64, engine: bool) {
        let end = self.now_ms + seconds * 1000;
        while self.now_ms < end {
            if engine {
                self.report(0.0, false, 800.0, 4.0);
            } else {
                self.report(0.0, false, 0.0, 0.0);
            }
        }
    }

    /// Lets time pass without a record.
    pub(crate) fn silence(&mut self, seconds: i64) {
        self.now_ms += seconds * 1000;
    }

    /// Works passes of `length_m` to and fro, northward by the width, from the place where it is.
    pub(crate) fn passes(&mut self, count: usize, length_m: f64, kmh: f64) {
        let west = self.at.x;
        for pass in 0..count {
            let east = pass % 2 == 0;
            let x = if east { west + length_m } else { west };
            self.to(x, self.at.y, kmh, true);
            if pass + 1 < count {
                let y = self.at.y + self.width_m;
                self.turn_to(y, east, 6.0);
            }
        }
        // The record after the last pass ends it.
        self.report(kmh, false, 1700.0, 12.0);
    }
}

/// The readings of samples, numbered in the order recorded, fed in the order `order` gives.
pub(crate) fn readings(samples: &[Sample], order: impl IntoIterator<Item = usize>) -> Readings {
    let mut readings = Readings::default();
    for number in order {
        let sample = &samples[number];
        let index = readings.push(sample.at_ms, 7, number as i64);
        for (signal, value) in &sample.values {
            readings.set(index, *signal, *value);
        }
    }
    readings.sort();
    readings
}

/// Everything beside the readings.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) tasks: Vec<TaskEntry>,
    pub(crate) fields: Fields,
    pub(crate) machine: Machine,
    pub(crate) ledger: Ledger,
}

impl Known {
    pub(crate) fn sessions_of(&self, readings: &Readings) -> Vec<Session> {
        fieldwork::sessions(&self.work(readings), &Rules::default())
    }

    pub(crate) fn work<'a>(&'a self, readings: &'a Readings) -> Work<'a> {
        Work {
            day: Date::constant(2026, 8, 20),
            readings,
            carried: &[],
            tasks: &self.tasks,
            fields: &self.fields,
            machine: &self.machine,
            ledger: &self.ledger,
        }
    }

    pub(crate) fn sessions(&self, drive: &Drive) -> Vec<Session> {
        self.sessions_of(&readings(&drive.samples, 0..drive.samples.len()))
    }
}

/// A rectangular field by its corners in metres.
pub(crate) fn field(id: i64, low: (f64, f64), high: (f64, f64)) -> Field {
    let frame = Frame::at(HOME.0, HOME.1);
    let corner = |x: f64, y: f64| {
        let (lat_deg, lon_deg) = frame.degrees(Point::new(x, y));
        LatLon { lat_deg, lon_deg }
    };
    let ring = vec![corner(low.0, low.1), corner(high.0, low.1), corner(high.0, high.1), corner(low.0, high.1)];
    let raw = RawBoundary { outers: vec![ring], holes: Vec::new(), repeats_first_point: false };
    let boundary = Boundary::build(&raw, &BoundaryRules::default()).expect("a sound boundary").boundary;
    Field { id: FieldId(id), name: format!("Field {id}"), code: None, farm: None, crop: None, boundary }
}
