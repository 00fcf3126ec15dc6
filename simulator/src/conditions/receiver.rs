//! The navigation receiver of a unit, and the ways in which it is wrong.

use serde::Deserialize;
use wire::{Sample, SignalId, catalogue as signal};

use super::check_number;
use super::episode::Episode;
use crate::random::Random;
use crate::truth::{At, Event, ReceiverError};

const METRES_PER_DEGREE: f64 = 111_320.0;
/// Position status by ISO 11783-10: no fix; a plain fix.
const NO_FIX: f64 = 0.0;
const PLAIN_FIX: f64 = 1.0;

/// Positions that are wrong, as episodes in an hour of the machine's time (domain section 7). The default is a
/// receiver that is only as inexact as receivers are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverRules {
    /// The position jumps by 50 to 2,000 m, for seconds.
    pub jumps_per_hour: f64,
    /// The position is 0/0, for seconds.
    pub zeros_per_hour: f64,
    /// The position stands still while the machine does not, for up to two minutes.
    pub freezes_per_hour: f64,
    /// The position wanders by 3 to 8 m, as under trees, for minutes; the receiver knows and shows a poor dilution.
    pub drifts_per_hour: f64,
    /// There is no position, as near a jammer, for minutes.
    pub losses_per_hour: f64,
}

impl ReceiverRules {
    pub(super) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        check_number("receiver.jumps_per_hour", self.jumps_per_hour, 3_600.0)?;
        check_number("receiver.zeros_per_hour", self.zeros_per_hour, 3_600.0)?;
        check_number("receiver.freezes_per_hour", self.freezes_per_hour, 3_600.0)?;
        check_number("receiver.drifts_per_hour", self.drifts_per_hour, 3_600.0)?;
        check_number("receiver.losses_per_hour", self.losses_per_hour, 3_600.0)
    }

    fn rates(&self) -> [(Kind, f64); 5] {
        [
            (Kind::Jump, self.jumps_per_hour),
            (Kind::Zero, self.zeros_per_hour),
            (Kind::Freeze, self.freezes_per_hour),
            (Kind::Drift, self.drifts_per_hour),
            (Kind::Loss, self.losses_per_hour),
        ]
    }

    fn per_hour(&self) -> f64 {
        self.rates().iter().map(|(_, rate)| rate).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Jump,
    Zero,
    Freeze,
    Drift,
    Loss,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Jump => "jump",
            Self::Zero => "zero",
            Self::Freeze => "freeze",
            Self::Drift => "drift",
            Self::Loss => "no_position",
        }
    }

    /// Shortest and longest, seconds.
    fn lasts_s(self) -> (f64, f64) {
        match self {
            Self::Jump => (1.0, 20.0),
            Self::Zero => (1.0, 15.0),
            Self::Freeze => (10.0, 120.0),
            Self::Drift => (30.0, 300.0),
            Self::Loss => (60.0, 1_800.0),
        }
    }

    /// How far the position is off, least and most, metres.
    fn metres(self) -> (f64, f64) {
        match self {
            Self::Jump => (50.0, 2_000.0),
            Self::Drift => (3.0, 8.0),
            Self::Zero | Self::Freeze | Self::Loss => (0.0, 0.0),
        }
    }
}

/// A time in which the position is wrong.
#[derive(Debug, Clone, Copy)]
struct Wrong {
    kind: Kind,
    told: Episode,
    from_ms: i64,
    to_ms: i64,
    metres: f64,
    direction: f64,
    /// The position at its beginning, as steps of the catalogue.
    held: Option<(i64, i64)>,
}

/// The receiver of one unit.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    rules: ReceiverRules,
    random: Random,
    next_ms: i64,
    wrong: Option<Wrong>,
}

impl Receiver {
    pub(crate) fn new(rules: ReceiverRules, seed: u64, now_ms: i64) -> Self {
        let mut receiver = Self { rules, random: Random::fork(seed, "receiver"), next_ms: i64::MAX, wrong: None };
        receiver.plan(now_ms);
        receiver
    }

    /// Goes on to `at_ms`.
    pub(crate) fn step(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        if let Some(wrong) = self.wrong.take_if(|wrong| wrong.to_ms <= at_ms) {
            wrong.tell(wrong.to_ms, truth);
        }
        // What came and went while nothing was reported shows nowhere, and is not told.
        while self.next_ms <= at_ms {
            let wrong = self.begin(self.next_ms);
            self.plan(wrong.to_ms);
            self.wrong = (wrong.to_ms > at_ms).then_some(wrong);
        }
    }

    /// What the receiver makes of the position in `sample`, taken at the true time `at_ms` of the last step.
    pub(crate) fn distort(&mut self, sample: &mut Sample, at_ms: i64) {
        let Some(wrong) = &mut self.wrong else { return };
        let (Some(latitude), Some(longitude)) = (raw(sample, signal::LATITUDE_DEG), raw(sample, signal::LONGITUDE_DEG))
        else {
            return;
        };
        match wrong.kind {
            Kind::Jump | Kind::Drift => {
                let (north_m, east_m) = wrong.offset_m(at_ms);
                let latitude_deg = signal::LATITUDE_DEG.physical(latitude);
                let east_deg = east_m / (METRES_PER_DEGREE * latitude_deg.to_radians().cos().max(0.01));
                put(sample, signal::LATITUDE_DEG, latitude_deg + north_m / METRES_PER_DEGREE);
                put(sample, signal::LONGITUDE_DEG, signal::LONGITUDE_DEG.physical(longitude) + east_deg);
                if wrong.kind == Kind::Drift {
                    put(sample, signal::HDOP, 5.0 + wrong.metres / 2.0);
                    put(sample, signal::GNSS_FIX, PLAIN_FIX);
                }
            }
            Kind::Zero => {
                put(sample, signal::LATITUDE_DEG, 0.0);
                put(sample, signal::LONGITUDE_DEG, 0.0);
                put(sample, signal::GNSS_FIX, NO_FIX);
            }
            Kind::Freeze => {
                let (latitude, longitude) = *wrong.held.get_or_insert((latitude, longitude));
                put(sample, signal::LATITUDE_DEG, signal::LATITUDE_DEG.physical(latitude));
                put(sample, signal::LONGITUDE_DEG, signal::LONGITUDE_DEG.physical(longitude));
            }
            Kind::Loss => {
                let of_position = [signal::LATITUDE_DEG, signal::LONGITUDE_DEG, signal::HDOP];
                sample.values.retain(|(id, _)| !of_position.contains(id));
                put(sample, signal::GNSS_FIX, NO_FIX);
            }
        }
    }

    /// Ends the run: what lasts is told up to now.
    pub(crate) fn close(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        self.step(at_ms, truth);
        if let Some(wrong) = self.wrong.take() {
            wrong.tell(at_ms, truth);
        }
    }

    fn begin(&mut self, from_ms: i64) -> Wrong {
        let mut choice = self.random.range(0.0, self.rules.per_hour());
        let chosen = self.rules.rates().into_iter().find(|(_, rate)| {
            choice -= rate;
            choice < 0.0
        });
        let kind = chosen.map_or(Kind::Jump, |(kind, _)| kind);
        let ((shortest_s, longest_s), (least_m, most_m)) = (kind.lasts_s(), kind.metres());
        let to_ms = from_ms + (self.random.range(shortest_s, longest_s) * 1_000.0) as i64;
        let metres = self.random.range(least_m, most_m);
        let direction = self.random.range(0.0, std::f64::consts::TAU);
        Wrong { kind, told: Episode::since(from_ms), from_ms, to_ms, metres, direction, held: None }
    }

    fn plan(&mut self, from_ms: i64) {
        let per_hour = self.rules.per_hour();
        self.next_ms = if per_hour > 0.0 {
            from_ms.saturating_add(self.random.exponential(3_600_000.0 / per_hour) as i64 + 1)
        } else {
            i64::MAX
        };
    }
}

impl Wrong {
    /// North and east. A jump is there at once; a drift swells, turns and ebbs away.
    fn offset_m(&self, at_ms: i64) -> (f64, f64) {
        let share = (at_ms - self.from_ms) as f64 / (self.to_ms - self.from_ms).max(1) as f64;
        let (metres, direction) = match self.kind {
            Kind::Drift => (self.metres * (share * std::f64::consts::PI).sin(), self.direction + 2.0 * share),
            _ => (self.metres, self.direction),
        };
        (metres * direction.cos(), metres * direction.sin())
    }

    fn tell(self, end_ms: i64, truth: &mut Vec<Event>) {
        self.told.end(end_ms, |from, to| {
            truth.push(Event::Receiver(ReceiverError {
                from: At(from),
                to: At(to),
                kind: self.kind.name().into(),
                metres: self.metres,
            }));
        });
    }
}

fn raw(sample: &Sample, id: SignalId) -> Option<i64> {
    sample.values.iter().find(|(found, _)| *found == id).map(|(_, raw)| *raw)
}

fn put(sample: &mut Sample, id: SignalId, physical: f64) {
    sample.values.retain(|(found, _)| *found != id);
    sample.set(id, physical);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: i64 = 1_787_198_400_000;
    const YARD: (f64, f64) = (56.259, 83.971);

    /// Drives north at 3 m/s for `hours` and gives how far off each reported position is, in metres; none without one.
    fn drive(rules: ReceiverRules, hours: i64) -> (Vec<Option<f64>>, Vec<ReceiverError>) {
        let mut receiver = Receiver::new(rules, 1, START_MS);
        let (mut errors_m, mut truth) = (Vec::new(), Vec::new());
        for second in 0..hours * 3_600 {
            let at_ms = START_MS + second * 1_000;
            receiver.step(at_ms, &mut truth);
            let mut sample = Sample::at(at_ms);
            let latitude = YARD.0 + (second % 3_600) as f64 * 3.0 / METRES_PER_DEGREE;
            sample.set(signal::LATITUDE_DEG, latitude);
            sample.set(signal::LONGITUDE_DEG, YARD.1);
            sample.set(signal::GNSS_FIX, 3.0);
            receiver.distort(&mut sample, at_ms);
            let found = sample.physical(signal::LATITUDE_DEG).zip(sample.physical(signal::LONGITUDE_DEG));
            errors_m.push(found.map(|(lat, lon)| {
                let east_m = (lon - YARD.1) * METRES_PER_DEGREE * latitude.to_radians().cos();
                ((lat - latitude) * METRES_PER_DEGREE).hypot(east_m)
            }));
            let ids: Vec<_> = sample.values.iter().map(|(id, _)| *id).collect();
            assert!((1..ids.len()).all(|index| !ids[index..].contains(&ids[index - 1])), "each signal once: {ids:?}");
        }
        receiver.close(START_MS + hours * 3_600_000, &mut truth);
        let told = truth.into_iter().filter_map(|event| match event {
            Event::Receiver(error) => Some(error),
            _ => None,
        });
        (errors_m, told.collect())
    }

    fn wrong_seconds(told: &[ReceiverError]) -> i64 {
        told.iter().map(|error| (error.to.0 - error.from.0) / 1_000).sum()
    }

    #[test]
    fn jumps_are_as_far_and_as_long_as_told() {
        let (errors_m, told) = drive(ReceiverRules { jumps_per_hour: 4.0, ..ReceiverRules::default() }, 50);
        assert!((150..250).contains(&told.len()), "{}", told.len());
        let off: Vec<_> = errors_m.iter().flatten().filter(|metres| **metres > 1.0).collect();
        assert!(off.iter().all(|metres| (49.0..2_005.0).contains(*metres)));
        assert!((off.len() as i64 - wrong_seconds(&told)).abs() <= told.len() as i64);
    }

    #[test]
    fn a_drift_wanders_by_metres_without_a_jump() {
        let (errors_m, told) = drive(ReceiverRules { drifts_per_hour: 2.0, ..ReceiverRules::default() }, 50);
        assert!(!told.is_empty());
        let errors_m: Vec<_> = errors_m.into_iter().flatten().collect();
        assert!(errors_m.iter().all(|metres| *metres <= 8.1));
        assert!(errors_m.iter().any(|metres| *metres > 4.0));
        assert!(errors_m.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 1.0));
    }

    #[test]
    fn positions_freeze_vanish_and_are_zero() {
        let (frozen, told) = drive(ReceiverRules { freezes_per_hour: 4.0, ..ReceiverRules::default() }, 20);
        assert!(!told.is_empty() && frozen.iter().flatten().any(|metres| *metres > 100.0), "the machine went on");
        let (lost, told) = drive(ReceiverRules { losses_per_hour: 1.0, ..ReceiverRules::default() }, 20);
        let without = lost.iter().filter(|error| error.is_none()).count() as i64;
        assert!((without - wrong_seconds(&told)).abs() <= told.len() as i64, "{without}");
        let (zero, _) = drive(ReceiverRules { zeros_per_hour: 4.0, ..ReceiverRules::default() }, 20);
        assert!(zero.iter().flatten().any(|metres| *metres > 5_000_000.0), "0/0 is far away");
    }
}
