//! Values between reports. A unit or a task controller reports what changed; what it does not report again holds, for
//! as long as that kind of value can be trusted to.

use wire::{Behaviour, SignalId, catalogue};

use crate::derive::Readings;

/// What moves freely is believed for this long: units report it at least once a minute while the engine runs.
const GAUGE_HOLDS_MS: i64 = 120_000;

/// The samples of a working day cut into stretches within which values hold: a restarted unit reports everything anew.
#[derive(Debug, Clone)]
pub(super) struct Stretches {
    starts: Vec<usize>,
    carried: Vec<(SignalId, f64)>,
}

impl Stretches {
    /// A stretch begins with the first sample of a boot, and where nothing was heard for `silent_ms`. `carried` holds
    /// what was known when the day began.
    pub(super) fn of(readings: &Readings, silent_ms: i64, carried: &[(SignalId, f64)]) -> Self {
        let mut boots: Vec<i64> = Vec::new();
        let mut starts = Vec::new();
        for (index, &(boot, _)) in readings.identity.iter().enumerate() {
            let is_new = boots.last() != Some(&boot) && !boots.contains(&boot);
            if is_new {
                boots.push(boot);
            }
            let at = &readings.recorded_at_ms;
            if index == 0 || is_new || at[index] - at[index - 1] > silent_ms {
                starts.push(index);
            }
        }
        Self { starts, carried: carried.to_vec() }
    }

    /// A signal with its values held; see [`Held`].
    pub(super) fn held(&self, readings: &Readings, signal: SignalId) -> Held {
        let reported = readings.signal(signal);
        if !reported.is_reported() && self.carried.iter().all(|(id, _)| *id != signal) {
            return Held(Vec::new());
        }
        let is_gauge = catalogue::find(signal).is_none_or(|row| row.behaviour == Behaviour::Gauge);
        // Widths and moistures are gauges by nature, but logs state them once for a whole day.
        let is_setting = SETTINGS.contains(&signal);
        let holds_ms = if is_gauge && !is_setting { GAUGE_HOLDS_MS } else { i64::MAX };
        let at = &readings.recorded_at_ms;
        let carried = self.carried.iter().find(|(id, _)| *id == signal).map(|(_, value)| *value);
        let mut last = carried.map(|value| (at.first().copied().unwrap_or(0), value));
        let mut starts = self.starts.iter().skip(1).copied().peekable();
        let mut values = Vec::with_capacity(at.len());
        for (index, &now) in at.iter().enumerate() {
            if starts.next_if_eq(&index).is_some() {
                last = None;
            }
            if let Some(value) = reported.at(index) {
                last = Some((now, value));
            }
            values.push(last.filter(|(since, _)| now - since <= holds_ms).map_or(f64::NAN, |(_, value)| value));
        }
        Held(values)
    }
}

/// Signals whose value may hold from before the day began.
pub const CARRIED: [SignalId; 14] = [
    catalogue::ACTUAL_WORK_STATE,
    catalogue::HEADER_IN_WORK,
    catalogue::REAR_HITCH_IN_WORK,
    catalogue::FRONT_HITCH_IN_WORK,
    catalogue::CONDENSED_WORK_STATE,
    catalogue::ACTUAL_WORKING_WIDTH_M,
    catalogue::MAX_WORKING_WIDTH_M,
    catalogue::CROP_MOISTURE_PCT,
    catalogue::REFERENCE_MOISTURE_PCT,
    catalogue::YIELD_HOLD,
    catalogue::YIELD_LAG_IGNORE_S,
    catalogue::YIELD_LEAD_IGNORE_S,
    catalogue::GNSS_FIX,
    catalogue::UNLOAD_ACTIVE,
];

const SETTINGS: [SignalId; 9] = [
    catalogue::ACTUAL_WORKING_WIDTH_M,
    catalogue::MAX_WORKING_WIDTH_M,
    catalogue::CROP_MOISTURE_PCT,
    catalogue::AVERAGE_MOISTURE_PCT,
    catalogue::DEVICE_OFFSET_X_M,
    catalogue::DEVICE_OFFSET_Y_M,
    catalogue::YIELD_LAG_IGNORE_S,
    catalogue::YIELD_LEAD_IGNORE_S,
    catalogue::REFERENCE_MOISTURE_PCT,
];

/// A signal at each sample: what was last reported while that can be trusted, NaN otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Vec<f64>);

impl Held {
    /// The value at a sample.
    #[inline]
    pub(super) fn at(&self, index: usize) -> Option<f64> {
        self.0.get(index).copied().filter(|value| !value.is_nan())
    }

    /// Whether it ever has a value.
    pub(super) fn is_known(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::catalogue::{ACTUAL_WORK_STATE, ACTUAL_WORKING_WIDTH_M, CROP_FLOW_KGPS};

    fn check(signal: SignalId, reports: &[(i64, i64, Option<f64>)], carried: &[(SignalId, f64)], expected: &str) {
        let mut readings = Readings::default();
        for (sequence, (second, boot, value)) in reports.iter().enumerate() {
            let index = readings.push(second * 1000, *boot, sequence as i64);
            if let Some(value) = value {
                readings.set(index, signal, *value);
            }
        }
        readings.sort();
        let held = Stretches::of(&readings, 3_600_000, carried).held(&readings, signal);
        let text: Vec<_> =
            (0..readings.len()).map(|n| held.at(n).map_or("-".into(), |value| value.to_string())).collect();
        assert_eq!(text.join(" "), expected);
    }

    #[test]
    fn a_state_holds_until_it_changes_a_flow_for_two_minutes() {
        let reports = [(0, 1, None), (1, 1, Some(1.0)), (100, 1, None), (500, 1, None), (501, 1, Some(0.0))];
        check(ACTUAL_WORK_STATE, &reports, &[], "- 1 1 1 0");
        check(CROP_FLOW_KGPS, &reports, &[], "- 1 1 - 0");
    }

    #[test]
    fn a_width_told_once_holds_and_a_restarted_unit_tells_everything_anew() {
        let reports = [(0, 1, Some(9.0)), (3000, 1, None), (3001, 2, None), (3002, 1, None), (9000, 1, None)];
        check(ACTUAL_WORKING_WIDTH_M, &reports, &[], "9 9 - - -");
    }

    #[test]
    fn what_was_known_when_the_day_began_holds_at_first() {
        check(ACTUAL_WORKING_WIDTH_M, &[(0, 1, None), (1, 1, Some(4.0))], &[(ACTUAL_WORKING_WIDTH_M, 9.0)], "9 4");
    }
}
