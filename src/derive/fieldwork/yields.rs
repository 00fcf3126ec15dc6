//! Yield points: flow paired with where the crop was cut, and cleaned in the order of the published practice.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::harvest::Crop;
use super::pattern::median;
use super::{Cleaning, Dropped, Operation, YieldPoint};
use crate::derive::geometry::Point;

/// Header to sensor when the passes do not tell it, s (domain: 8 to 15 for combines; a forage harvester is short).
const DELAY_S: f64 = 10.0;
const FORAGE_DELAY_S: f64 = 4.0;
/// Delays that are tried, s.
const DELAY_MAX_S: usize = 25;
/// The best delay must make neighbouring passes agree better than the usual one by this factor.
const DELAY_GAIN: f64 = 0.97;
/// Cuts that are tried: enough for a statement, whatever the size of the day.
const DELAY_CUTS: usize = 6_000;
/// Cells in which passes of opposite direction must meet to tell a delay.
const DELAY_CELLS: usize = 30;
/// Positions with a larger dilution are not used.
const HDOP_MAX: f64 = 4.0;
/// Samples farther apart are not used, s.
const STEP_MAX_S: f64 = 5.0;
/// Speeds of harvest, km/h.
const SPEED_KMH: std::ops::RangeInclusive<f64> = 1.0..=16.0;
/// A change of speed from point to point beyond this share is no steady flow.
const SPEED_CHANGE: f64 = 0.4;
/// The machine fills and empties for so long where it does not say itself, s.
const LEAD_S: f64 = 6.0;
const LAG_S: f64 = 6.0;
/// Less than this share of the width is new ground.
const NEW_GROUND: f64 = 0.3;
/// Side of the neighbourhoods in which points are compared, m.
const NEIGHBOURHOOD_M: f64 = 30.0;
/// Points it takes to compare.
const NEIGHBOURS_MIN: usize = 10;
/// A point may be this many median deviations from its neighbourhood.
const DEVIATIONS: f64 = 3.0;
/// Median deviations below this share of the median are taken as this: steady flow is no reason to be strict.
const DEVIATION_MIN: f64 = 0.1;

/// One sample at work, as the cleaning sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub sample: usize,
    pub at_ms: i64,
    /// What the sample stands for, s.
    pub seconds: f64,
    pub place: Point,
    /// Degrees; NaN where unknown.
    pub degrees: (f64, f64),
    pub speed_mps: f64,
    pub hdop: Option<f64>,
    /// Number of its run.
    pub run: usize,
    /// Ground covered for the first time, m².
    pub fresh_m2: f64,
    /// Ground swept, m².
    pub swept_m2: f64,
    /// Unit vector of travel's heading, for telling opposite passes.
    pub heading: Point,
    /// The machine says to ignore the yield.
    pub on_hold: bool,
}

/// What the machine says about the ends of its passes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    pub lead_s: Option<f64>,
    pub lag_s: Option<f64>,
}

/// Flow at an instant, kg/s, and moisture, % — `None` where nothing was measured.
pub(super) struct Flow<'a> {
    pub at_ms: &'a [i64],
    pub crop: &'a Crop,
}

impl Flow<'_> {
    /// Mean flow in the time in which a sample's crop passes the sensor.
    fn of(&self, cut: &Cut, delay_ms: i64) -> Option<(f64, Option<f64>)> {
        let at = cut.at_ms + delay_ms;
        let index = self.at_ms.partition_point(|time| *time <= at).checked_sub(1)?;
        // Where the record ends nothing is known.
        if index + 1 >= self.at_ms.len() && at > self.at_ms[index] {
            return None;
        }
        let moisture = self.crop.moisture_pct(index);
        if let Some(flow) = self.crop.flow_kgps.at(index) {
            return Some((flow, moisture));
        }
        let seconds = (self.at_ms.get(index + 1)? - self.at_ms[index]) as f64 / 1000.0;
        (seconds > 0.0).then(|| (self.crop.mass_after_kg(index) / seconds, moisture))
    }
}

/// Pairs and cleans the cuts of a session. Returns the points, what became of them, and the delay used.
pub(super) fn points(
    cuts: &[Cut],
    flow: &Flow<'_>,
    ends: Ends,
    grown: (Operation, Option<&str>),
) -> (Vec<YieldPoint>, Cleaning, f64) {
    let usual_s = if grown.0 == Operation::ForageHarvest { FORAGE_DELAY_S } else { DELAY_S };
    let delay_s = estimate_delay_s(cuts, flow, usual_s);
    let delay_ms = (delay_s * 1000.0) as i64;
    let (lead_ms, lag_ms) =
        ((ends.lead_s.unwrap_or(LEAD_S) * 1000.0) as i64, (ends.lag_s.unwrap_or(LAG_S) * 1000.0) as i64);
    let mut span: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    for cut in cuts {
        let run = span.entry(cut.run).or_insert((cut.at_ms, cut.at_ms));
        run.1 = cut.at_ms + (cut.seconds * 1000.0) as i64;
    }
    let (yields, moistures) = plausible(grown.0, grown.1);
    let mut points = Vec::with_capacity(cuts.len());
    for (number, cut) in cuts.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| &cuts[before]).filter(|before| before.run == cut.run);
        let measured = flow.of(cut, delay_ms);
        let (kgps, moisture_pct) = measured.unwrap_or((0.0, None));
        let kg = kgps * cut.seconds;
        let wet_tpha = if cut.fresh_m2 > 0.0 { 10.0 * kg / cut.fresh_m2 } else { 0.0 };
        let speed_kmh = cut.speed_mps * 3.6;
        let speed_jumps = before.is_some_and(|before| {
            (cut.speed_mps - before.speed_mps).abs() > SPEED_CHANGE * f64::max(cut.speed_mps, before.speed_mps)
        });
        let (began, ended) = span[&cut.run];
        let reasons = [
            (
                Dropped::Position,
                cut.degrees.0.is_nan()
                    || cut.hdop.is_some_and(|hdop| hdop > HDOP_MAX)
                    || !(0.0..=STEP_MAX_S).contains(&cut.seconds)
                    || cut.seconds == 0.0,
            ),
            (Dropped::Speed, !SPEED_KMH.contains(&speed_kmh) || speed_jumps),
            (Dropped::NotInWork, kgps <= 0.0 || cut.on_hold),
            (Dropped::Lead, cut.at_ms - began < lead_ms),
            (Dropped::Lag, ended - cut.at_ms < lag_ms),
            (Dropped::Overlap, cut.fresh_m2 < NEW_GROUND * cut.swept_m2),
            (Dropped::Range, !yields.contains(&wet_tpha) || moisture_pct.is_some_and(|pct| !moistures.contains(&pct))),
        ];
        points.push(YieldPoint {
            at: Timestamp::from_millisecond(cut.at_ms).unwrap_or_default(),
            latitude_deg: cut.degrees.0,
            longitude_deg: cut.degrees.1,
            flow_kgps: kgps,
            area_m2: cut.fresh_m2,
            wet_tpha,
            moisture_pct,
            dropped: reasons.into_iter().find(|(_, applies)| *applies).map(|(reason, _)| reason),
        });
    }
    drop_strangers(cuts, &mut points);
    let cleaning = summarise(&points);
    (points, cleaning, delay_s)
}

/// Compares each point with the middle of its neighbourhood: its square and the eight around it.
fn drop_strangers(cuts: &[Cut], points: &mut [YieldPoint]) {
    let square = |at: Point| ((at.x / NEIGHBOURHOOD_M).floor() as i32, (at.y / NEIGHBOURHOOD_M).floor() as i32);
    let mut squares: BTreeMap<(i32, i32), Vec<usize>> = BTreeMap::new();
    for (number, cut) in cuts.iter().enumerate().filter(|(number, _)| points[*number].dropped.is_none()) {
        squares.entry(square(cut.place)).or_default().push(number);
    }
    let mut strangers = Vec::new();
    for ((x, y), numbers) in &squares {
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
        let yields: Vec<f64> =
            around.filter_map(|at| squares.get(&at)).flatten().map(|n| points[*n].wet_tpha).collect();
        if yields.len() < NEIGHBOURS_MIN {
            continue;
        }
        let Some(middle) = median(yields.iter().copied()) else { continue };
        let deviation = median(yields.iter().map(|value| (value - middle).abs())).unwrap_or(0.0);
        let most = DEVIATIONS * deviation.max(DEVIATION_MIN * middle);
        strangers.extend(numbers.iter().copied().filter(|n| (points[*n].wet_tpha - middle).abs() > most));
    }
    strangers.into_iter().for_each(|number| points[number].dropped = Some(Dropped::Neighbourhood));
}

fn summarise(points: &[YieldPoint]) -> Cleaning {
    let mut cleaning = Cleaning { points: points.len() as u32, ..Cleaning::default() };
    for point in points {
        match point.dropped {
            None => cleaning.kept += 1,
            Some(reason) => cleaning.dropped[reason as usize] += 1,
        }
    }
    let kept = || points.iter().filter(|point| point.dropped.is_none());
    let area: f64 = kept().map(|point| point.area_m2).sum();
    if area > 0.0 {
        let mean = kept().map(|point| point.wet_tpha * point.area_m2).sum::<f64>() / area;
        let square = kept().map(|point| (point.wet_tpha - mean).powi(2) * point.area_m2).sum::<f64>() / area;
        cleaning.wet_tpha = Some(mean);
        cleaning.deviation_tpha = Some(square.sqrt());
    }
    cleaning
}

/// The delay that makes passes of opposite direction agree where they lie side by side: a wrong one shifts what one
/// pass shows forward and the other backward.
fn estimate_delay_s(cuts: &[Cut], flow: &Flow<'_>, usual_s: f64) -> f64 {
    let stride = cuts.len() / DELAY_CUTS + 1;
    let is_fresh = |cut: &&Cut| cut.speed_mps > 0.3 && cut.fresh_m2 > NEW_GROUND * cut.swept_m2;
    let cuts: Vec<&Cut> = cuts.iter().step_by(stride).filter(is_fresh).collect();
    let grid = DelayGrid::of(&cuts);
    let cost = |delay_s: f64| grid.difference(&cuts, flow, (delay_s * 1000.0) as i64);
    let Some(usual_cost) = cost(usual_s) else { return usual_s };
    let tried = (0..=DELAY_MAX_S).map(|seconds| seconds as f64).filter_map(|seconds| Some((seconds, cost(seconds)?)));
    match tried.min_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((seconds, least)) if least < DELAY_GAIN * usual_cost => seconds,
        _ => usual_s,
    }
}

/// Cells of the ground by direction of travel. Where they lie does not depend on the delay that is tried.
struct DelayGrid {
    /// The cell of each cut.
    cell_of: Vec<usize>,
    cells: usize,
    /// Cells that lie side by side and were driven in opposite directions.
    beside: Vec<(usize, usize)>,
}

impl DelayGrid {
    fn of(cuts: &[&Cut]) -> Self {
        const CELL_M: f64 = 10.0;
        let place = |cut: &Cut| {
            let forward = cut.heading.x + 0.37 * cut.heading.y > 0.0;
            ((cut.place.x / CELL_M).floor() as i32, (cut.place.y / CELL_M).floor() as i32, forward)
        };
        let mut numbers: BTreeMap<(i32, i32, bool), usize> = BTreeMap::new();
        let cell_of = cuts.iter().map(|cut| {
            let next = numbers.len();
            *numbers.entry(place(cut)).or_insert(next)
        });
        let cell_of = cell_of.collect();
        let mut beside = Vec::new();
        for (&(x, y, forward), own) in numbers.iter().filter(|(cell, _)| cell.2) {
            let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy, !forward)));
            beside.extend(around.filter_map(|at| numbers.get(&at)).map(|other| (*own, *other)));
        }
        Self { cell_of, cells: numbers.len(), beside }
    }

    /// By how much the yields of opposite passes differ on the average with a delay; none where too few lie side by side.
    fn difference(&self, cuts: &[&Cut], flow: &Flow<'_>, delay_ms: i64) -> Option<f64> {
        // Sum and count of flow over speed.
        let mut sums = vec![(0.0, 0.0); self.cells];
        for (cut, cell) in cuts.iter().zip(&self.cell_of) {
            let Some((kgps, _)) = flow.of(cut, delay_ms) else { continue };
            sums[*cell].0 += kgps / cut.speed_mps;
            sums[*cell].1 += 1.0;
        }
        let mean = |cell: usize| (sums[cell].1 > 0.0).then(|| sums[cell].0 / sums[cell].1);
        let pairs = self.beside.iter().filter_map(|(own, other)| Some((mean(*own)? - mean(*other)?).abs()));
        let mut differences: Vec<f64> = pairs.collect();
        (differences.len() >= DELAY_CELLS).then(|| {
            // Whatever the order of the pairs, their sum is the same.
            differences.sort_unstable_by(f64::total_cmp);
            differences.iter().sum::<f64>() / differences.len() as f64
        })
    }
}

/// Wet yields in t/ha and moistures in % that the crop can have.
fn plausible(
    operation: Operation,
    crop: Option<&str>,
) -> (std::ops::RangeInclusive<f64>, std::ops::RangeInclusive<f64>) {
    let crop = crop.map(str::to_lowercase).unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| crop.contains(word));
    match operation {
        Operation::ForageHarvest => (2.0..=120.0, 20.0..=90.0),
        Operation::Baling | Operation::FlaxPulling => (0.2..=15.0, 5.0..=70.0),
        _ if has(&["corn", "maize", "кукуруз"]) => (0.5..=25.0, 8.0..=45.0),
        _ if has(&["beet", "potato", "свекл", "картоф"]) => (2.0..=120.0, 0.0..=100.0),
        _ => (0.3..=14.0, 5.0..=40.0),
    }
}
