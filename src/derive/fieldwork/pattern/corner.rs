//! The first passes in a corner of a field: too short for legs, and yet where work began.

use super::leg::Leg;
use super::stroke::Scene;
use super::{dot, vector};
use crate::derive::geometry::Point;

/// They lie within this distance of the first pass that is long enough, m.
const NEAR_M: f64 = 40.0;
/// A leg as long as this is no short pass, but the way here, m.
const WAY_MIN_M: f64 = 60.0;
/// They take no longer, s.
const CORNER_MAX_S: f64 = 15.0 * 60.0;
/// A step of at least this length shows where it leads, m.
const STEP_MIN_M: f64 = 2.0;
/// Steps along the passes: 20°.
const ALONG_COSINE: f64 = 0.94;

/// Looks for short passes.
pub(super) struct Corner<'a> {
    pub scene: &'a Scene<'a>,
    /// Whether the machine goes slowly at each sample.
    pub slow: &'a [bool],
    pub legs: &'a [Leg],
    /// Number of the leg of each sample, counted from 1; 0 for none.
    pub leg_of: &'a [u32],
}

impl Corner<'_> {
    /// Samples before the first worked leg of a visit that are short passes beside it: from where the implement went down
    /// first, what leads along the leg or back.
    pub(super) fn short_passes(&self, first: &Leg) -> Vec<usize> {
        let (track, begin) = (self.scene.track, *first.samples.start());
        let Some(arrived) = self.arrived(first) else { return Vec::new() };
        // A machine that starts is slow as well; here one slows down.
        let slows_down = |sample: &usize| {
            let before_mps = sample.checked_sub(1).map_or(0.0, |before| track.speed_mps[before]);
            self.slow[*sample] && before_mps > track.speed_mps[*sample]
        };
        let Some(lowered) = (arrived..begin).find(slows_down) else { return Vec::new() };
        let along = first.middle(self.scene.nodes).direction;
        let placed: Vec<usize> = (lowered..=begin).filter(|sample| !track.places[*sample].x.is_nan()).collect();
        let leads_along = |pair: &&[usize]| {
            let (from, to) = (track.places[pair[0]], track.places[pair[1]]);
            let length_m = from.distance(to);
            length_m >= STEP_MIN_M && dot(vector(from, to), along).abs() >= ALONG_COSINE * length_m
        };
        placed.windows(2).filter(leads_along).flat_map(|pair| pair[0]..=pair[1]).collect()
    }

    /// The sample with which a machine came near its first long pass; none where it did not come, but was parked there.
    fn arrived(&self, first: &Leg) -> Option<usize> {
        let Scene { nodes, at_ms, track, rules, .. } = self.scene;
        let begin = *first.samples.start();
        let is_near = |place: Point| nodes[first.nodes.clone()].iter().any(|node| node.at.distance(place) <= NEAR_M);
        let seconds = |from: usize, to: usize| (at_ms[to] - at_ms[from]) as f64 / 1000.0;
        let (mut arrived, mut stands_until) = (begin, None);
        for sample in (0..begin).rev() {
            let speed_kmh = track.speed_mps[sample] * 3.6;
            let stands = speed_kmh.is_nan() || speed_kmh < rules.standing_kmh;
            stands_until = stands.then(|| stands_until.unwrap_or(sample + 1));
            let is_stop = stands_until.is_some_and(|until| seconds(sample, until) > rules.idle_after_s);
            if is_stop || seconds(sample, sample + 1) > rules.gap_s {
                return None;
            }
            let leg = (self.leg_of[sample] as usize).checked_sub(1).map(|number| &self.legs[number]);
            let place = track.places[sample];
            let is_way = leg.is_some_and(|leg| leg.length_m >= WAY_MIN_M) || !place.x.is_nan() && !is_near(place);
            if is_way || seconds(sample, begin) > CORNER_MAX_S {
                break;
            }
            arrived = sample;
        }
        Some(arrived)
    }
}
