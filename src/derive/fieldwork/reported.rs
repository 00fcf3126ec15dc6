//! What implements say of themselves: whether they work, and whether they unload.

use wire::{SignalId, catalogue};

use super::Rules;
use super::held::{Held, Stretches};
use crate::derive::Readings;

/// A switch that never moved tells nothing: a trailed implement leaves the hitch down on the road.
const MOVES_SHARE: f64 = 0.01;
/// Crop flow below this share of the usual is none: a feeder that turns empty.
const FLOW_SHARE: f64 = 0.1;

/// What the implement says at each sample.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    /// Whether it works; none where it does not say.
    pub works: Vec<Option<bool>>,
    /// Whether a harvester's grain goes over to a trailer.
    pub unloads: Vec<bool>,
}

impl Reported {
    pub(super) fn of(readings: &Readings, stretches: &Stretches, speed_mps: &[f64], rules: &Rules) -> Self {
        let held = |signal| stretches.held(readings, signal);
        let mut works = vec![None; readings.len()];
        // From the plainest word to the faintest; each fills what those before it left open.
        fill(&mut works, &switch(&held(catalogue::ACTUAL_WORK_STATE), readings.len()));
        fill(&mut works, &switch(&held(catalogue::HEADER_IN_WORK), readings.len()));
        fill(
            &mut works,
            &either(&held(catalogue::REAR_HITCH_IN_WORK), &held(catalogue::FRONT_HITCH_IN_WORK), readings),
        );
        fill(&mut works, &sections(&held(catalogue::CONDENSED_WORK_STATE), readings.len()));
        let moving: Vec<bool> = speed_mps.iter().map(|speed| *speed * 3.6 > rules.standing_kmh).collect();
        let height = |signal| {
            let lowered = hysteresis(&held(signal), readings.len(), rules.hitch_down_pct, rules.hitch_up_pct);
            informative(lowered, &moving)
        };
        fill(&mut works, &height(catalogue::HEADER_HEIGHT_PCT));
        fill(&mut works, &height(catalogue::REAR_HITCH_PCT));
        fill(&mut works, &height(catalogue::FRONT_HITCH_PCT));
        for signal in [catalogue::REAR_PTO_RPM, catalogue::PTO_SPEED_RPM, catalogue::FRONT_PTO_RPM] {
            let held = held(signal);
            let turning = (0..readings.len()).map(|index| held.at(index).map(|rpm| rpm > rules.pto_on_rpm)).collect();
            fill(&mut works, &informative(turning, &moving));
        }
        for signal in FLOWS {
            fill(&mut works, &flows(&held(signal), readings.len()));
        }
        let (unload, status) = (held(catalogue::UNLOAD_ACTIVE), held(catalogue::UNLOADING_STATUS));
        let unloads = (0..readings.len()).map(|index| {
            // Bit 0 of the status is the auger.
            unload.at(index).is_some_and(|on| on == 1.0) || status.at(index).is_some_and(|bits| bits as u32 & 1 == 1)
        });
        Self { unloads: unloads.collect(), works }
    }
}

/// What passes through a working implement.
const FLOWS: [SignalId; 5] = [
    catalogue::CROP_FLOW_KGPS,
    catalogue::YIELD_WET_TPHA,
    catalogue::APPLICATION_MASS_RATE_KGPHA,
    catalogue::APPLICATION_VOLUME_RATE_LPHA,
    catalogue::APPLICATION_MASS_FLOW_KGPS,
];

fn fill(works: &mut [Option<bool>], source: &[Option<bool>]) {
    works.iter_mut().zip(source).for_each(|(works, source)| *works = works.or(*source));
}

/// 0 no, 1 yes, all else is no statement.
fn switch(held: &Held, samples: usize) -> Vec<Option<bool>> {
    if !held.is_known() {
        return Vec::new();
    }
    let says = |value: f64| {
        if value == 1.0 {
            Some(true)
        } else if value == 0.0 {
            Some(false)
        } else {
            None
        }
    };
    (0..samples).map(|index| held.at(index).and_then(says)).collect()
}

fn either(one: &Held, other: &Held, readings: &Readings) -> Vec<Option<bool>> {
    let (one, other) = (switch(one, readings.len()), switch(other, readings.len()));
    let at = |source: &[Option<bool>], index: usize| source.get(index).copied().flatten();
    let both = (0..one.len().max(other.len())).map(|index| match (at(&one, index), at(&other, index)) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    });
    both.collect()
}

/// Two bits a section: 00 off, 01 on. Sections that are not there say 11.
fn sections(held: &Held, samples: usize) -> Vec<Option<bool>> {
    if !held.is_known() {
        return Vec::new();
    }
    let any_on = |value: f64| {
        let bits = value as i64;
        let states = (0..16).map(|section| bits >> (2 * section) & 3);
        let known: Vec<i64> = states.filter(|state| *state < 2).collect();
        (!known.is_empty()).then(|| known.contains(&1))
    };
    (0..samples).map(|index| held.at(index).and_then(any_on)).collect()
}

/// Whether something is down: below `down` it is, above `up` it is not, between it is what it was.
fn hysteresis(held: &Held, samples: usize, down: f64, up: f64) -> Vec<Option<bool>> {
    let mut is_down = None;
    let next = |index: usize| {
        is_down = match held.at(index) {
            None => None,
            Some(value) if value < down => Some(true),
            Some(value) if value > up => Some(false),
            Some(_) => is_down,
        };
        is_down
    };
    if held.is_known() { (0..samples).map(next).collect() } else { Vec::new() }
}

/// A statement that is the same all day long, moving, is no statement.
fn informative(says: Vec<Option<bool>>, moving: &[bool]) -> Vec<Option<bool>> {
    let of = |wanted| says.iter().zip(moving).filter(|(says, moving)| **moving && **says == Some(wanted)).count();
    let (yes, no) = (of(true), of(false));
    let least = ((yes + no) as f64 * MOVES_SHARE).max(1.0) as usize;
    if yes >= least && no >= least { says } else { Vec::new() }
}

/// Flow means work. No flow means none only where flow was reported as such.
fn flows(held: &Held, samples: usize) -> Vec<Option<bool>> {
    let mut positive: Vec<f64> = (0..samples).filter_map(|index| held.at(index)).filter(|flow| *flow > 0.0).collect();
    if positive.is_empty() {
        return Vec::new();
    }
    let middle = positive.len() / 2;
    let usual = *positive.select_nth_unstable_by(middle, f64::total_cmp).1;
    (0..samples).map(|index| held.at(index).map(|flow| flow > usual * FLOW_SHARE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of one second, moving; `values` as reported.
    fn check(signal: SignalId, values: &[f64], expected: &str) {
        let mut readings = Readings::default();
        for (second, value) in values.iter().enumerate() {
            let index = readings.push(second as i64 * 1000, 1, second as i64);
            readings.set(index, signal, *value);
        }
        readings.sort();
        let stretches = Stretches::of(&readings, i64::MAX, &[]);
        let reported = Reported::of(&readings, &stretches, &vec![3.0; values.len()], &Rules::default());
        let text = reported.works.iter().map(|works| match works {
            Some(true) => 'w',
            Some(false) => '-',
            None => '?',
        });
        assert_eq!(text.collect::<String>(), expected);
    }

    #[test]
    fn a_work_state_says_yes_or_no_or_nothing() {
        check(catalogue::ACTUAL_WORK_STATE, &[0.0, 1.0, 2.0, 3.0], "-w??");
        check(catalogue::REAR_HITCH_IN_WORK, &[0.0, 1.0], "-w");
    }

    #[test]
    fn a_hitch_that_moves_tells_work_with_a_dead_band() {
        check(catalogue::REAR_HITCH_PCT, &[100.0, 40.0, 20.0, 40.0, 60.0], "--ww-");
    }

    #[test]
    fn a_hitch_that_never_moves_tells_nothing() {
        check(catalogue::REAR_HITCH_PCT, &[0.0; 5], "?????");
        check(catalogue::REAR_PTO_RPM, &[0.0; 5], "?????");
        check(catalogue::REAR_PTO_RPM, &[0.0, 540.0, 1000.0], "-ww");
    }

    #[test]
    fn one_section_on_is_work() {
        let sections = |states: [i64; 4]| states.iter().rev().fold(0xff_ffff, |bits, state| bits << 2 | state) as f64;
        check(
            catalogue::CONDENSED_WORK_STATE,
            &[sections([0, 0, 0, 0]), sections([0, 0, 1, 0]), sections([3, 3, 3, 3])],
            "-w?",
        );
    }

    #[test]
    fn crop_that_flows_is_work() {
        check(catalogue::CROP_FLOW_KGPS, &[0.0, 8.0, 9.0, 0.2, 10.0], "-ww-w");
    }
}
