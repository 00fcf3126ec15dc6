//! The way as points a step apart, and where on it the machine went slowly.

use super::super::Rules;
use super::super::track::Track;
use super::{direction, median};
use crate::derive::Readings;
use crate::derive::geometry::Point;

/// Distance between nodes, m.
pub(super) const STEP_M: f64 = 4.0;
/// Longest straight way between two positions that is filled with nodes, m.
const HOP_MAX_M: f64 = 120.0;
/// Nodes to each side over which direction is taken: 12 m.
pub(super) const DIRECTION_NODES: usize = 3;
/// A point is slow when its speed is below this share of what is usual just before and just after it.
const SLOW_SHARE: f64 = 0.85;
/// Just before and just after, s.
const SLOW_WINDOW_S: f64 = 20.0;

/// A place on the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub sample: usize,
    pub at: Point,
    /// Unit vector; none where the way ends.
    pub direction: Point,
    pub leg: u32,
    /// The slow point between this node and the one before.
    pub slow: Option<usize>,
}

impl Node {
    fn of(sample: usize, at: Point) -> Self {
        Self { sample, at, direction: Point::default(), leg: 0, slow: None }
    }

    pub(super) fn has_direction(&self) -> bool {
        self.direction != Point::default()
    }
}

/// The way as points a step apart; gaps and jumps leave an empty place between (a node without direction).
pub(super) fn nodes(readings: &Readings, track: &Track, slow: &[bool], rules: &Rules) -> Vec<Node> {
    let at = &readings.recorded_at_ms;
    let mut pieces: Vec<Vec<Node>> = vec![Vec::new()];
    let mut last: Option<(usize, Point)> = None;
    for index in 0..track.places.len() {
        let place = track.places[index];
        if place.x.is_nan() {
            continue;
        }
        let piece = pieces.last_mut().expect("there is always a piece");
        match last {
            Some((before, from)) => {
                let (way, seconds) = (from.distance(place), (at[index] - at[before]) as f64 / 1000.0);
                if track.broken[index] || way > HOP_MAX_M || seconds > rules.gap_s {
                    pieces.push(vec![Node::of(index, place)]);
                } else if way < STEP_M {
                    continue;
                } else {
                    let steps = (way / STEP_M) as usize;
                    let first = piece.len();
                    piece.extend(
                        (1..=steps).map(|step| Node::of(index, from.towards(place, step as f64 / steps as f64))),
                    );
                    piece[first].slow = (before + 1..=index).find(|sample| slow[*sample]);
                }
            }
            None => piece.push(Node::of(index, place)),
        }
        last = Some((index, place));
    }
    for piece in &mut pieces {
        let places: Vec<Point> = piece.iter().map(|node| node.at).collect();
        for (number, node) in piece.iter_mut().enumerate() {
            let from = places[number.saturating_sub(DIRECTION_NODES)];
            let to = places[(number + DIRECTION_NODES).min(places.len() - 1)];
            node.direction = direction(from, to).unwrap_or_default();
        }
    }
    // A node without direction ends a leg.
    pieces.into_iter().flat_map(|piece| piece.into_iter().chain([Node::of(0, Point::default())])).collect()
}

/// Where the machine goes clearly slower than just before and just after: there something is lowered or lifted.
pub(super) fn slow_points(at_ms: &[i64], speed_mps: &[f64], rules: &Rules) -> Vec<bool> {
    let standing_mps = rules.standing_kmh / 3.6;
    let near = |samples: &mut dyn Iterator<Item = usize>, from: usize| -> Vec<f64> {
        let near = samples.take_while(|sample| (at_ms[*sample] - at_ms[from]).abs() as f64 <= SLOW_WINDOW_S * 1000.0);
        near.map(|sample| speed_mps[sample]).filter(|speed| *speed > standing_mps).collect()
    };
    let is_slow = |index: usize| {
        let is_slower = |usual: f64| speed_mps[index] < SLOW_SHARE * usual;
        // Nobody is slower than half of them who is slower than none: that is asked first, for it needs no order.
        let [before, after] = [near(&mut (0..index).rev(), index), near(&mut (index + 1..at_ms.len()), index)];
        let sides = [&before, &after];
        sides.iter().all(|side| side.is_empty() || side.iter().any(|usual| is_slower(*usual)))
            && sides.iter().all(|side| median(side.iter().copied()).is_none_or(is_slower))
            && !(before.is_empty() && after.is_empty())
    };
    (0..at_ms.len()).map(|index| !speed_mps[index].is_nan() && is_slow(index)).collect()
}
