//! Examples in rule files: what a rule has to find, and what it has to leave alone. They are its tests, and they tell
//! a reader more than its thresholds do.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::SignalId;

use super::super::super::Readings;
use super::super::episode::Subject;
use super::block::MachineFacts;
use super::fold::{Ended, RuleFold};
use super::{Rule, RuleFoldState, RuleSet};

/// Most samples of an example.
const MAX_SAMPLES: usize = 200_000;
/// Seconds between samples unless an example says otherwise.
const EVERY_S: f64 = 5.0;

/// A run of samples in steps, and how many episodes the rule has to find in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    opens: usize,
    /// Seconds from the beginning to where the first episode opens.
    onset_s: Option<f64>,
    /// Local time of the first sample.
    starts: Option<String>,
    every_s: Option<f64>,
    /// Fuel tank of the machine, L; left out: not known.
    tank_l: Option<f64>,
    steps: Vec<Step>,
}

/// A time with values that stay, `signal = 90`, or change evenly, `signal = [90, 104]`. A step without values is a
/// time without samples.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Step {
    for_s: f64,
    #[serde(flatten)]
    values: BTreeMap<String, Course>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
enum Course {
    Level(f64),
    Line([f64; 2]),
}

/// An example that did not turn out as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The file of the rule.
    pub file: String,
    /// The rule.
    pub rule: String,
    /// Which of its examples, from 1.
    pub example: usize,
    /// What was expected and what came.
    pub message: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: rule {:?}: example {}: {}", self.file, self.rule, self.example, self.message)
    }
}

impl RuleSet {
    /// Runs every example of every rule; local times are of `zone`.
    pub fn run_examples(&self, zone: &TimeZone) -> Vec<Failure> {
        let mut failures = Vec::new();
        for rule in self.rules() {
            for (index, example) in rule.examples.iter().enumerate() {
                if let Err(message) = example.run(self, rule, zone) {
                    let (file, rule) = (rule.file.clone(), rule.id.clone());
                    failures.push(Failure { file, rule, example: index + 1, message });
                }
            }
        }
        failures
    }
}

impl Example {
    fn run(&self, set: &RuleSet, rule: &Rule, zone: &TimeZone) -> Result<(), String> {
        let (readings, start_ms, end_ms) = self.readings(zone)?;
        let model = rule.models.first().map(|pattern| pattern.replace('*', "x"));
        let facts = MachineFacts { model, tank_l: self.tank_l, ..MachineFacts::default() };
        let mut fold = RuleFold::with(set, vec![rule], Vec::new(), &facts, zone, RuleFoldState::default());
        let mut ended = Ended::default();
        fold.push(&readings, 0..readings.len(), &mut ended);
        let mut episodes = ended.episodes;
        episodes.extend(fold.open(end_ms));
        debug_assert!(episodes.iter().all(|episode| episode.subject == Subject::Rule(rule.id.clone())));
        let onset_s = |at_ms: i64| (at_ms - start_ms) as f64 / 1000.0;
        if episodes.len() != self.opens {
            let found: Vec<_> =
                episodes.iter().map(|episode| format!("at {} s", onset_s(episode.opened_at_ms))).collect();
            let found = if found.is_empty() { "none".into() } else { found.join(", ") };
            return Err(format!("opens = {}, but the rule opens {}: {found}", self.opens, episodes.len()));
        }
        let first_s = episodes.iter().map(|episode| onset_s(episode.opened_at_ms)).min_by(f64::total_cmp);
        match (self.onset_s, first_s) {
            (Some(expected), Some(first_s)) if expected != first_s => {
                Err(format!("onset_s = {expected}, but the first episode opens at {first_s} s"))
            }
            _ => Ok(()),
        }
    }

    /// The samples, and when they begin and end.
    fn readings(&self, zone: &TimeZone) -> Result<(Readings, i64, i64), String> {
        let starts = self.starts.as_deref().unwrap_or("2026-08-20T10:00:00");
        let starts: DateTime =
            starts.parse().map_err(|_| format!("starts: {starts:?} is no local time; write 2026-08-20T10:00:00"))?;
        let start_ms = zone.to_zoned(starts).map_err(|error| format!("starts: {error}"))?.timestamp().as_millisecond();
        let every_ms = (self.every_s.unwrap_or(EVERY_S) * 1000.0) as i64;
        if every_ms < 1 {
            return Err("every_s: is below 0.001".into());
        }
        let mut readings = Readings::default();
        let mut step_ms = start_ms;
        for step in &self.steps {
            let length_ms = (step.for_s * 1000.0) as i64;
            if length_ms / every_ms > (MAX_SAMPLES - readings.len()) as i64 {
                return Err(format!("has more than {MAX_SAMPLES} samples; shorten it or raise every_s"));
            }
            let mut at_ms = step_ms;
            while at_ms < step_ms + length_ms && !step.values.is_empty() {
                let index = readings.push(at_ms, 1, readings.len() as i64);
                let share = (at_ms - step_ms) as f64 / length_ms as f64;
                for (name, course) in &step.values {
                    let signal = SignalId::by_name(name).ok_or_else(|| format!("{name:?} is no signal"))?;
                    let value = match course {
                        Course::Level(value) => *value,
                        Course::Line([from, to]) => from + (to - from) * share,
                    };
                    readings.set(index, signal, value);
                }
                at_ms += every_ms;
            }
            step_ms += length_ms;
        }
        readings.sort();
        Ok((readings, start_ms, step_ms))
    }
}
