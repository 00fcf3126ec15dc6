//! Counting what happens to signals over a whole recording, to be told once at the end.

use std::collections::BTreeMap;

use wire::SignalId;

use super::super::read::{At, Problem, Problems};
use super::Defect;

/// Signals counted; a recording names at most the 255 columns of each log or the parameters of the table.
const MAX_SIGNALS: usize = 4096;

/// Values by signal: how often, and where first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<SignalId, (At, u64, f64)>,
}

impl Tally {
    /// Counts a value of a signal.
    pub(super) fn add(&mut self, at: At, signal: SignalId, value: f64) {
        if let Some((_, count, _)) = self.counts.get_mut(&signal) {
            *count += 1;
        } else if self.counts.len() < MAX_SIGNALS {
            self.counts.insert(signal, (at, 1, value));
        }
    }

    /// One problem for each signal, ordered by signal. `defect` gets the signal and its first value.
    pub(super) fn into_problems(self, file: &str, defect: impl Fn(SignalId, f64) -> Defect) -> Vec<Problem<Defect>> {
        let told = self.counts.into_iter().map(|(signal, (at, count, example))| Problem {
            file: file.into(),
            at,
            defect: defect(signal, example),
            count,
            unlisted: 0,
        });
        told.collect()
    }
}

/// The defect for values outside the valid range of a catalogued signal.
pub(super) fn outside_range(signal: SignalId, example: f64) -> Defect {
    Defect::OutsideRange { signal: signal.to_string(), example: format!("{example}") }
}

/// The defect for a signal that the catalogue does not name and whose device gives no words.
pub(super) fn uncatalogued(signal: SignalId, _: f64) -> Defect {
    let code = match (signal.ddi(), signal.spn()) {
        (Some(ddi), _) => format!("DDI {ddi:04X}"),
        (_, Some(spn)) => format!("SPN {spn}"),
        _ => signal.to_string(),
    };
    Defect::Uncatalogued { code, name: None, unit: None }
}

/// The problems of a reader as problems of a recording.
pub(super) fn widen<D: Into<Defect>>(problems: Vec<Problem<D>>) -> impl Iterator<Item = Problem<Defect>> {
    problems.into_iter().map(|problem| problem.map(Into::into))
}

/// A list with one problem.
pub(super) fn one(file: &str, at: At, defect: Defect) -> Vec<Problem<Defect>> {
    let mut problems = Problems::new(file);
    problems.push(at, defect);
    problems.into_vec()
}
