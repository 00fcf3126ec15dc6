//! The strip that a run covers, as edges across which the implement moved.

use std::ops::{Range, RangeInclusive};

use super::track::Track;
use crate::derive::geometry::{Frame, Point, distance_to_segment};

/// Positions nearer to each other say nothing new about the way, m.
const STEP_M: f64 = 1.5;
/// Places nearer than this to the straight way between others add nothing, m.
const STRAIGHT_M: f64 = 0.05;
/// Longest edge that stands for several places, m: yield is told along it.
const EDGE_MAX_M: f64 = 10.0;
/// Positions farther apart in time are joined only where the way between them can have been straight, s.
pub(super) const LOST_S: f64 = 15.0;
/// A way is straight when it is no longer than the line by this share: turning round makes it twice as long.
const STRAIGHT_SHARE: f64 = 0.75;
/// A position farther off than the way driven by this share and this many metres is elsewhere.
const HOP_SHARE: f64 = 2.0;
const HOP_M: f64 = 5.0;
/// Direction is taken over this way to both sides, m: scatter of a decimetre turns a wide boom by a degree.
const DIRECTION_M: f64 = 4.0;

/// The middle of the implement at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    /// The sample from which on this place counts.
    pub sample: usize,
    pub at: Point,
    /// Whether the strip begins anew here: where the machine went before is not known.
    pub begins: bool,
    /// Unit vector to the right of travel.
    right: Point,
}

/// One strip.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    pub vertices: Vec<Vertex>,
}

/// Where the implement is, seen from the antenna.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Offset {
    pub ahead_m: f64,
    pub right_m: f64,
}

impl Strip {
    /// The strip of a run: from its first sample to the one after its last, where what the last one said ends, if the
    /// way goes on there (`follows`).
    pub(super) fn of(
        track: &Track,
        at_ms: &[i64],
        frame: &Frame,
        run: &RangeInclusive<usize>,
        follows: bool,
        width_of: impl Fn(usize) -> Option<f64> + Copy,
        offset_of: impl Fn(usize) -> Offset + Copy,
    ) -> Self {
        let end = if follows { *run.end() + 1 } else { *run.end() };
        let usable = (*run.start()..=end).filter(|index| !track.degrees[*index].0.is_nan());
        let mut strip = Self::default();
        let mut places: Vec<(usize, Point)> = Vec::new();
        let mut before: Option<(usize, Point)> = None;
        for index in usable {
            let (latitude, longitude) = track.degrees[index];
            let at = frame.point(latitude, longitude);
            if before.is_some_and(|(from, place)| is_lost(track, at_ms, (from, place), (index, at))) {
                strip.go_along(&thinned(&std::mem::take(&mut places), width_of), offset_of);
            }
            before = Some((index, at));
            let is_near = places.last().is_some_and(|(_, last)| last.distance(at) < STEP_M);
            if !is_near {
                places.push((index, at));
            } else if index == end && places.len() > 1 {
                // The end of a run is exact.
                places.pop();
                places.push((index, at));
            }
        }
        strip.go_along(&thinned(&places, width_of), offset_of);
        strip
    }

    /// Adds a piece along places, each with the sample from which on it counts.
    pub(super) fn go_along(&mut self, places: &[(usize, Point)], offset_of: impl Fn(usize) -> Offset) {
        if places.len() < 2 {
            return;
        }
        self.vertices.extend((0..places.len()).map(|number| {
            let (sample, at) = places[number];
            let right = right_of(places, number);
            let offset = offset_of(sample);
            let ahead = Point::new(-right.y, right.x);
            let x = at.x + offset.ahead_m * ahead.x + offset.right_m * right.x;
            let y = at.y + offset.ahead_m * ahead.y + offset.right_m * right.y;
            Vertex { sample, at: Point::new(x, y), begins: number == 0, right }
        }));
    }

    /// Neighbouring vertices between which the machine worked.
    pub(super) fn edges(&self) -> impl Iterator<Item = (&Vertex, &Vertex)> {
        self.vertices.windows(2).filter(|pair| !pair[1].begins).map(|pair| (&pair[0], &pair[1]))
    }

    /// Samples of its run that no piece covers, for longer than a moment: the implement was at work, where is not known.
    pub(super) fn unplaced(&self, run: &RangeInclusive<usize>, at_ms: &[i64]) -> Vec<Range<usize>> {
        let begins = |number: &usize| self.vertices[*number].begins;
        let pieces = (0..self.vertices.len()).filter(begins).map(|first| {
            let end = (first + 1..self.vertices.len()).find(begins).unwrap_or(self.vertices.len());
            self.vertices[first].sample..self.vertices[end - 1].sample
        });
        let mut from = *run.start();
        let mut ranges = Vec::new();
        for piece in pieces {
            ranges.push(from..piece.start);
            from = piece.end;
        }
        ranges.push(from..*run.end() + 1);
        let lasts_s = |range: &Range<usize>| {
            let end = range.end.min(at_ms.len() - 1);
            (at_ms[end] - at_ms[range.start]) as f64 / 1000.0
        };
        ranges.into_iter().filter(|range| !range.is_empty() && lasts_s(range) > LOST_S).collect()
    }

    /// The quadrangles between vertices, each with the sample at which it begins; its width by `width_of` that sample.
    pub(super) fn quadrangles(
        &self,
        width_of: impl Fn(usize) -> f64,
    ) -> impl Iterator<Item = (usize, f64, [Point; 4])> {
        self.edges().map(move |(a, b)| {
            let half = width_of(a.sample) / 2.0;
            let side = |vertex: &Vertex, half: f64| {
                Point::new(vertex.at.x + half * vertex.right.x, vertex.at.y + half * vertex.right.y)
            };
            (a.sample, a.at.distance(b.at), [side(a, half), side(b, half), side(b, -half), side(a, -half)])
        })
    }
}

/// Whether the machine may have gone another way than the straight one from one position to the next.
fn is_lost(track: &Track, at_ms: &[i64], from: (usize, Point), to: (usize, Point)) -> bool {
    let seconds = |a: usize, b: usize| (at_ms[b] - at_ms[a]) as f64 / 1000.0;
    let speed_mps = |index: usize| Some(track.speed_mps[index]).filter(|speed| !speed.is_nan());
    let way_m: f64 = (from.0..to.0).map(|index| speed_mps(index).unwrap_or(0.0) * seconds(index, index + 1)).sum();
    let line_m = from.1.distance(to.1);
    // A log that leaves the turns out begins its next pass in the next second.
    let is_elsewhere = speed_mps(from.0).is_some() && line_m > HOP_SHARE * way_m + HOP_M;
    let is_broken = track.broken[from.0 + 1..=to.0].contains(&true);
    is_broken || is_elsewhere || seconds(from.0, to.0) > LOST_S && line_m < STRAIGHT_SHARE * way_m
}

/// Leaves out places that lie on the straight way between others, while the width stays the same.
fn thinned(places: &[(usize, Point)], width_of: impl Fn(usize) -> Option<f64>) -> Vec<(usize, Point)> {
    let mut kept: Vec<(usize, Point)> = Vec::with_capacity(places.len());
    let mut since = 0;
    for (number, place) in places.iter().enumerate() {
        if let Some((first, from)) = kept.last().copied() {
            let strays = |(sample, at): &(usize, Point)| {
                distance_to_segment(*at, from, place.1) > STRAIGHT_M || width_of(*sample) != width_of(first)
            };
            if from.distance(place.1) > EDGE_MAX_M || places[since + 1..number].iter().any(strays) {
                if number > since + 1 {
                    kept.push(places[number - 1]);
                }
                since = number - 1;
            }
        } else {
            kept.push(*place);
        }
    }
    if let Some(last) = places.last().filter(|last| kept.last() != Some(last)) {
        kept.push(*last);
    }
    kept
}

/// To the right of the way at a place, by the places a few metres before and behind it.
fn right_of(places: &[(usize, Point)], number: usize) -> Point {
    let at = places[number].1;
    let far = |place: &&(usize, Point)| place.1.distance(at) >= DIRECTION_M;
    let from = places[..number].iter().rev().find(far).or(places.first()).map_or(at, |place| place.1);
    let to = places[number..].iter().find(far).or(places.last()).map_or(at, |place| place.1);
    let length = from.distance(to);
    if length == 0.0 {
        return Point::new(1.0, 0.0);
    }
    Point::new((to.y - from.y) / length, -(to.x - from.x) / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(places: &[(f64, f64)], kept: &[usize]) {
        let places: Vec<_> = places.iter().enumerate().map(|(n, (x, y))| (n, Point::new(*x, *y))).collect();
        assert_eq!(
            thinned(&places, |sample| Some(if sample < 20 { 6.0 } else { 3.0 }))
                .iter()
                .map(|(sample, _)| *sample)
                .collect::<Vec<_>>(),
            kept
        );
    }

    #[test]
    fn a_straight_way_needs_its_ends_and_a_place_every_ten_metres() {
        check(&[(0.0, 0.0), (2.0, 0.0), (4.0, 0.01), (6.0, 0.0)], &[0, 3]);
        check(&(0..9).map(|n| (3.0 * f64::from(n), 0.0)).collect::<Vec<_>>(), &[0, 3, 6, 8]);
        check(&[(0.0, 0.0), (15.0, 0.0), (30.0, 0.0)], &[0, 1, 2]);
        check(&[(0.0, 0.0)], &[0]);
        check(&[], &[]);
    }

    #[test]
    fn a_change_of_width_keeps_its_place() {
        check(&(0..24).map(|n| (0.4 * f64::from(n), 0.0)).collect::<Vec<_>>(), &[0, 20, 23]);
    }

    #[test]
    fn a_corner_keeps_its_place() {
        check(&[(0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (4.0, 2.0), (4.0, 4.0)], &[0, 2, 4]);
    }
}
