//! What a swath covers on the ground: its union, and what is covered more than once.

use super::plane::{Point, Pose};
use super::polygon::Polygon;
use crate::truth::SwathArea;

/// Distance of the lines along which lengths are measured, metres. Across them measuring is exact; along them errors
/// are of second order and cancel: below 0.01 % of a field.
const LINE_M: f64 = 0.5;
/// Lines lie askew to the swaths by this angle, so that no edge of a swath runs along a line.
const ASKEW: f64 = 0.37;
/// Arcs are cut into wedges of this angle.
const WEDGE: f64 = 0.1;

/// A piece of a swath: the way of the middle of an implement in work. Kept by the thousand, hence small: the place is
/// relative to a point of the field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Strip {
    x: f32,
    y: f32,
    heading: f32,
    length_m: f32,
    curvature: f32,
}

impl Strip {
    /// The strip of a piece of way that begins at `from`, which is near `origin`.
    pub(crate) fn new(origin: Point, from: Pose, length_m: f64, curvature: f64) -> Self {
        Self {
            x: (from.at.x - origin.x) as f32,
            y: (from.at.y - origin.y) as f32,
            heading: from.heading as f32,
            length_m: length_m as f32,
            curvature: curvature as f32,
        }
    }

    /// The ends of the implement at both ends of every straight or wedge.
    fn quads(&self, width_m: f64, mut each: impl FnMut([Point; 4])) {
        let (curvature, length_m) = (f64::from(self.curvature), f64::from(self.length_m));
        let steps = ((curvature * length_m).abs() / WEDGE).ceil().max(1.0);
        let ends = |along_m: f64| {
            let heading = f64::from(self.heading) + curvature * along_m;
            let (x, y) = (f64::from(self.x), f64::from(self.y));
            let at = if curvature == 0.0 {
                Point::new(x, y).ahead(heading, along_m)
            } else {
                let (start, radius) = (f64::from(self.heading), 1.0 / curvature);
                Point::new(x + radius * (heading.sin() - start.sin()), y - radius * (heading.cos() - start.cos()))
            };
            let across = heading + std::f64::consts::FRAC_PI_2;
            [at.ahead(across, width_m / 2.0), at.ahead(across, -width_m / 2.0)]
        };
        let mut before = ends(0.0);
        for step in 1..=steps as usize {
            let behind = ends(length_m * step as f64 / steps);
            each([before[0], before[1], behind[0], behind[1]]);
            before = behind;
        }
    }
}

/// What strips cover.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Covered {
    pub(crate) area: SwathArea,
    /// Of the union, what lies inside the field given, hectares; all of it where none is.
    pub(crate) inside_ha: f64,
}

/// Lengths on measuring lines: number of the line, from, to.
type Spans = Vec<(u32, f32, f32)>;

/// The area that an implement of `width_m` covers along `strips` around `origin`.
pub(crate) fn swath_area(strips: &[Strip], width_m: f64, field: Option<(&Polygon, Point)>) -> Covered {
    let Some(longest) = strips.iter().max_by(|a, b| a.length_m.total_cmp(&b.length_m)) else {
        return Covered::default();
    };
    let axes = (f64::from(longest.heading) + ASKEW).sin_cos();
    let mut lowest = f64::INFINITY;
    let mut width_distance_m2 = 0.0;
    for strip in strips {
        width_distance_m2 += f64::from(strip.length_m) * width_m;
        strip.quads(width_m, |quad| lowest = quad.iter().map(|p| p.in_axes(axes).y).fold(lowest, f64::min));
    }
    let mut spans = Spans::new();
    for strip in strips {
        strip.quads(width_m, |quad| add_spans(quad.map(|p| p.in_axes(axes)), lowest, &mut spans));
    }
    spans.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let field = field.map(|(field, origin)| field_spans(field, origin, axes, lowest));
    let mut sums = Sums::default();
    let mut rest = spans.as_slice();
    while let Some(&(line, ..)) = rest.first() {
        let count = rest.iter().take_while(|span| span.0 == line).count();
        let (here, behind) = rest.split_at(count);
        sums.add(here, field.as_deref().map(|field| spans_of(field, line)));
        rest = behind;
    }
    let to_ha = LINE_M / 10_000.0;
    Covered {
        area: SwathArea {
            worked_ha: sums.union_m * to_ha,
            double_worked_ha: sums.double_m * to_ha,
            width_distance_ha: width_distance_m2 / 10_000.0,
        },
        inside_ha: sums.inside_m * to_ha,
    }
}

/// Adds where the convex hull of four points cuts the measuring lines.
fn add_spans(corners: [Point; 4], lowest: f64, spans: &mut Spans) {
    const SIDES: [(usize, usize); 6] = [(0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2)];
    let low = corners.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
    let high = corners.iter().map(|p| p.y).fold(f64::NEG_INFINITY, f64::max);
    let first = ((low - lowest) / LINE_M - 0.5).ceil().max(0.0) as u32;
    let end = ((high - lowest) / LINE_M - 0.5).ceil().max(0.0) as u32;
    for line in first..end {
        let y = lowest + (f64::from(line) + 0.5) * LINE_M;
        let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
        for (a, b) in SIDES.map(|(a, b)| (corners[a], corners[b])) {
            if (a.y <= y) != (b.y <= y) {
                let x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
                from = from.min(x);
                to = to.max(x);
            }
        }
        if from < to {
            spans.push((line, from as f32, to as f32));
        }
    }
}

/// Where the measuring lines lie in the field.
fn field_spans(field: &Polygon, origin: Point, axes: (f64, f64), lowest: f64) -> Spans {
    let mut crossings: Vec<(u32, f32)> = Vec::new();
    for (a, b) in field.edges() {
        let [a, b] = [a, b].map(|p| Point::new(p.x - origin.x, p.y - origin.y).in_axes(axes));
        let first = ((a.y.min(b.y) - lowest) / LINE_M - 0.5).ceil().max(0.0) as u32;
        let end = ((a.y.max(b.y) - lowest) / LINE_M - 0.5).ceil().max(0.0) as u32;
        for line in first..end {
            let y = lowest + (f64::from(line) + 0.5) * LINE_M;
            crossings.push((line, (a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) as f32));
        }
    }
    crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    crossings.chunks_exact(2).map(|pair| (pair[0].0, pair[0].1, pair[1].1)).collect()
}

fn spans_of(spans: &[(u32, f32, f32)], line: u32) -> &[(u32, f32, f32)] {
    let from = spans.partition_point(|span| span.0 < line);
    let to = spans.partition_point(|span| span.0 <= line);
    &spans[from..to]
}

#[derive(Default)]
struct Sums {
    union_m: f64,
    double_m: f64,
    inside_m: f64,
}

impl Sums {
    /// Adds the spans of one line, ascending by their beginning.
    fn add(&mut self, spans: &[(u32, f32, f32)], field: Option<&[(u32, f32, f32)]>) {
        // Up to where the line is covered once, and twice.
        let (mut once, mut twice) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for &(_, from, to) in spans {
            self.double_m += f64::from((to.min(once) - from.max(twice)).max(0.0));
            twice = twice.max(to.min(once));
            let fresh = (from.max(once), to);
            if fresh.1 > fresh.0 {
                self.union_m += f64::from(fresh.1 - fresh.0);
                self.inside_m += match field {
                    Some(field) => {
                        field.iter().map(|f| f64::from((fresh.1.min(f.2) - fresh.0.max(f.1)).max(0.0))).sum()
                    }
                    None => f64::from(fresh.1 - fresh.0),
                };
                once = to;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Point = Point::new(2_000.0, -1_000.0);

    fn strip(x: f64, y: f64, heading: f64, length_m: f64, curvature: f64) -> Strip {
        Strip::new(ORIGIN, Pose::new(Point::new(ORIGIN.x + x, ORIGIN.y + y), heading), length_m, curvature)
    }

    fn assert_near(left: f64, right: f64) {
        assert!((left - right).abs() <= 2e-4 * right.abs().max(0.1), "{left} is not {right}");
    }

    #[test]
    fn one_pass_covers_width_times_length() {
        let covered = swath_area(&[strip(0.0, 0.0, 0.3, 800.0, 0.0)], 6.0, None);
        assert_near(covered.area.worked_ha, 0.48);
        assert_near(covered.area.width_distance_ha, 0.48);
        assert_eq!(covered.area.double_worked_ha, 0.0);
    }

    #[test]
    fn neighbours_share_their_overlap_and_a_third_pass_counts_it_once() {
        let passes: Vec<_> = (0..50).map(|n| strip(0.0, 5.5 * f64::from(n), 0.0, 500.0, 0.0)).collect();
        let covered = swath_area(&passes, 6.0, None);
        assert_near(covered.area.worked_ha, (49.0 * 5.5 + 6.0) * 500.0 / 10_000.0);
        assert_near(covered.area.double_worked_ha, 49.0 * 0.5 * 500.0 / 10_000.0);
        let again: Vec<_> = passes.iter().chain(&passes).chain(&passes).copied().collect();
        let covered = swath_area(&again, 6.0, None);
        assert_near(covered.area.double_worked_ha, covered.area.worked_ha);
    }

    #[test]
    fn a_ring_is_a_ring_and_a_tight_turn_a_disk() {
        let check = |radius_m: f64, width_m: f64, area_m2: f64| {
            let way_m = std::f64::consts::TAU * radius_m;
            let covered = swath_area(&[strip(0.0, 0.0, 0.0, way_m, 1.0 / radius_m)], width_m, None);
            // Wedges have straight outer sides.
            assert!((covered.area.worked_ha * 10_000.0 / area_m2 - 1.0).abs() < 3e-3, "{covered:?}");
        };
        check(50.0, 6.0, std::f64::consts::PI * (53.0f64.powi(2) - 47.0f64.powi(2)));
        check(2.0, 6.0, std::f64::consts::PI * 25.0);
    }

    #[test]
    fn what_lies_outside_the_field_is_told_apart() {
        let corners = [(0.0, 0.0), (400.0, 0.0), (400.0, 200.0), (0.0, 200.0)];
        let field = Polygon::new(corners.map(|(x, y)| Point::new(ORIGIN.x + x, ORIGIN.y + y)).to_vec(), Vec::new());
        let covered = swath_area(&[strip(-100.0, 1.0, 0.0, 300.0, 0.0)], 6.0, Some((&field, ORIGIN)));
        assert_near(covered.area.worked_ha, 0.18);
        assert_near(covered.inside_ha, 200.0 * 4.0 / 10_000.0);
    }
}
