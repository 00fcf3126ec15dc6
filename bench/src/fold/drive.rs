//! A day of parallel passes, one sample after the other.

use polevod::derive::Readings;
use polevod::derive::geometry::{Frame, Point};
use wire::{Sample, SignalId, catalogue};

/// 2026-08-20 04:00 in Tomsk.
pub(crate) const DAY_STARTS_MS: i64 = 1_787_173_200_000;
/// Where its field lies.
const ORIGIN: (f64, f64) = (56.259, 83.971);
/// A working day at one sample a second, every sensor reporting.
pub(crate) const FULL_DAY: Drive =
    Drive { samples: 86_400, period_ms: 1000, width_m: 6.0, speed_mps: 2.5, pass_m: 900.0, implement: true };

/// A day of parallel passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drive {
    pub(crate) samples: usize,
    pub(crate) period_ms: i64,
    pub(crate) width_m: f64,
    pub(crate) speed_mps: f64,
    pub(crate) pass_m: f64,
    /// Whether an implement tells that it works; otherwise the track has to.
    pub(crate) implement: bool,
}

impl Drive {
    /// What sample `index` reports.
    fn values(&self, frame: &Frame, index: usize) -> Vec<(SignalId, f64)> {
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

    pub(crate) fn readings(&self) -> Readings {
        let frame = Frame::at(ORIGIN.0, ORIGIN.1);
        let mut readings = Readings::default();
        for index in 0..self.samples {
            let at_ms = DAY_STARTS_MS + index as i64 * self.period_ms;
            let place = readings.push(at_ms, 1, index as i64);
            self.values(&frame, index).into_iter().for_each(|(signal, value)| readings.set(place, signal, value));
        }
        readings.sort();
        readings
    }

    /// The same as a unit records it.
    pub(crate) fn records(&self) -> Vec<Sample> {
        let frame = Frame::at(ORIGIN.0, ORIGIN.1);
        let record = |index: usize| {
            let mut sample = Sample::at(DAY_STARTS_MS + index as i64 * self.period_ms);
            self.values(&frame, index).into_iter().for_each(|(signal, value)| sample.set(signal, value));
            sample
        };
        (0..self.samples).map(record).collect()
    }
}
