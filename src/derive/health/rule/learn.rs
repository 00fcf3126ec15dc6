//! What is usual for this very machine: a median that follows slowly, in classes of another signal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::block::Block;
use super::expression::Expression;

/// Most classes; a value beyond the last is learned with it.
const MAX_CLASSES: i32 = 64;
/// A class is believed after it was observed for so long; where what is higher is right, after the shorter time.
const BELIEVED_AFTER_MS: i64 = 600_000;
const HIGHER_BELIEVED_AFTER_MS: i64 = 60_000;
/// Time between samples that counts for learning: what lies further apart was not observed.
const OBSERVED_MS: i64 = 120_000;
/// In the time a rule sets, what is learned can move by this share of itself: far slower than anything breaks.
const MOVES: f64 = 0.1;

/// How to learn: `by` puts samples into classes of the width `step`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learn {
    pub(super) over_ms: f64,
    pub(super) by: Option<(Expression, f64)>,
    /// After a break of this length it is learned anew: somebody may have set the machine otherwise.
    pub(super) anew_after_ms: Option<i64>,
    /// Higher values are followed within this time, and at once believed: a belt can slip, but it cannot turn a shaft
    /// faster than it is set to. So trouble that begins with the learning is no part of what is usual.
    pub(super) rises_over_ms: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    last_ms: Option<i64>,
    classes: BTreeMap<i32, Class>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Class {
    observed_ms: i64,
    value: f64,
}

impl Learn {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        if let Some((by, _)) = &self.by {
            by.columns(columns);
        }
    }

    /// What was learned before each sample. Learning goes on only where the rule applies.
    pub(super) fn run(
        &self,
        block: &Block,
        values: &[f64],
        when: Option<&[f64]>,
        compared: &[usize],
        state: &mut Learned,
    ) -> Vec<f64> {
        let believed_after_ms = if self.rises_over_ms.is_some() { HIGHER_BELIEVED_AFTER_MS } else { BELIEVED_AFTER_MS };
        let by = self.by.as_ref().map(|(by, step)| (by.evaluate(block), *step));
        let mut learned = vec![f64::NAN; values.len()];
        for (index, &value) in values.iter().enumerate() {
            let at_ms = block.at_ms[index];
            let applies = when.is_none_or(|when| when[index] == 1.0)
                && !value.is_nan()
                // A value of another time belongs to the class of that time.
                && block.is_of_one_time(compared, index);
            let class = match &by {
                None => Some(0),
                Some((by, step)) => class_of(by[index], *step),
            };
            let (true, Some(class)) = (applies, class) else { continue };
            if let (Some(anew_after_ms), Some(last_ms)) = (self.anew_after_ms, state.last_ms)
                && at_ms - last_ms > anew_after_ms
            {
                state.classes.clear();
            }
            let observed_ms = state.last_ms.map_or(0, |last| (at_ms - last).clamp(0, OBSERVED_MS));
            state.last_ms = Some(at_ms);
            let class = state.classes.entry(class).or_default();
            let is_believed = class.observed_ms >= believed_after_ms;
            if is_believed {
                learned[index] = class.value;
            }
            if let Some(rises_over_ms) = self.rises_over_ms.filter(|_| class.observed_ms > 0 && value > class.value) {
                class.observed_ms = class.observed_ms.saturating_add(observed_ms);
                class.value += (value - class.value) * (observed_ms as f64 / rises_over_ms).min(1.0);
            } else if is_believed {
                let step = class.value.abs() * MOVES * observed_ms as f64 / self.over_ms;
                class.value += (value - class.value).clamp(-step, step);
            } else {
                // At first the mean, weighted by time.
                class.observed_ms += observed_ms;
                let weight = if class.observed_ms == 0 { 1.0 } else { observed_ms as f64 / class.observed_ms as f64 };
                class.value += (value - class.value) * weight;
            }
        }
        learned
    }
}

fn class_of(value: f64, step: f64) -> Option<i32> {
    // The cast saturates, and the bound follows.
    (!value.is_nan()).then(|| ((value / step).floor() as i32).clamp(-MAX_CLASSES / 2, MAX_CLASSES / 2 - 1))
}
