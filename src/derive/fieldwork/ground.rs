//! Which ground a machine is on: a known field, or a place of its own outside them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Rules;
use super::track::Track;
use crate::derive::field::{Field, FieldId, Fields, LatLon};
use crate::derive::geometry::{Point, distance_to_ring, is_inside};

/// A new look at the fields is worth it after this way, m.
const LOOK_AGAIN_M: f64 = 5.0;

/// A piece of ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Ground {
    /// A known field.
    Field(FieldId),
    /// Ground outside known fields, numbered in the order in which it was first worked.
    Own(u32),
}

/// The known field at each sample, and how far its edge is.
#[derive(Debug, Clone)]
pub(super) struct InFields {
    /// The field within the away margin, and metres outside its edge.
    near: Vec<Option<(FieldId, f64)>>,
    margin_m: f64,
}

impl InFields {
    pub(super) fn of(track: &Track, fields: &Fields, rules: &Rules) -> Self {
        let margin_m = rules.field_margin_m;
        if fields.is_empty() {
            return Self { near: vec![None; track.places.len()], margin_m };
        }
        let mut last: Option<(Point, Option<(FieldId, f64)>)> = None;
        let near = track.places.iter().zip(&track.degrees).map(|(place, (latitude, longitude))| {
            if place.x.is_nan() {
                // Without a position a machine is where it was.
                return last.and_then(|(_, near)| near);
            }
            match last {
                Some((at, near)) if at.distance(*place) < LOOK_AGAIN_M => near,
                _ => {
                    let found = fields.near(*latitude, *longitude, rules.away_margin_m);
                    let near = found.map(|near| (near.field.id, near.distance_m));
                    last = Some((*place, near));
                    near
                }
            }
        });
        let mut near: Vec<_> = near.collect();
        found_again(&mut near, &track.places);
        Self { near, margin_m }
    }

    /// The field that holds a sample.
    pub(super) fn at(&self, sample: usize) -> Option<FieldId> {
        self.near[sample].filter(|(_, distance_m)| *distance_m <= self.margin_m).map(|(field, _)| field)
    }

    /// Whether a sample has not left a field.
    fn is_near(&self, sample: usize, field: FieldId) -> bool {
        self.near[sample].is_some_and(|(near, _)| near == field)
    }

    /// The field of each run: that of most of its samples. A pass along the edge may lie outside by the error of a
    /// boundary, or in the neighbour's: between passes on one field it is taken for one of them.
    pub(super) fn of_runs(
        &self,
        runs: &[RangeInclusive<usize>],
        at_ms: &[i64],
        track: &Track,
        fields: &Fields,
        rules: &Rules,
    ) -> Vec<Option<FieldId>> {
        let mut of: Vec<Option<FieldId>> = runs.iter().map(|run| self.of_run(run.clone())).collect();
        let is_soon = |a: usize, b: usize| (at_ms[b] - at_ms[a]) as f64 <= rules.away_max_s * 1000.0;
        for number in 0..runs.len() {
            let run = &runs[number];
            let before = number.checked_sub(1).filter(|n| is_soon(*runs[*n].end(), *run.start())).and_then(|n| of[n]);
            let next = runs.get(number + 1).filter(|next| is_soon(*run.end(), *next.start()));
            let after = next.and_then(|_| of[number + 1]);
            let candidate = match of[number] {
                None => before.or(after),
                Some(own) => before.filter(|before| after == Some(*before) && own != *before),
            };
            let Some(field) = candidate.and_then(|id| fields.get(id)) else { continue };
            if lies_along(run, track, field, rules.away_margin_m) {
                of[number] = Some(field.id);
            }
        }
        of
    }

    /// The field of most samples of a run; none when most lie outside.
    fn of_run(&self, samples: RangeInclusive<usize>) -> Option<FieldId> {
        let mut votes: BTreeMap<Option<FieldId>, usize> = BTreeMap::new();
        samples.for_each(|sample| *votes.entry(self.at(sample)).or_default() += 1);
        // Of equal votes the first, outside, does not win.
        votes.into_iter().max_by_key(|(field, count)| (*count, field.is_some())).and_then(|(field, _)| field)
    }
}

/// A machine that lost its way outside all fields is where it is found again.
fn found_again(near: &mut [Option<(FieldId, f64)>], places: &[Point]) {
    let mut found = None;
    for (near, place) in near.iter_mut().zip(places).rev() {
        if !place.x.is_nan() {
            found = *near;
        } else if near.is_none() {
            *near = found;
        }
    }
}

/// Whether a run stays inside a field or within `margin_m` of it.
fn lies_along(run: &RangeInclusive<usize>, track: &Track, field: &Field, margin_m: f64) -> bool {
    /// Places of a run that are asked.
    const ASKED: usize = 20;
    let point = |place: &LatLon| track.frame.point(place.lat_deg, place.lon_deg);
    let rings: Vec<Vec<Point>> = field.boundary.rings().map(|ring| ring.iter().map(point).collect()).collect();
    let step = (run.end() - run.start()) / ASKED + 1;
    let mut places = run.clone().step_by(step).map(|index| track.places[index]).filter(|place| !place.x.is_nan());
    places.all(|place| {
        let inside = rings.iter().filter(|ring| is_inside(place, ring)).count() % 2 == 1;
        inside || rings.iter().any(|ring| distance_to_ring(place, ring) <= margin_m)
    })
}

/// Ground outside known fields: squares of the plane that were worked, joined with those beside them.
#[derive(Debug, Clone)]
pub(super) struct OwnGrounds {
    side_m: f64,
    squares: BTreeMap<(i32, i32), u32>,
}

/// How many squares apart two places may be and still be one ground.
const REACH: i32 = 2;

impl OwnGrounds {
    /// Joins the places of runs, given in the order of time.
    pub(super) fn of<'r>(runs: impl Iterator<Item = &'r [Point]>, neighbour_m: f64) -> Self {
        let side_m = neighbour_m / f64::from(REACH);
        let mut parents: Vec<u32> = Vec::new();
        let mut squares: BTreeMap<(i32, i32), u32> = BTreeMap::new();
        for places in runs {
            let run = parents.len() as u32;
            parents.push(run);
            for place in places.iter().filter(|place| !place.x.is_nan()) {
                let (x, y) = square(*place, side_m);
                if squares.get(&(x, y)).is_some_and(|owner| root(&mut parents, *owner) == root(&mut parents, run)) {
                    continue;
                }
                for near in (-REACH..=REACH).flat_map(|dx| (-REACH..=REACH).map(move |dy| (x + dx, y + dy))) {
                    if let Some(owner) = squares.get(&near) {
                        let (a, b) = (root(&mut parents, *owner), root(&mut parents, run));
                        // The older name stays, so that names do not depend on the order of squares.
                        parents[a.max(b) as usize] = a.min(b);
                    }
                }
                squares.entry((x, y)).or_insert(run);
            }
        }
        let squares = squares.into_iter().map(|(at, run)| (at, root(&mut parents, run))).collect();
        Self { side_m, squares }
    }

    /// The ground of a place that was worked.
    pub(super) fn at(&self, place: Point) -> Option<u32> {
        self.squares.get(&square(place, self.side_m)).copied()
    }

    fn is_near(&self, place: Point, ground: u32) -> bool {
        let (x, y) = square(place, self.side_m);
        let mut near = (-REACH..=REACH).flat_map(|dx| (-REACH..=REACH).map(move |dy| (x + dx, y + dy)));
        near.any(|square| self.squares.get(&square) == Some(&ground))
    }
}

fn square(place: Point, side_m: f64) -> (i32, i32) {
    ((place.x / side_m).floor() as i32, (place.y / side_m).floor() as i32)
}

fn root(parents: &mut [u32], mut of: u32) -> u32 {
    while parents[of as usize] != of {
        parents[of as usize] = parents[parents[of as usize] as usize];
        of = parents[of as usize];
    }
    of
}

/// Whether a machine was on some ground at a sample, or has not left it.
pub(super) fn is_near(track: &Track, in_fields: &InFields, own: &OwnGrounds, sample: usize, ground: Ground) -> bool {
    let place = track.places[sample];
    match ground {
        Ground::Field(field) => in_fields.is_near(sample, field),
        Ground::Own(_) if place.x.is_nan() => true,
        Ground::Own(number) => own.is_near(place, number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(x: f64, y: f64) -> Vec<Point> {
        (0..20).map(|n| Point::new(x + 10.0 * f64::from(n), y)).collect()
    }

    fn grounds(runs: &[Vec<Point>]) -> Vec<Option<u32>> {
        let own = OwnGrounds::of(runs.iter().map(Vec::as_slice), 60.0);
        runs.iter().map(|run| own.at(run[3])).collect()
    }

    #[test]
    fn a_machine_without_positions_is_where_it_was_or_where_it_is_found_again() {
        let field = |id: i64| Some((FieldId(id), 0.0));
        let lost = Point::new(f64::NAN, f64::NAN);
        let places = [Point::default(), lost, Point::default(), lost, Point::default()];
        let mut near = [None, None, field(1), field(1), field(2)];
        found_again(&mut near, &places);
        assert_eq!(near, [None, field(1), field(1), field(1), field(2)]);
    }

    #[test]
    fn passes_side_by_side_are_one_ground_and_a_far_one_is_another() {
        assert_eq!(grounds(&[line(0.0, 0.0), line(0.0, 2000.0), line(0.0, 20.0)]), [Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn two_grounds_become_one_where_a_pass_joins_them() {
        assert_eq!(grounds(&[line(0.0, 0.0), line(400.0, 0.0), line(200.0, 0.0)]), [Some(0); 3]);
    }

    #[test]
    fn near_is_within_the_neighbourhood() {
        let own = OwnGrounds::of([line(0.0, 0.0).as_slice()].into_iter(), 60.0);
        assert!(own.is_near(Point::new(100.0, 50.0), 0));
        assert!(!own.is_near(Point::new(100.0, 120.0), 0));
        assert!(!own.is_near(Point::new(100.0, 50.0), 1));
    }
}
