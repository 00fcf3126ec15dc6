//! Samples as rules see them: dense columns, in which a value holds for as long as its signal is good for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{Behaviour, SignalId, catalogue};

use super::super::super::Readings;
use super::area::Area;
use super::local_time::LocalTime;

/// Samples worked on at a time: a few columns of it stay in the processor's nearest memory.
pub(super) const BLOCK: usize = 1_024;
/// How long a moving value is good for. Machines repeat every signal at least once a minute while the engine runs.
pub(super) const HOLD_MS: i64 = 120_000;
/// How long a slow one is: levels, counters, states, the weather. Machines that stand send all once in 15 minutes.
pub(super) const HOLD_SLOW_MS: i64 = 1_200_000;
/// Moving values further apart than this are not compared with each other: an engine reaches working speed in it, while
/// the oil pressure that is known is still that of idling.
const COMPARED_MS: i64 = 2_000;
/// After a silence of this length nobody knows whether the engine ran through it.
const SILENT_MS: i64 = 600_000;
/// Below this an engine does not run, rpm.
pub(super) const RUNNING_RPM: f64 = 300.0;
/// Above this a machine moves, km/h.
pub(super) const MOVING_KMH: f64 = 0.5;
/// Above this a battery is one of a 24 V system.
const ABOVE_12_V_SYSTEM: f64 = 18.0;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// A signal.
    Signal(SignalId),
    /// Best known speed, km/h.
    SpeedKmh,
    /// For how long the engine has run, s.
    RunningS,
    /// For how long it has been off, s.
    OffS,
    /// For how long the machine has stood, s.
    StoppedS,
    /// Hour of the local day, 0 to 24, with its fraction.
    LocalHour,
    /// 1 January to 12 December.
    LocalMonth,
    /// 1 Monday to 7 Sunday.
    Weekday,
    /// Capacity of the fuel tank, L, where the model is known.
    TankL,
    /// 12 or 24, V.
    SystemV,
    /// 1 inside the area of this index, 0 outside.
    Inside(usize),
}

/// Speeds, best first, with their factor to km/h.
const SPEEDS: [(SignalId, f64); 3] =
    [(catalogue::WHEEL_SPEED_KMH, 1.0), (catalogue::WHEEL_BASED_SPEED_MPS, 3.6), (catalogue::GROUND_SPEED_KMH, 1.0)];

impl Input {
    /// Inputs that are no signals, by name.
    pub(super) const COMPUTED: [(&'static str, Self); 9] = [
        ("speed_kmh", Self::SpeedKmh),
        ("running_s", Self::RunningS),
        ("off_s", Self::OffS),
        ("stopped_s", Self::StoppedS),
        ("local_hour", Self::LocalHour),
        ("local_month", Self::LocalMonth),
        ("weekday", Self::Weekday),
        ("tank_l", Self::TankL),
        ("system_v", Self::SystemV),
    ];

    /// The signal, if it is one whose value of some minutes ago cannot be compared with that of another now.
    pub(super) fn compared(&self) -> Option<SignalId> {
        match self {
            Self::Signal(signal) if hold_ms(*signal) == HOLD_MS => Some(*signal),
            _ => None,
        }
    }

    /// The signals it is made of.
    fn signals(&self) -> Vec<SignalId> {
        match self {
            Self::Signal(signal) => vec![*signal],
            Self::SpeedKmh | Self::StoppedS => SPEEDS.map(|(signal, _)| signal).to_vec(),
            Self::RunningS | Self::OffS => vec![catalogue::ENGINE_SPEED_RPM],
            Self::SystemV => vec![catalogue::BATTERY_V],
            Self::Inside(_) => vec![catalogue::LATITUDE_DEG, catalogue::LONGITUDE_DEG],
            Self::LocalHour | Self::LocalMonth | Self::Weekday | Self::TankL => Vec::new(),
        }
    }
}

/// What is known of the machine beside its records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MachineFacts {
    /// Model code.
    pub model: Option<String>,
    /// Capacity of its fuel tank, L.
    pub tank_l: Option<f64>,
    /// 12 or 24; none: told by its battery.
    pub system_v: Option<f64>,
}

/// How long a value of a signal is good for.
fn hold_ms(signal: SignalId) -> i64 {
    let slow = [
        catalogue::AMBIENT_TEMP_C,
        catalogue::BARO_PRESSURE_KPA,
        catalogue::FUEL_LEVEL_PCT,
        catalogue::FUEL_LEVEL2_PCT,
        catalogue::OIL_LEVEL_PCT,
        catalogue::COOLANT_LEVEL_PCT,
        catalogue::HYD_LEVEL_PCT,
        catalogue::DEF_LEVEL_PCT,
        catalogue::DPF_SOOT_PCT,
        catalogue::DPF_ASH_PCT,
    ];
    let is_slow = slow.contains(&signal)
        || catalogue::find(signal).is_some_and(|row| matches!(row.behaviour, Behaviour::State | Behaviour::Counter));
    if is_slow { HOLD_SLOW_MS } else { HOLD_MS }
}

/// A run of samples in dense columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    pub(super) at_ms: Vec<i64>,
    columns: Vec<Vec<f64>>,
    /// When the values of a column were reported, for those that are compared.
    reported_ms: Vec<Vec<i64>>,
    /// The value that the running rule has learned.
    pub(super) learned: Vec<f64>,
}

/// Stands for the column of what the running rule has learned.
pub(super) const LEARNED: usize = usize::MAX;

impl Block {
    pub(super) fn len(&self) -> usize {
        self.at_ms.len()
    }

    /// A column; NaN where not known.
    pub(super) fn column(&self, column: usize) -> &[f64] {
        if column == LEARNED { &self.learned } else { &self.columns[column] }
    }

    /// Whether nothing is known of a column.
    pub(super) fn is_unknown(&self, column: usize) -> bool {
        column != LEARNED && self.columns[column].iter().all(|value| value.is_nan())
    }

    /// Whether the values of `compared` columns at a sample are of one time.
    pub(super) fn is_of_one_time(&self, compared: &[usize], index: usize) -> bool {
        let oldest_ms = self.at_ms[index] - COMPARED_MS;
        compared.iter().all(|column| self.reported_ms[*column][index] >= oldest_ms)
    }

    #[cfg(test)]
    pub(super) fn of_columns(at_ms: Vec<i64>, columns: Vec<Vec<f64>>) -> Self {
        Self { at_ms, columns, reported_ms: Vec::new(), learned: Vec::new() }
    }
}

/// What holds between samples: the part of a fold's state that all rules share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    /// Last report of each signal, by number: time and value.
    signals: BTreeMap<u32, (i64, f64)>,
    running_since_ms: Option<i64>,
    /// Sample before, for the length of a silence.
    running_seen_ms: i64,
    off_since_ms: Option<i64>,
    /// When the engine's speed was last known.
    engine_seen_ms: Option<i64>,
    stopped_since_ms: Option<i64>,
    /// A voltage was seen that no 12 V system has.
    is_24_v: bool,
}

/// Makes blocks for a set of inputs.
pub(super) struct BlockMaker<'a> {
    inputs: &'a [Input],
    /// Which inputs are used; the columns of others stay unknown.
    used: Vec<bool>,
    /// Signals whose times are needed, with their columns.
    compared: Vec<(SignalId, usize)>,
    signals: Vec<SignalId>,
    areas: &'a [Area],
    facts: &'a MachineFacts,
    local_time: LocalTime,
}

impl<'a> BlockMaker<'a> {
    pub(super) fn new(
        inputs: &'a [Input],
        used: Vec<bool>,
        compared: &[usize],
        areas: &'a [Area],
        facts: &'a MachineFacts,
        zone: jiff::tz::TimeZone,
    ) -> Self {
        let used_inputs = inputs.iter().zip(&used).filter(|(_, used)| **used).map(|(input, _)| input);
        let mut signals: Vec<_> = used_inputs.flat_map(Input::signals).collect();
        signals.sort_unstable();
        signals.dedup();
        let compared = compared.iter().filter_map(|column| Some((inputs[*column].compared()?, *column))).collect();
        Self { inputs, used, compared, signals, areas, facts, local_time: LocalTime::new(zone) }
    }

    /// Fills `block` with the samples `from..to` of `readings`.
    pub(super) fn fill(
        &mut self,
        readings: &Readings,
        range: std::ops::Range<usize>,
        held: &mut Held,
        block: &mut Block,
    ) {
        block.at_ms.clear();
        block.at_ms.extend_from_slice(&readings.recorded_at_ms[range.clone()]);
        block.reported_ms.resize(self.inputs.len(), Vec::new());
        for (signal, column) in &self.compared {
            let last_ms = held.signals.get(&signal.number()).map(|(at_ms, _)| *at_ms);
            let reported = readings.signal(*signal);
            let mut last_ms = last_ms.unwrap_or(i64::MIN);
            let times = range.clone().map(|index| {
                if reported.at(index).is_some() {
                    last_ms = readings.recorded_at_ms[index];
                }
                last_ms
            });
            block.reported_ms[*column].clear();
            block.reported_ms[*column].extend(times);
        }
        let dense: Vec<Vec<f64>> =
            self.signals.iter().map(|signal| self.hold(readings, *signal, range.clone(), held)).collect();
        block.columns.resize(self.inputs.len(), Vec::new());
        for (index, input) in self.inputs.iter().enumerate() {
            let mut column = std::mem::take(&mut block.columns[index]);
            column.clear();
            if self.used[index] {
                self.compute(input, &block.at_ms, &dense, held, &mut column);
            } else {
                column.resize(block.at_ms.len(), f64::NAN);
            }
            block.columns[index] = column;
        }
    }

    /// A signal with its last value carried on for as long as it is good for.
    fn hold(&self, readings: &Readings, signal: SignalId, range: std::ops::Range<usize>, held: &mut Held) -> Vec<f64> {
        let hold = hold_ms(signal);
        let mut last = held.signals.get(&signal.number()).copied();
        let reported = readings.signal(signal);
        let times = &readings.recorded_at_ms;
        let mut dense = Vec::with_capacity(range.len());
        for index in range {
            let at = times[index];
            if let Some(value) = reported.at(index) {
                last = Some((at, value));
            }
            dense.push(match last {
                Some((since, value)) if at - since <= hold => value,
                _ => f64::NAN,
            });
        }
        if let Some(last) = last {
            held.signals.insert(signal.number(), last);
        }
        dense
    }

    fn compute(&mut self, input: &Input, at_ms: &[i64], dense: &[Vec<f64>], held: &mut Held, column: &mut Vec<f64>) {
        let of = |signal: SignalId| -> &[f64] {
            let index = self.signals.binary_search(&signal).expect("signals of used inputs are held");
            &dense[index]
        };
        match input {
            Input::Signal(signal) => column.extend_from_slice(of(*signal)),
            Input::SpeedKmh => column.extend(speeds(SPEEDS.map(|(signal, factor)| (of(signal), factor)))),
            Input::StoppedS => {
                let speeds = speeds(SPEEDS.map(|(signal, factor)| (of(signal), factor)));
                column.extend(speeds.zip(at_ms).map(|(speed, at)| held.stopped_s(speed, *at)));
            }
            Input::RunningS => {
                let speeds = of(catalogue::ENGINE_SPEED_RPM);
                column.extend(speeds.iter().zip(at_ms).map(|(rpm, at)| held.running_s(*rpm, *at)));
            }
            Input::OffS => {
                let speeds = of(catalogue::ENGINE_SPEED_RPM);
                column.extend(speeds.iter().zip(at_ms).map(|(rpm, at)| held.off_s(*rpm, *at)));
            }
            Input::LocalHour => column.extend(at_ms.iter().map(|at| self.local_time.hour(*at))),
            Input::LocalMonth => column.extend(at_ms.iter().map(|at| self.local_time.month(*at))),
            Input::Weekday => column.extend(at_ms.iter().map(|at| self.local_time.weekday(*at))),
            Input::TankL => column.resize(at_ms.len(), self.facts.tank_l.unwrap_or(f64::NAN)),
            Input::SystemV => match self.facts.system_v {
                Some(volts) => column.resize(at_ms.len(), volts),
                None => column.extend(of(catalogue::BATTERY_V).iter().map(|volts| held.system_v(*volts))),
            },
            Input::Inside(area) => {
                let area = &self.areas[*area];
                let position = of(catalogue::LATITUDE_DEG).iter().zip(of(catalogue::LONGITUDE_DEG));
                column.extend(position.map(|(lat, lon)| {
                    if lat.is_nan() || lon.is_nan() { f64::NAN } else { f64::from(u8::from(area.holds(*lat, *lon))) }
                }));
            }
        }
    }
}

/// The first known of several speeds at each sample.
fn speeds<const N: usize>(columns: [(&[f64], f64); N]) -> impl Iterator<Item = f64> {
    let length = columns.first().map_or(0, |(column, _)| column.len());
    (0..length).map(move |index| {
        let known = columns.iter().map(|(column, factor)| column[index] * factor).find(|speed| !speed.is_nan());
        known.unwrap_or(f64::NAN)
    })
}

impl Held {
    fn stopped_s(&mut self, speed: f64, at: i64) -> f64 {
        if speed > MOVING_KMH {
            self.stopped_since_ms = None;
            return 0.0;
        }
        if speed.is_nan() {
            return f64::NAN;
        }
        // Between two reports of standing a machine stood, however far they are apart.
        seconds(*self.stopped_since_ms.get_or_insert(at), at)
    }

    fn running_s(&mut self, rpm: f64, at: i64) -> f64 {
        let silent_ms = at - std::mem::replace(&mut self.running_seen_ms, at);
        if rpm >= RUNNING_RPM {
            if silent_ms > SILENT_MS {
                self.running_since_ms = None;
            }
            return seconds(*self.running_since_ms.get_or_insert(at), at);
        }
        self.running_since_ms = None;
        if rpm.is_nan() { f64::NAN } else { 0.0 }
    }

    /// Controllers that sleep report nothing: an engine whose speed was known and is no more is off.
    fn off_s(&mut self, rpm: f64, at: i64) -> f64 {
        if !rpm.is_nan() {
            self.engine_seen_ms = Some(at);
        }
        if rpm >= RUNNING_RPM {
            self.off_since_ms = None;
            return 0.0;
        }
        match self.off_since_ms.or(self.engine_seen_ms) {
            None => f64::NAN,
            Some(since) => {
                self.off_since_ms = Some(since);
                seconds(since, at)
            }
        }
    }

    fn system_v(&mut self, volts: f64) -> f64 {
        self.is_24_v |= volts > ABOVE_12_V_SYSTEM;
        match (self.is_24_v, volts.is_nan()) {
            (true, _) => 24.0,
            (false, true) => f64::NAN,
            (false, false) => 12.0,
        }
    }
}

fn seconds(from_ms: i64, to_ms: i64) -> f64 {
    (to_ms - from_ms) as f64 / 1000.0
}
