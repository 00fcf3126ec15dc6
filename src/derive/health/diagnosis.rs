//! Everything around a fault that a workshop wants to know, and the same as text for its order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde::Serialize;
use wire::{Sample, SignalId, catalogue};

use super::fault::{Explanation, Fault, FaultKey, Known, Life};
use super::message::{Whose, local, short};
use super::text::{Language, Text};

/// Signals shown in a workshop order; the rest stands in the freeze frame.
const SIGNALS_IN_ORDER: usize = 24;
/// Below this an engine does not run, rpm.
const RUNNING_RPM: f64 = 300.0;
/// Above this a machine moves, km/h.
const MOVING_KMH: f64 = 0.5;
/// A value is of the moment when it is not older than this.
const FRESH_MS: i64 = 120_000;

/// What a machine was doing, as far as its signals at that moment tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Nothing is known.
    Unknown,
    /// The engine was off.
    Off,
    /// It stood with its engine running.
    Idle,
    /// It moved.
    Moving,
    /// It worked: implement or header in work, or the power take-off engaged.
    Working,
}

/// A signal around a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Around {
    /// Its name.
    pub signal: String,
    /// Its unit; empty: none.
    pub unit: &'static str,
    /// The last value before or at the moment, where it was fresh.
    pub at_moment: Option<f64>,
    /// Least of the window.
    pub min: f64,
    /// Greatest of the window.
    pub max: f64,
}

/// What is known of a fault on a machine.
#[derive(Debug, Clone)]
pub struct Diagnosis<'a> {
    /// Whose.
    pub whose: Whose<'a>,
    /// Which.
    pub key: FaultKey,
    /// In words.
    pub words: &'a Explanation,
    /// Who reports it.
    pub controller: &'a Text,
    /// What is known of its life.
    pub fault: &'a Fault,
    /// That in one word.
    pub life: Life,
    /// Engine hours when it began, where they are known.
    pub hours_at_onset: Option<f64>,
    /// When the pinned window begins to matter: the beginning of the latest activation.
    pub at_ms: i64,
    /// Signals around that moment.
    pub around: &'a [Around],
    /// What the machine was doing.
    pub doing: Doing,
    /// Where it was, latitude and longitude.
    pub position: Option<(f64, f64)>,
    /// Other trouble at that time: titles with their times.
    pub others: &'a [(String, i64)],
    /// On how many other machines of the model the code is known, and how many there are.
    pub elsewhere: (i64, i64),
}

/// Every signal of a window, by number.
pub fn around(samples: &[Sample], at_ms: i64) -> Vec<Around> {
    let mut signals: BTreeMap<SignalId, Around> = BTreeMap::new();
    for sample in samples {
        for (id, raw) in &sample.values {
            let value = id.physical(*raw);
            let entry = signals.entry(*id).or_insert_with(|| Around {
                signal: id.to_string(),
                unit: unit(*id),
                at_moment: None,
                min: value,
                max: value,
            });
            (entry.min, entry.max) = (entry.min.min(value), entry.max.max(value));
            if (at_ms - FRESH_MS..=at_ms).contains(&sample.recorded_at_ms) {
                entry.at_moment = Some(value);
            }
        }
    }
    signals.into_values().collect()
}

fn unit(signal: SignalId) -> &'static str {
    match catalogue::find(signal).map(|row| row.unit) {
        None | Some("enum" | "switch" | "count" | "1") => "",
        Some(unit) => unit,
    }
}

/// What the machine was doing at a moment.
pub fn doing(around: &[Around]) -> Doing {
    let at = |signal| at_moment(around, signal);
    let speed = [
        at(catalogue::WHEEL_SPEED_KMH),
        at(catalogue::WHEEL_BASED_SPEED_MPS).map(|speed| speed * 3.6),
        at(catalogue::GROUND_SPEED_KMH),
    ];
    let speed = speed.into_iter().flatten().next();
    let works = at(catalogue::ACTUAL_WORK_STATE) == Some(1.0)
        || at(catalogue::HEADER_IN_WORK) == Some(1.0)
        || at(catalogue::REAR_HITCH_IN_WORK) == Some(1.0)
        || at(catalogue::REAR_PTO_RPM).is_some_and(|rpm| rpm > 400.0);
    match (at(catalogue::ENGINE_SPEED_RPM), speed) {
        (Some(rpm), _) if rpm < RUNNING_RPM => Doing::Off,
        (None, None) => Doing::Unknown,
        _ if works => Doing::Working,
        (_, Some(speed)) if speed > MOVING_KMH => Doing::Moving,
        (Some(_), _) => Doing::Idle,
        (None, Some(_)) => Doing::Unknown,
    }
}

/// Where the machine was at a moment.
pub fn position(around: &[Around]) -> Option<(f64, f64)> {
    Some((at_moment(around, catalogue::LATITUDE_DEG)?, at_moment(around, catalogue::LONGITUDE_DEG)?))
}

fn at_moment(around: &[Around], signal: SignalId) -> Option<f64> {
    let name = signal.to_string();
    around.iter().find(|around| around.signal == name).and_then(|around| around.at_moment)
}

impl Doing {
    fn word(self, language: Language) -> &'static str {
        match self {
            Self::Unknown => language.text("doing.unknown"),
            Self::Off => language.text("doing.off"),
            Self::Idle => language.text("doing.idle"),
            Self::Moving => language.text("doing.moving"),
            Self::Working => language.text("doing.working"),
        }
    }
}

impl Life {
    /// A word for it.
    pub fn word(self, language: Language) -> &'static str {
        match self {
            Self::New => language.text("life.new"),
            Self::Active => language.text("life.active"),
            Self::Returned => language.text("life.returned"),
            Self::PreviouslyActive => language.text("life.previously_active"),
            Self::Closed => language.text("life.closed"),
        }
    }
}

impl Diagnosis<'_> {
    /// Plain text to copy into a workshop order; times are of `zone`.
    pub fn text(&self, language: Language, zone: &TimeZone) -> String {
        let (code, fault) = (self.key.code(), self.fault);
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            if !value.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{name}: {value}");
            }
        };
        let whose = [Some(self.whose.serial), self.whose.name, self.whose.model];
        line(language.text("alert.machine"), whose.into_iter().flatten().collect::<Vec<_>>().join(", "));
        line(language.text("alert.what"), self.words.title.get(language).to_owned());
        let number = format!("SPN {} FMI {} ({})", code.spn, code.fmi, self.words.failure_mode.get(language));
        line(language.text("order.code"), number);
        if matches!(self.words.known, Known::Standard) {
            line(language.text("order.text"), language.text("order.no_text").to_owned());
        }
        line(
            language.text("order.controller"),
            format!("{} (SA {})", self.controller.get(language), self.key.source_address),
        );
        line(language.text("alert.severity"), self.words.severity.word(language).to_owned());
        line(language.text("order.state"), self.life.word(language).to_owned());
        let times = (fault.activations + fault.unseen_activations).to_string();
        let count = fault.occurrence_count.map(|count| format!(", OC {count}")).unwrap_or_default();
        line(language.text("order.times"), times + &count);
        line(language.text("order.first_seen"), local(fault.first_seen_ms, zone));
        line(language.text("alert.began"), local(self.at_ms, zone));
        line(language.text("alert.ended"), fault.gone_at_ms.map(|at| local(at, zone)).unwrap_or_default());
        let hours = self.hours_at_onset.map(|hours| language.number(hours, 1)).unwrap_or_default();
        line(language.text("order.hours"), hours);
        line(language.text("order.doing"), self.doing.word(language).to_owned());
        let place = self.position.map(|(lat, lon)| format!("{lat:.5}, {lon:.5}")).unwrap_or_default();
        line(language.text("order.place"), place);
        let others = self.others.iter().map(|(title, at_ms)| format!("{title} ({})", local(*at_ms, zone)));
        line(language.text("order.others"), others.collect::<Vec<_>>().join("; "));
        let (machines, of) = self.elsewhere;
        let elsewhere = if of > 0 { format!("{machines} / {of}") } else { String::new() };
        line(language.text("order.elsewhere"), elsewhere);
        line(language.text("order.causes"), self.words.causes.get(language).join("; "));
        line(language.text("order.checks"), self.words.checks.get(language).join("; "));
        if !self.around.is_empty() {
            line(language.text("order.signals"), language.text("order.columns").to_owned());
            for around in self.around.iter().take(SIGNALS_IN_ORDER) {
                let value = around.at_moment.map_or("-".into(), short);
                let _ = writeln!(
                    text,
                    "  {} {value} {} ({}..{})",
                    around.signal,
                    around.unit,
                    short(around.min),
                    short(around.max)
                );
            }
        }
        text
    }
}
