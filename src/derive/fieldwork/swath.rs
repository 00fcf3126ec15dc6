//! The strip that a run covers, as edges across which the implement moved.

use std::ops::RangeInclusive;

use super::track::Track;
use crate::derive::geometry::{Frame, Point};

/// Positions nearer to each other say nothing new about the way, m.
const STEP_M: f64 = 1.5;
/// Direction is taken over this way to both sides, m: scatter of a decimetre turns a wide boom by a degree.
const DIRECTION_M: f64 = 4.0;

/// The middle of the implement at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    /// The sample from which on this place counts.
    pub sample: usize,
    pub at: Point,
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
    /// The strip of a run: from its first sample to the one after its last, where what the last one said ends.
    /// `run_end` is the first sample that is not to be reached, where the track breaks.
    pub(super) fn of(
        track: &Track,
        frame: &Frame,
        run: &RangeInclusive<usize>,
        follows: bool,
        offset_of: impl Fn(usize) -> Offset,
    ) -> Self {
        let end = if follows { *run.end() + 1 } else { *run.end() };
        let usable = (*run.start()..=end).filter(|index| !track.degrees[*index].0.is_nan());
        let mut places: Vec<(usize, Point)> = Vec::new();
        for index in usable {
            let (latitude, longitude) = track.degrees[index];
            let at = frame.point(latitude, longitude);
            let is_near = places.last().is_some_and(|(_, last)| last.distance(at) < STEP_M);
            if !is_near {
                places.push((index, at));
            } else if index == end && places.len() > 1 {
                // The end of a run is exact.
                places.pop();
                places.push((index, at));
            }
        }
        if places.len() < 2 {
            return Self::default();
        }
        let vertices = (0..places.len()).map(|number| {
            let (sample, at) = places[number];
            let right = right_of(&places, number);
            let offset = offset_of(sample);
            let ahead = Point::new(-right.y, right.x);
            let x = at.x + offset.ahead_m * ahead.x + offset.right_m * right.x;
            let y = at.y + offset.ahead_m * ahead.y + offset.right_m * right.y;
            Vertex { sample, at: Point::new(x, y), right }
        });
        Self { vertices: vertices.collect() }
    }

    /// The quadrangles between vertices, each with the sample at which it begins; its width by `width_of` that sample.
    pub(super) fn quadrangles(
        &self,
        width_of: impl Fn(usize) -> f64,
    ) -> impl Iterator<Item = (usize, f64, [Point; 4])> {
        self.vertices.windows(2).map(move |pair| {
            let (a, b) = (&pair[0], &pair[1]);
            let half = width_of(a.sample) / 2.0;
            let side = |vertex: &Vertex, half: f64| {
                Point::new(vertex.at.x + half * vertex.right.x, vertex.at.y + half * vertex.right.y)
            };
            (a.sample, a.at.distance(b.at), [side(a, half), side(b, half), side(b, -half), side(a, -half)])
        })
    }
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
