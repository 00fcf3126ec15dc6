//! A working day made ready: every signal that sessions are built from, by sample.

use std::collections::BTreeMap;

use wire::catalogue;

use super::activity::{self, Sight};
use super::fuel::FuelSources;
use super::ground::{Ground, InFields, OwnGrounds};
use super::group::{Group, Joining, Run, runs, tell_turns};
use super::harvest::Crop;
use super::held::{Held, Stretches};
use super::pattern::{Pattern, median};
use super::quality::Quality;
use super::reported::Reported;
use super::swath::LOST_S;
use super::told::{self, Task};
use super::track::Track;
use super::{Evidence, Machine, Operation, Rules, Source, State, Work, load, unplaced};
use crate::derive::Readings;
use crate::derive::geometry::Point;

/// Share of moving samples that may lack a statement of the implement before the track is asked.
const SILENT_SHARE: f64 = 0.05;
/// Share of a leg between its first and last pull in which the engine must pull.
const PULL_SHARE: f64 = 0.5;
/// Moisture above which a crop is green, %: no grain is.
const GREEN_PCT: f64 = 40.0;

/// A working day made ready.
pub(super) struct Day<'a> {
    pub work: &'a Work<'a>,
    pub rules: &'a Rules,
    pub stretches: Stretches,
    pub track: Track,
    /// What each sample stands for, s.
    pub seconds: Vec<f64>,
    /// Way from each sample to the next, m, by positions.
    pub way_m: Vec<f64>,
    pub states: Vec<State>,
    /// What told work from the rest at each sample.
    pub evidence: Vec<Evidence>,
    pub unloads: Vec<bool>,
    /// Whether any implement says whether it works.
    pub implement_speaks: bool,
    pub in_fields: InFields,
    pub groups: Vec<Group>,
    pub tasks: Vec<Task<'a>>,
    pub fuel: FuelSources,
    pub crop: Option<Crop>,
    pub inferred_operation: Option<Operation>,
    pub quality: Quality,
    /// Working width at each sample, m, and who says so.
    widths: Vec<(Option<f64>, Source)>,
}

impl<'a> Day<'a> {
    pub(super) fn prepare(work: &'a Work<'a>, rules: &'a Rules) -> Self {
        let readings = work.readings;
        let at = &readings.recorded_at_ms;
        let stretches = Stretches::of(readings, (rules.silent_max_s * 1000.0) as i64, work.carried);
        let track = Track::of(readings, &stretches);
        let in_fields = InFields::of(&track, work.fields, rules);
        let reported = Reported::of(readings, &stretches, &track.speed_mps, rules);
        let engine = Engine::of(readings, &stretches, rules);
        let width = stretches.held(readings, catalogue::ACTUAL_WORKING_WIDTH_M);
        let widest_m = widest(readings, &width, work.machine);
        let max_width = stretches.held(readings, catalogue::MAX_WORKING_WIDTH_M);
        let width_is_told = !widest_m.is_empty() || max_width.is_known() || work.machine.width_m.is_some();
        let (works, evidence, spacing_m) =
            work_evidence(readings, &stretches, &track, &in_fields, &reported, width_is_told, rules);
        let standing_kmh = if track.has_speed { rules.standing_kmh } else { 2.0 * rules.standing_kmh };
        let sights: Vec<Sight> = (0..readings.len())
            .map(|index| {
                let speed_kmh = track.speed_mps[index] * 3.6;
                Sight {
                    is_off: engine.is_off(index),
                    // An unknown speed is no standing: work may be reported without positions.
                    stands: speed_kmh < standing_kmh,
                    // An unknown speed is not that of a road either.
                    works: works[index] && (speed_kmh.is_nan() || speed_kmh <= rules.road_kmh),
                    unloads: reported.unloads[index],
                }
            })
            .collect();
        let mut states = activity::states(at, &sights, rules);
        let seconds = seconds(readings, &states, rules);
        let crop = Crop::of(readings, &stretches, &seconds);
        let inferred_operation = crop.as_ref().map(|crop| {
            let moisture = median((0..readings.len()).filter_map(|index| crop.moisture_pct(index)));
            if moisture > Some(GREEN_PCT) { Operation::ForageHarvest } else { Operation::GrainHarvest }
        });
        let tasks = told::tasks(work.tasks, at.last().copied().unwrap_or(0));
        let ends_before = ends_before(readings, &track);
        let run_samples = runs(at, &states, &ends_before, rules);
        let on_field = in_fields.of_runs(&run_samples, at, &track, work.fields, rules);
        let outside = run_samples.iter().zip(&on_field).filter(|(_, field)| field.is_none());
        let own = OwnGrounds::of(outside.map(|(run, _)| &track.places[run.clone()]), rules.neighbour_m);
        let of_run = |(samples, field): (&std::ops::RangeInclusive<usize>, &Option<_>)| {
            let place = || track.places[samples.clone()].iter().copied().find(|place| !place.x.is_nan());
            let ground = match field {
                Some(field) => Ground::Field(*field),
                None => Ground::Own(place().and_then(|place| own.at(place)).unwrap_or(u32::MAX)),
            };
            let (operation, _) = told::operation_at(&tasks, work.machine, inferred_operation, at[*samples.start()]);
            Run { samples: samples.clone(), ground, operation }
        };
        let runs: Vec<Run> = run_samples.iter().zip(&on_field).map(of_run).collect();
        let joining = Joining {
            at_ms: at,
            states: &states,
            has_engine: engine.is_known(),
            track: &track,
            in_fields: &in_fields,
            own: &own,
            rules,
        };
        let groups = joining.groups(&runs);
        let turns: Vec<_> = groups.iter().flat_map(|group| tell_turns(&joining, group)).collect();
        turns.into_iter().for_each(|turn| states[turn].fill(State::Turning));
        let moves = |index: usize| !matches!(states[index], State::Off | State::Idle);
        let moving_s: Vec<f64> =
            (0..readings.len()).map(|index| if moves(index) { seconds[index] } else { 0.0 }).collect();
        Self {
            fuel: FuelSources::of(readings, &stretches, &seconds, &moving_s, work.machine),
            quality: Quality::of(readings, &stretches),
            widths: Widths { width, max_width, widest_m, spacing_m, machine: work.machine }.of(at),
            way_m: ways(at, &track, rules),
            unloads: reported.unloads,
            implement_speaks: reported.works.iter().any(Option::is_some),
            work,
            rules,
            stretches,
            track,
            seconds,
            states,
            evidence,
            in_fields,
            groups,
            tasks,
            crop,
            inferred_operation,
        }
    }

    /// Working width at a sample, and who says so.
    pub(super) fn width_at(&self, index: usize) -> (Option<f64>, Source) {
        self.widths[index]
    }
}

/// What tells the working width. What a person entered outranks what a terminal was set to; parts of the width that are
/// switched off count all the same.
struct Widths<'a> {
    width: Held,
    max_width: Held,
    /// The greatest width reported with each implement of the day, by when it was assigned.
    widest_m: BTreeMap<Option<i64>, f64>,
    spacing_m: Option<f64>,
    machine: &'a Machine,
}

impl Widths<'_> {
    fn of(&self, at_ms: &[i64]) -> Vec<(Option<f64>, Source)> {
        at_ms.iter().enumerate().map(|(index, at)| self.at(index, *at)).collect()
    }

    fn at(&self, index: usize, at_ms: i64) -> (Option<f64>, Source) {
        let implement = self.machine.implement_at(at_ms);
        let assigned = implement.and_then(|implement| implement.width_m);
        let reported = self.width.at(index).filter(|width| *width > 0.0);
        let widest = || self.widest_m.get(&implement.map(|implement| implement.period.start));
        let in_use = reported.map_or(1.0, |width| widest().map_or(1.0, |widest| width / widest));
        let sources = [
            (assigned.map(|width| width * in_use), Source::Assigned),
            (self.machine.width_m.map(|width| width * in_use), Source::Machine),
            (reported, Source::Reported),
            (self.max_width.at(index).filter(|width| *width > 0.0), Source::Reported),
            (self.spacing_m, Source::Inferred),
        ];
        let known = sources.into_iter().find(|(width, _)| width.is_some());
        known.unwrap_or((None, Source::Unknown))
    }
}

/// When the engine runs, as far as it is heard.
struct Engine {
    speed: Held,
    key: Held,
    off_rpm: f64,
}

impl Engine {
    fn of(readings: &Readings, stretches: &Stretches, rules: &Rules) -> Self {
        let speed = stretches.held(readings, catalogue::ENGINE_SPEED_RPM);
        let speed = if speed.is_known() { speed } else { stretches.held(readings, catalogue::TC_ENGINE_SPEED_RPM) };
        Self { speed, key: stretches.held(readings, catalogue::KEY_SWITCH_STATE), off_rpm: rules.engine_off_rpm }
    }

    fn is_known(&self) -> bool {
        self.speed.is_known() || self.key.is_known()
    }

    fn is_off(&self, index: usize) -> bool {
        self.speed.at(index).map_or(self.key.at(index) == Some(0.0), |rpm| rpm < self.off_rpm)
    }
}

/// Whether each sample shows work, what told it, and the usual distance between passes where the track was asked: because
/// nothing else told of work, or of the width.
fn work_evidence(
    readings: &Readings,
    stretches: &Stretches,
    track: &Track,
    in_fields: &InFields,
    reported: &Reported,
    width_is_told: bool,
    rules: &Rules,
) -> (Vec<bool>, Vec<Evidence>, Option<f64>) {
    let samples = readings.len();
    let moving_samples: Vec<bool> = track.speed_mps.iter().map(|speed| speed * 3.6 > rules.standing_kmh).collect();
    let moving = moving_samples.iter().filter(|moves| **moves).count();
    let silent = moving_samples.iter().zip(&reported.works).filter(|(moves, works)| **moves && works.is_none()).count();
    let mut works: Vec<bool> = reported.works.iter().map(|works| *works == Some(true)).collect();
    let mut evidence = vec![Evidence::Implement; samples];
    let is_told = silent as f64 <= SILENT_SHARE * moving as f64;
    if is_told && width_is_told {
        return (works, evidence, None);
    }
    let in_field: Vec<bool> = (0..samples).map(|index| in_fields.at(index).is_some()).collect();
    let pattern = Pattern::of(readings, track, &in_field, rules);
    if is_told {
        return (works, evidence, pattern.spacing_m);
    }
    let between = between_passes(&pattern, &moving_samples);
    let pulls = load::pulls(readings, stretches, &pattern.worked, &between);
    let unplaced = unplaced::works(readings, track, &in_field, &pattern, &pulls);
    let mut from = 0;
    while from < samples {
        let leg = pattern.leg[from];
        let to = (from..samples).find(|index| pattern.leg[*index] != leg).unwrap_or(samples);
        let pulled = if pattern.worked[from] { pulled(&pulls[from..to]) } else { 0..0 };
        for index in (from..to).filter(|index| reported.works[*index].is_none()) {
            works[index] = pulled.contains(&(index - from)) || unplaced[index] || pattern.short[index];
            evidence[index] = if pulls[index].is_some() { Evidence::Engine } else { Evidence::Geometry };
        }
        from = to;
    }
    begin_where_lowered(&mut works, &evidence, readings, track);
    (works, evidence, pattern.spacing_m)
}

/// An engine pulls only some seconds after the implement went down, while the machine still gathers speed: work begins
/// where it was slowest.
fn begin_where_lowered(works: &mut [bool], evidence: &[Evidence], readings: &Readings, track: &Track) {
    /// Longer no machine takes to pull.
    const LOWERED_MAX_MS: i64 = 12_000;
    let at = &readings.recorded_at_ms;
    for begin in 1..works.len() {
        let is_begin = works[begin] && !works[begin - 1] && evidence[begin] == Evidence::Engine;
        if !is_begin {
            continue;
        }
        let gathers_speed = |sample: usize| {
            let (here, next) = (track.speed_mps[sample], track.speed_mps[sample + 1]);
            here < next && !works[sample] && at[begin] - at[sample] <= LOWERED_MAX_MS
        };
        let first = (0..begin).rev().take_while(|sample| gathers_speed(*sample)).last();
        (first.unwrap_or(begin)..begin).for_each(|sample| works[sample] = true);
    }
}

/// The greatest width reported with each implement, m, by when it was assigned: a machine that changes to a narrower one
/// uses all of that.
fn widest(readings: &Readings, width: &Held, machine: &Machine) -> BTreeMap<Option<i64>, f64> {
    let mut widest: BTreeMap<Option<i64>, f64> = BTreeMap::new();
    for (index, at) in readings.recorded_at_ms.iter().enumerate() {
        if let Some(width_m) = width.at(index).filter(|width| *width > 0.0) {
            let implement = machine.implement_at(*at).map(|implement| implement.period.start);
            let most = widest.entry(implement).or_insert(width_m);
            *most = most.max(width_m);
        }
    }
    widest
}

/// Moving samples between two worked legs that are no more than a turn apart.
fn between_passes(pattern: &Pattern, moving: &[bool]) -> Vec<bool> {
    const TURN_SAMPLES_MAX: usize = 120;
    let mut between = vec![false; moving.len()];
    let mut last_worked: Option<usize> = None;
    for index in 0..moving.len() {
        if pattern.worked[index] {
            if let Some(last) = last_worked.filter(|last| index - last > 1 && index - last <= TURN_SAMPLES_MAX) {
                (last + 1..index).for_each(|sample| between[sample] = moving[sample]);
            }
            last_worked = Some(index);
        }
    }
    between
}

/// The part of a worked leg over which the engine pulled; all of it where it does not say.
fn pulled(pulls: &[Option<bool>]) -> std::ops::Range<usize> {
    if pulls.iter().all(Option::is_none) {
        return 0..pulls.len();
    }
    let is_pull = |pull: &Option<bool>| *pull == Some(true);
    let first = pulls.iter().position(is_pull).unwrap_or(0);
    let end = pulls.iter().rposition(is_pull).map_or(0, |last| last + 1);
    let count = pulls.get(first..end).unwrap_or_default().iter().filter(|pull| is_pull(pull)).count();
    if count as f64 >= PULL_SHARE * (end.saturating_sub(first)) as f64 && count > 0 { first..end } else { 0..0 }
}

/// What each sample stands for: the time to the next one, or what a monitor logged with it. Over a gap it stands for
/// nothing, unless the machine does the same on both sides: units report seldom while nothing happens.
fn seconds(readings: &Readings, states: &[State], rules: &Rules) -> Vec<f64> {
    let at = &readings.recorded_at_ms;
    let interval = readings.signal(catalogue::INTERVAL_S);
    let of = |index: usize| {
        if let Some(seconds) = interval.at(index) {
            return seconds.min(rules.gap_s);
        }
        let Some(next) = at.get(index + 1) else { return 0.0 };
        let seconds = (next - at[index]) as f64 / 1000.0;
        let goes_on = states[index] == states[index + 1];
        let holds_s = match states[index] {
            State::Off if goes_on => f64::INFINITY,
            State::Working | State::Idle if goes_on => rules.bridge_s,
            _ => rules.gap_s,
        };
        if seconds <= holds_s { seconds } else { 0.0 }
    };
    (0..at.len()).map(of).collect()
}

/// Whether a run ends before each sample: the track breaks, or a monitor counts a new pass.
fn ends_before(readings: &Readings, track: &Track) -> Vec<bool> {
    let pass = readings.signal(catalogue::PASS_NUMBER);
    let mut last = None;
    (0..readings.len())
        .map(|index| {
            let is_new = pass.at(index).is_some_and(|pass| last.replace(pass).is_some_and(|last| last != pass));
            is_new || track.broken[index]
        })
        .collect()
}

/// Way from each sample to the next. Steps shorter than the scatter of a receiver add up before they count, and are
/// then shared by time. Where positions were lost, the speed tells the way.
fn ways(at_ms: &[i64], track: &Track, rules: &Rules) -> Vec<f64> {
    const STEP_M: f64 = 0.5;
    let seconds = |from: usize, to: usize| (at_ms[to] - at_ms[from]) as f64 / 1000.0;
    let by_speed = |n: usize| {
        let lasts_s = seconds(n, n + 1);
        let speed_mps = track.speed_mps[n];
        if speed_mps.is_nan() || lasts_s > rules.gap_s { 0.0 } else { speed_mps * lasts_s }
    };
    let samples = track.places.len();
    let mut ways = vec![0.0; samples];
    let mut fill = |from: usize, to: usize, line_m: f64| {
        let driven_m = || (from..to).map(by_speed).sum::<f64>();
        let is_lost = to > from + 1 && seconds(from, to) > LOST_S;
        if is_lost && driven_m() > line_m {
            (from..to).for_each(|n| ways[n] = by_speed(n));
            return;
        }
        let lasts_s = seconds(from, to);
        let share = |n: usize| if lasts_s > 0.0 { seconds(n, n + 1) / lasts_s } else { 1.0 / (to - from) as f64 };
        (from..to).for_each(|n| ways[n] = line_m * share(n));
    };
    let mut last: Option<(usize, Point)> = None;
    for (index, place) in track.places.iter().enumerate() {
        if place.x.is_nan() {
            continue;
        }
        match last {
            Some((from, start)) if !track.broken[index] => {
                let metres = start.distance(*place);
                if metres >= STEP_M {
                    fill(from, index, metres);
                    last = Some((index, *place));
                }
            }
            Some((from, _)) => {
                fill(from, index, 0.0);
                last = Some((index, *place));
            }
            None => {
                fill(0, index, 0.0);
                last = Some((index, *place));
            }
        }
    }
    if let Some((from, _)) = last.filter(|(from, _)| from + 1 < samples) {
        fill(from, samples - 1, 0.0);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::super::ImplementUse;
    use super::*;

    #[test]
    fn a_narrower_implement_is_used_whole_though_a_wider_one_was_on_before() {
        let implement = |period: std::ops::Range<i64>, width_m| ImplementUse {
            period,
            name: String::new(),
            width_m: Some(width_m),
            operation: None,
            offset_ahead_m: 0.0,
            offset_right_m: 0.0,
        };
        let implements = vec![implement(0..10_000, 6.0), implement(10_000..20_000, 4.0)];
        let machine = Machine { implements, ..Machine::default() };
        let mut readings = Readings::default();
        for (second, width_m) in [(0, 6.0), (5, 3.0), (12, 4.0), (15, 2.0)] {
            let index = readings.push(second * 1000, 1, second);
            readings.set(index, catalogue::ACTUAL_WORKING_WIDTH_M, width_m);
        }
        readings.sort();
        let width = Stretches::of(&readings, 60_000, &[]).held(&readings, catalogue::ACTUAL_WORKING_WIDTH_M);
        assert_eq!(widest(&readings, &width, &machine), BTreeMap::from([(Some(0), 6.0), (Some(10_000), 4.0)]));
    }
}
