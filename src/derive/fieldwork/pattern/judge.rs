//! Which strokes were work: what is sure first, then what lies beside it; ways to the first pass are left out at last.

use super::leg::Leg;
use super::median;
use super::neighbour::{CORE_MIN_M, are_alike, are_parallel, beside_worked};
use super::pace::{FAST, FAST_LEADING, are_faster};
use super::round::rounds;
use super::stroke::{Scene, Stroke, strokes};

/// Share of the length of a stroke that must have the neighbours of a pass.
const CORE_SHARE: f64 = 0.4;
/// Share of a leg that must lie beside worked ones for it to be adopted.
const ADOPTED_SHARE: f64 = 0.8;
/// How far beside, in spacings, and within which limits, m.
const ADOPTED_SPACINGS: f64 = 1.7;
const ADOPTED_M: (f64, f64) = (8.0, 45.0);
/// Rounds of adoption: more headland rounds than anyone drives.
const ADOPTION_ROUNDS: usize = 8;
/// Two stretches of one way are about as fast.
const WAY_SPEED_FACTOR: f64 = 1.12;
/// Legs in a known field that are faster than the usual one by this factor are ways.
const USUAL_FACTOR: f64 = 1.35;
/// Legs in a known field that make work of each other.
const LEGS_IN_FIELD: usize = 3;
/// Where this share of the way in known fields shows a pattern, what lies outside the pattern is a way.
const PATTERN_SHARE: f64 = 0.5;

/// Decides which legs were worked. Returns the leg with which each visit to a field began to be work.
pub(super) fn judge(legs: &mut [Leg], scene: &Scene<'_>) -> Vec<usize> {
    let mut strokes = strokes(legs, scene);
    for round in rounds(legs, &strokes, scene) {
        strokes[round].iter_mut().for_each(|stroke| stroke.is_round = true);
    }
    // What comes to a pass without a turn may be a way, or a pass that paused; the faster one is the way.
    let leads: Vec<bool> = (0..strokes.len()).map(|number| leads_to_pass(number, &strokes, legs)).collect();
    let is_way = |number: usize, legs: &[Leg]| {
        let excess = if leads[number] { FAST_LEADING } else { FAST };
        are_faster(&legs[strokes[number].legs.clone()], excess)
    };
    let ways: Vec<bool> = (0..strokes.len()).map(|number| is_way(number, legs)).collect();
    for (stroke, _) in strokes.iter().zip(&ways).filter(|(_, is_way)| !**is_way) {
        if stroke.is_round || stroke.beside_share(legs) >= CORE_SHARE {
            work(legs, stroke);
        }
    }
    // A way to the first pass lies beside passes too.
    let is_open = |number: &usize| !ways[*number] && !leads[*number];
    let open: Vec<&Stroke> = (0..strokes.len()).filter(is_open).map(|number| &strokes[number]).collect();
    adopt(legs, &open, scene);
    take_followers(legs, &open, scene);
    let begins = leave_out_approaches(legs, &strokes);
    take_usual(legs);
    begins
}

/// Whether a stroke comes straight to one that may be a pass, and is none of a round.
fn leads_to_pass(number: usize, strokes: &[Stroke], legs: &[Leg]) -> bool {
    let stroke = &strokes[number];
    let is_pass = |next: &Stroke| !next.returns && !are_faster(&legs[next.legs.clone()], FAST_LEADING);
    !stroke.is_round && stroke.leads_on && strokes.get(number + 1).is_some_and(is_pass)
}

fn work(legs: &mut [Leg], stroke: &Stroke) {
    legs[stroke.legs.clone()].iter_mut().for_each(|leg| leg.is_worked = true);
}

/// Strokes that mostly lie beside worked ones are worked too.
fn adopt(legs: &mut [Leg], strokes: &[&Stroke], scene: &Scene<'_>) {
    let was_worked: Vec<bool> = legs.iter().map(|leg| leg.is_worked).collect();
    for _ in 0..ADOPTION_ROUNDS {
        let is_beside = |stroke: &&&Stroke| {
            let beside_m = |leg: &Leg| {
                let reach_m = (ADOPTED_SPACINGS * leg.usual_spacing_m).clamp(ADOPTED_M.0, ADOPTED_M.1);
                leg.length_m * beside_worked(leg, scene.nodes, scene.grid, legs, reach_m)
            };
            let all_beside_m = || legs[stroke.legs.clone()].iter().map(beside_m).sum::<f64>();
            !legs[stroke.legs.start].is_worked && all_beside_m() >= ADOPTED_SHARE * stroke.length_m
        };
        let adopted: Vec<&Stroke> = strokes.iter().filter(is_beside).copied().collect();
        if adopted.is_empty() {
            break;
        }
        adopted.iter().for_each(|stroke| work(legs, stroke));
    }
    leave_out_ways_off(legs, &was_worked);
}

/// A short leg beside worked ones, with nothing worked before or after it, leads to the field or off it.
fn leave_out_ways_off(legs: &mut [Leg], is_sure: &[bool]) {
    let is_way = |legs: &[Leg], index: usize, neighbour: Option<usize>| {
        !is_sure[index]
            && legs[index].length_m < CORE_MIN_M
            && !neighbour.and_then(|neighbour| legs.get(neighbour)).is_some_and(|leg| leg.is_worked)
    };
    for index in 0..legs.len() {
        legs[index].is_worked &= !is_way(legs, index, index.checked_sub(1));
    }
    for index in (0..legs.len()).rev() {
        legs[index].is_worked &= !is_way(legs, index, Some(index + 1));
    }
}

/// A pass half a block away has its neighbours later, or never on this day; it is parallel to the pass before or after it.
fn take_followers(legs: &mut [Leg], strokes: &[&Stroke], scene: &Scene<'_>) {
    for stroke in strokes {
        let of = stroke.legs.clone();
        let is_pass = |leg: usize, other: Option<usize>| {
            let other = other.and_then(|other| legs.get(other));
            other.is_some_and(|other| other.is_worked && are_parallel(&legs[leg], other, scene.nodes))
        };
        let follows = is_pass(of.start, of.start.checked_sub(1)) || is_pass(of.end - 1, Some(of.end));
        if follows && legs[of].iter().all(|leg| leg.is_core) {
            work(legs, stroke);
        }
    }
}

/// A machine that comes to a field drives to its first pass or round along passes that it drives later. Returns the leg
/// with which work began, for each time it came.
fn leave_out_approaches(legs: &mut [Leg], strokes: &[Stroke]) -> Vec<usize> {
    let mut begins = Vec::new();
    let approaches = approaches(legs, strokes);
    let mut has_worked = false;
    for (stroke, is_approach) in strokes.iter().zip(approaches) {
        has_worked &= !stroke.arrives;
        if has_worked || !legs[stroke.legs.start].is_worked {
            continue;
        }
        if is_approach {
            legs[stroke.legs.clone()].iter_mut().for_each(|leg| leg.is_worked = false);
        } else {
            has_worked = true;
            begins.push(stroke.legs.start);
        }
    }
    begins
}

/// Whether each stroke, were it the first one on a field, would be the way to the first pass: it leads to a round, or on to
/// a pass that is not its own line, or to another stretch of that way.
fn approaches(legs: &[Leg], strokes: &[Stroke]) -> Vec<bool> {
    let mut approaches = vec![false; strokes.len()];
    for number in (0..strokes.len().saturating_sub(1)).rev() {
        let (stroke, next) = (&strokes[number], &strokes[number + 1]);
        let goes_on = || {
            let (from, to) = (&legs[stroke.legs.end - 1], &legs[next.legs.start]);
            let is_alike = are_alike(from.speed_mps, to.speed_mps, WAY_SPEED_FACTOR);
            if stroke.has_one_line {
                return is_alike && approaches[number + 1];
            }
            is_alike || to.is_worked || are_faster(&legs[stroke.legs.clone()], FAST_LEADING)
        };
        approaches[number] = !stroke.is_round && (next.is_round || stroke.leads_on && !next.returns && goes_on());
    }
    approaches
}

/// In a known field there is not much else to do than to work it. Where passes do not show, every leg is taken for one.
fn take_usual(legs: &mut [Leg]) {
    let in_field = legs.iter().filter(|leg| leg.in_field && leg.length_m >= CORE_MIN_M);
    if in_field.clone().count() < LEGS_IN_FIELD {
        return;
    }
    let length_m =
        |worked: bool| -> f64 { in_field.clone().filter(|leg| leg.is_worked || !worked).map(|leg| leg.length_m).sum() };
    if length_m(true) >= PATTERN_SHARE * length_m(false) {
        return;
    }
    let usual_mps = median(in_field.map(|leg| leg.speed_mps)).unwrap_or(0.0);
    let is_usual = |leg: &&mut Leg| leg.in_field && leg.speed_mps < USUAL_FACTOR * usual_mps;
    legs.iter_mut().filter(is_usual).for_each(|leg| leg.is_worked = true);
}
