//! How a field is worked: rounds along its boundary and around its obstacles, and parallel passes between them.
//!
//! Rounds first: the boundary moves inwards by half a swath, then by whole ones, as long as something is left. What the
//! rounds do not cover is cut into strips as wide as a swath, along the side that needs the fewest of them. A strip
//! is as long as what it has to cover, so that nothing is left between a pass and a slanting headland. Strips that
//! lie side by side without an obstacle between them make a *land*, which is driven back and forth: neighbour after
//! neighbour, or, where turning into the next strip would need a turn in three parts, across half a block of strips.

use super::path::Path;
use super::plane::Point;
use super::polygon::{Polygon, ring_edges};

/// Rounds, at most.
const MAX_ROUNDS: usize = 8;
/// Directions tried for the passes: those of the longest sides.
const MAX_DIRECTIONS: usize = 8;
/// Shorter passes are not worth lowering the implement for.
const MIN_PASS_M: f64 = 4.0;
/// Remains narrower than this share of a swath are left.
const SLIVER_SHARE: f64 = 0.35;
/// Corners nearer to each other are one, metres.
const NEAR_M: f64 = 0.2;
/// Obstacles are passed with this much air beside the swath, metres.
const AIR_M: f64 = 0.3;

/// How an implement covers ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CoverageRules {
    /// Width of the swath, metres.
    pub(crate) width_m: f64,
    /// Share of the width by which neighbours overlap.
    pub(crate) overlap: f64,
    /// Turning radius of the machine, metres.
    pub(crate) radius_m: f64,
    /// Rounds come first where the crop must be cut before one can drive on it, else last.
    pub(crate) rounds_first: bool,
    /// Whether a pass has to lie beside the one before it, as with a reversible plough.
    pub(crate) neighbours_only: bool,
}

/// One run in work. A machine keeps hundreds, hence single precision: a millimetre at the far end of a farm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pass {
    /// Round `0` of [`Coverage::rounds`], from the middle of its first side around to the same place.
    Round(u32),
    /// Straight.
    Straight {
        from: (f32, f32),
        to: (f32, f32),
        /// Width of the swath that nobody worked before, metres.
        fresh_m: f32,
    },
}

/// A plan for a field.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Coverage {
    /// Ways of the rounds.
    pub(crate) rounds: Vec<Vec<Point>>,
    /// In the order in which they are driven.
    pub(crate) passes: Vec<Pass>,
    /// Width between neighbouring rounds, metres.
    pub(crate) spacing_m: f64,
}

/// A strip: number, beginning and end along the direction of the passes.
#[derive(Debug, Clone, Copy)]
struct Span {
    row: usize,
    from: f64,
    to: f64,
}

impl Coverage {
    /// Plans `field`, beginning near `gate`.
    pub(crate) fn plan(field: &Polygon, rules: &CoverageRules, gate: Point) -> Self {
        let spacing_m = rules.width_m * (1.0 - rules.overlap);
        let wanted = ((rules.radius_m + rules.width_m / 2.0 + 1.0) / spacing_m).ceil() as usize;
        let rings = rings(field, spacing_m, rules.width_m, wanted.clamp(1, MAX_ROUNDS));
        let remains = field.without_bands(&rings, spacing_m, rules.width_m * SLIVER_SHARE);
        let mut here = gate;
        let mut plan = Self { rounds: Vec::new(), passes: Vec::new(), spacing_m };
        if rules.rounds_first {
            plan.add_rounds(rings.clone(), &mut here);
        }
        let strips = Strips::best(field, &remains, spacing_m);
        plan.add_lands(&strips, rules, &mut here);
        if !rules.rounds_first {
            plan.add_rounds(rings.into_iter().rev().collect(), &mut here);
        }
        plan
    }

    /// The way of a pass, and the width of its swath that nobody worked before.
    pub(crate) fn way(&self, pass: &Pass, radius_m: f64, width_m: f64) -> (Path, f64) {
        let point = |(x, y): (f32, f32)| Point::new(f64::from(x), f64::from(y));
        match *pass {
            Pass::Straight { from, to, fresh_m } => (Path::straight(point(from), point(to)), f64::from(fresh_m)),
            Pass::Round(round) => {
                let ring = self.rounds.get(round as usize).map_or(&[][..], Vec::as_slice);
                // The outermost round meets nothing that was worked before.
                let fresh_m = if round == 0 { width_m } else { self.spacing_m };
                (Path::rounded(ring, true, radius_m), fresh_m)
            }
        }
    }

    /// Adds rounds in the given order, each from where the one before it ended.
    fn add_rounds(&mut self, rings: Vec<Vec<Point>>, here: &mut Point) {
        for mut ring in rings {
            let nearest = ring_edges(&ring)
                .enumerate()
                .min_by(|a, b| {
                    let reach = |(from, to): (Point, Point)| from.towards(to, 0.5).distance(*here);
                    reach(a.1).total_cmp(&reach(b.1))
                })
                .map_or(0, |(index, _)| index);
            ring.rotate_left(nearest);
            *here = ring[0].towards(ring[1], 0.5);
            self.passes.push(Pass::Round(self.rounds.len() as u32));
            self.rounds.push(ring);
        }
    }

    /// Adds the passes of all lands, nearest land first.
    fn add_lands(&mut self, strips: &Strips, rules: &CoverageRules, here: &mut Point) {
        let mut lands = strips.lands();
        let overlap_m = rules.width_m - strips.spacing_m;
        while !lands.is_empty() {
            let (index, backwards, from_right) = nearest_land(&lands, strips, *here);
            let land = lands.swap_remove(index);
            let order = order_in_land(land.len(), strips.spacing_m, rules);
            let mut worked = vec![false; land.len()];
            for (step, position) in order.into_iter().enumerate() {
                let position = if backwards { land.len() - 1 - position } else { position };
                let span = land[position];
                let beside = |offset: isize| position.checked_add_signed(offset).and_then(|p| worked.get(p));
                let neighbours = [beside(-1), beside(1)].into_iter().flatten().filter(|worked| **worked).count();
                worked[position] = true;
                let (from, to) =
                    if (step % 2 == 1) == from_right { (span.from, span.to) } else { (span.to, span.from) };
                let (from, to) = (strips.point(span.row, from), strips.point(span.row, to));
                let fresh_m = rules.width_m - overlap_m * neighbours as f64;
                let small = |p: Point| (p.x as f32, p.y as f32);
                self.passes.push(Pass::Straight { from: small(from), to: small(to), fresh_m: fresh_m as f32 });
                *here = to;
            }
        }
    }
}

/// Ways of the rounds, the outermost first.
fn rings(field: &Polygon, spacing_m: f64, width_m: f64, wanted: usize) -> Vec<Vec<Point>> {
    let mut rings = Vec::new();
    for round in 0..wanted {
        let depth_m = width_m / 2.0 + spacing_m * round as f64;
        for shape in field.inset(depth_m) {
            rings.push(shape.outline);
        }
        // Around obstacles a little wider: rounded corners are cut towards them.
        for shape in field.inset(depth_m + AIR_M) {
            rings.extend(shape.holes);
        }
    }
    for ring in &mut rings {
        // Where a boundary was moved, corners can come to lie on each other.
        ring.dedup_by(|a, b| a.distance(*b) < NEAR_M);
        while ring.len() > 3 && ring[0].distance(ring[ring.len() - 1]) < NEAR_M {
            ring.pop();
        }
    }
    rings.retain(|ring| ring.len() >= 3);
    rings
}

/// In which order the strips of a land are driven.
fn order_in_land(count: usize, spacing_m: f64, rules: &CoverageRules) -> Vec<usize> {
    // A turn of two arcs needs two radii between the strips.
    let apart = (2.0 * rules.radius_m / spacing_m).ceil() as usize;
    if apart <= 1 || rules.neighbours_only || count < 3 {
        return (0..count).collect();
    }
    let block = 2 * (apart + 1);
    let mut order = Vec::with_capacity(count);
    for start in (0..count).step_by(block) {
        let size = block.min(count - start);
        let half = size.div_ceil(2);
        for index in 0..half {
            order.push(start + index);
            if index + half < size {
                order.push(start + index + half);
            }
        }
    }
    order
}

/// The land whose corner is nearest to `here`; whether it is driven from its last strip, and whether that is driven
/// from its far end.
fn nearest_land(lands: &[Vec<Span>], strips: &Strips, here: Point) -> (usize, bool, bool) {
    let mut best = (f64::INFINITY, (0, false, false));
    for (index, land) in lands.iter().enumerate() {
        let (Some(first), Some(last)) = (land.first(), land.last()) else { continue };
        for (backwards, span) in [(false, first), (true, last)] {
            for (from_right, along) in [(false, span.from), (true, span.to)] {
                let reach_m = strips.point(span.row, along).distance(here);
                if reach_m < best.0 {
                    best = (reach_m, (index, backwards, from_right));
                }
            }
        }
    }
    best.1
}

/// FieldWays cut into strips.
struct Strips {
    axes: (f64, f64),
    lowest: f64,
    spacing_m: f64,
    spans: Vec<Span>,
}

impl Strips {
    /// Strips along the side of `field` that needs the fewest.
    fn best(field: &Polygon, remains: &[Polygon], spacing_m: f64) -> Self {
        let mut sides: Vec<_> = ring_edges(&field.outline).map(|(a, b)| (a.distance(b), a.direction(b))).collect();
        sides.sort_by(|a, b| b.0.total_cmp(&a.0));
        let height = |direction: f64| {
            let axes = direction.sin_cos();
            remains
                .iter()
                .map(|part| {
                    let across = part.outline.iter().map(|p| p.in_axes(axes).y);
                    let (low, high) = across.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
                    high - low
                })
                .sum::<f64>()
        };
        let direction = sides
            .iter()
            .take(MAX_DIRECTIONS)
            .map(|side| (height(side.1), side.1))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(0.0, |(_, direction)| direction);
        Self::cut(remains, direction.sin_cos(), spacing_m)
    }

    fn cut(remains: &[Polygon], axes: (f64, f64), spacing_m: f64) -> Self {
        let edges: Vec<(Point, Point)> =
            remains.iter().flat_map(Polygon::edges).map(|(a, b)| (a.in_axes(axes), b.in_axes(axes))).collect();
        let (low, high) =
            edges.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (a, _)| (low.min(a.y), high.max(a.y)));
        let mut strips = Self { axes, lowest: low, spacing_m, spans: Vec::new() };
        if low >= high {
            return strips;
        }
        // Rather a little more overlap everywhere than a last strip on worked ground.
        let rows = ((high - low) / spacing_m - 0.02).ceil().max(1.0);
        strips.spacing_m = (high - low) / rows;
        for row in 0..rows as usize {
            let bottom = low + strips.spacing_m * row as f64;
            strips.spans.extend(
                shadows(&edges, bottom, bottom + strips.spacing_m)
                    .into_iter()
                    .filter(|(from, to)| to - from >= MIN_PASS_M)
                    .map(|(from, to)| Span { row, from, to }),
            );
        }
        strips
    }

    /// The point `along` the middle of strip `row`.
    fn point(&self, row: usize, along: f64) -> Point {
        Point::new(along, self.lowest + (row as f64 + 0.5) * self.spacing_m).out_of_axes(self.axes)
    }

    /// Runs of strips that lie side by side with nothing between them.
    fn lands(&self) -> Vec<Vec<Span>> {
        let mut lands: Vec<Vec<Span>> = Vec::new();
        let mut before: Vec<(Span, usize)> = Vec::new();
        let touch = |a: &Span, b: &Span| a.from < b.to && b.from < a.to;
        let mut rest = self.spans.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|span| span.row == first.row).count();
            let (here, behind) = rest.split_at(count);
            let mut now = Vec::with_capacity(count);
            for span in here {
                let below: Vec<_> =
                    before.iter().filter(|(other, _)| other.row + 1 == span.row && touch(other, span)).collect();
                let land = match below.as_slice() {
                    // One below, and this one alone above it.
                    [(other, land)] if here.iter().filter(|above| touch(above, other)).count() == 1 => *land,
                    _ => {
                        lands.push(Vec::new());
                        lands.len() - 1
                    }
                };
                lands[land].push(*span);
                now.push((*span, land));
            }
            before = now;
            rest = behind;
        }
        lands
    }
}

/// What polygons (as `edges`) throw onto the axis from between the heights `bottom` and `top`: disjoint, ascending.
fn shadows(edges: &[(Point, Point)], bottom: f64, top: f64) -> Vec<(f64, f64)> {
    let mut heights: Vec<f64> =
        edges.iter().map(|(a, _)| a.y).filter(|y| *y > bottom && *y < top).chain([bottom, top]).collect();
    heights.sort_by(f64::total_cmp);
    heights.dedup_by(|a, b| *a - *b < 1e-9);
    let mut shadows: Vec<(f64, f64)> = Vec::new();
    for slab in heights.windows(2) {
        let (low, high) = (slab[0], slab[1]);
        let middle = (low + high) / 2.0;
        // Between two heights with a corner no side begins, ends or crosses another.
        let mut sides: Vec<(f64, f64, f64)> = edges
            .iter()
            .filter(|(a, b)| (a.y > middle) != (b.y > middle))
            .map(|(a, b)| {
                let x = |y: f64| a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
                (x(middle), x(low), x(high))
            })
            .collect();
        sides.sort_by(|a, b| a.0.total_cmp(&b.0));
        shadows.extend(sides.chunks_exact(2).map(|pair| (pair[0].1.min(pair[0].2), pair[1].1.max(pair[1].2))));
    }
    shadows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (from, to) in shadows {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::area::{Covered, Strip, swath_area};
    use super::super::plane::Pose;
    use super::super::route::FieldWays;
    use super::*;
    use proptest::prelude::*;

    const CENTRE: Point = Point::new(3_000.0, -2_000.0);

    /// A star-shaped polygon: simple whatever the radii, with inner corners.
    fn star(radii_m: &[f64]) -> Vec<Point> {
        let step = std::f64::consts::TAU / radii_m.len() as f64;
        radii_m.iter().enumerate().map(|(index, radius)| CENTRE.ahead(step * index as f64, *radius)).collect()
    }

    fn way_of(plan: &Coverage, pass: &Pass, radius_m: f64) -> Path {
        plan.way(pass, radius_m, 1.0).0
    }

    fn strips_of(plan: &Coverage, radius_m: f64) -> Vec<Strip> {
        let ways = plan.passes.iter().map(|pass| way_of(plan, pass, radius_m));
        let strips = ways.map(|way| {
            way.pieces().iter().map(|p| Strip::new(CENTRE, p.from, p.length_m, p.curvature)).collect::<Vec<_>>()
        });
        strips.flatten().collect()
    }

    fn covered(field: &Polygon, plan: &Coverage, rules: &CoverageRules) -> Covered {
        swath_area(&strips_of(plan, rules.radius_m), rules.width_m, Some((field, CENTRE)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_field_is_covered_once_and_its_obstacles_are_not_entered(
            radii_m in prop::collection::vec(220.0..480.0f64, 4..14), hole_m in 12.0..50.0f64, has_hole in any::<bool>(),
            width_m in 2.0..12.0f64, overlap in 0.01..0.08f64, rounds_first in any::<bool>(), neighbours_only in any::<bool>(),
        ) {
            let hole: Vec<_> = star(&[hole_m; 9]);
            let field = Polygon::new(star(&radii_m), if has_hole { vec![hole.clone()] } else { Vec::new() });
            let rules = CoverageRules { width_m, overlap, radius_m: 6.0, rounds_first, neighbours_only };
            let plan = Coverage::plan(&field, &rules, CENTRE.ahead(1.0, 400.0));
            let covered = covered(&field, &plan, &rules);
            let field_ha = field.area_m2() / 10_000.0;
            prop_assert!(covered.inside_ha / field_ha > 0.975, "covered {:?} of {}", covered, field_ha);
            prop_assert!(covered.area.worked_ha / field_ha < 1.01, "{:?} of {}", covered, field_ha);
            // Beside the stated overlap passes run over slanting headlands and rounds over each other in corners.
            let double = covered.area.double_worked_ha / covered.area.worked_ha;
            prop_assert!(double < overlap + 0.10, "{} at {}", double, overlap);
            let obstacle = Polygon::new(hole, Vec::new());
            let ways = FieldWays::new(field.clone(), rules.radius_m, rules.radius_m);
            let mut here: Option<Pose> = None;
            for (index, pass) in plan.passes.iter().enumerate() {
                let way = way_of(&plan, pass, rules.radius_m);
                let from = way.pieces()[0].from;
                if let (Some(here), true) = (here, has_hole) {
                    for point in ways.turn(here, from).points(2.0) {
                        prop_assert!(!obstacle.contains(point), "turn {} enters", index);
                    }
                }
                here = way.end();
            }
            if has_hole {
                let on_obstacle = swath_area(&strips_of(&plan, 6.0), rules.width_m, Some((&obstacle, CENTRE)));
                prop_assert!(on_obstacle.inside_ha < 1e-3, "{:?}", on_obstacle);
            }
        }
    }

    #[test]
    fn a_rectangle_takes_as_many_passes_as_it_is_wide() {
        let corners = [(0.0, 0.0), (800.0, 0.0), (800.0, 300.0), (0.0, 300.0)];
        let field = Polygon::new(corners.map(|(x, y)| Point::new(x, y)).to_vec(), Vec::new());
        let rules =
            CoverageRules { width_m: 6.0, overlap: 0.05, radius_m: 5.0, rounds_first: true, neighbours_only: true };
        let plan = Coverage::plan(&field, &rules, Point::default());
        let rounds = plan.rounds.len();
        assert_eq!(rounds, 2, "9 m to turn, in rounds of 5.7 m");
        let between_m: f64 = 300.0 - 2.0 * (6.0 + 5.7) + 0.3;
        assert_eq!(plan.passes.len() - rounds, (between_m / 5.7).ceil() as usize);
        let fresh: Vec<f32> = plan
            .passes
            .iter()
            .filter_map(|pass| if let Pass::Straight { fresh_m, .. } = pass { Some(*fresh_m) } else { None })
            .collect();
        assert!((fresh[0] - 6.0).abs() < 1e-6);
        assert!(fresh[1..].iter().all(|fresh| (5.4..5.8).contains(fresh)), "{fresh:?}");
    }

    #[test]
    fn narrow_strips_are_driven_across_half_a_block() {
        let rules =
            CoverageRules { width_m: 2.0, overlap: 0.0, radius_m: 4.0, rounds_first: true, neighbours_only: false };
        let order = order_in_land(23, 2.0, &rules);
        assert_eq!(&order[..10], [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..23).collect::<Vec<_>>());
    }
}
