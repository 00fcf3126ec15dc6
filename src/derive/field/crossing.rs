//! Where rings meet themselves or each other, in exact arithmetic.

use rstar::{AABB, RTree, RTreeObject};

/// A point in units of 1e-9 degree: (longitude, latitude).
pub(super) type Nano = [i64; 2];

/// An edge of a ring.
#[derive(Debug, Clone, Copy)]
struct Edge {
    ring: usize,
    number: usize,
    from: Nano,
    to: Nano,
}

impl RTreeObject for Edge {
    type Envelope = AABB<Nano>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.from, self.to)
    }
}

/// How two edges meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    Apart,
    /// They share one point, an end of at least one.
    Touch,
    /// They cross inside both, or share a length.
    Cross,
}

/// A place near which a ring meets itself, or two rings cross. Rings that touch at a point are sound: a hole may
/// reach the outline. Of several places the one at the lowest edge is told, so that the answer does not depend on
/// the search.
pub(super) fn first_crossing(rings: &[Vec<Nano>]) -> Option<Nano> {
    let edges: Vec<Edge> = rings
        .iter()
        .enumerate()
        .flat_map(|(ring, points)| {
            (0..points.len()).map(move |number| {
                let (from, to) = (points[number], points[(number + 1) % points.len()]);
                Edge { ring, number, from, to }
            })
        })
        .collect();
    let tree = RTree::bulk_load(edges.clone());
    edges.iter().find_map(|edge| {
        let nearby = tree.locate_in_envelope_intersecting(edge.envelope());
        let offending = nearby.filter(|other| offends(edge, other, rings[edge.ring].len()));
        let first = offending.min_by_key(|other| (other.ring, other.number))?;
        Some(meeting_point(edge, first))
    })
}

fn offends(edge: &Edge, other: &Edge, edges_of_ring: usize) -> bool {
    let met = meeting(edge, other);
    if edge.ring != other.ring {
        return met == Meeting::Cross;
    }
    let apart = (edge.number + edges_of_ring - other.number) % edges_of_ring;
    match apart {
        0 => false,
        // Neighbours share their common end and nothing more, unless the ring turns back on itself.
        1 => met == Meeting::Cross,
        _ if apart == edges_of_ring - 1 => met == Meeting::Cross,
        _ => met != Meeting::Apart,
    }
}

fn meeting(one: &Edge, two: &Edge) -> Meeting {
    let [a, b] = [one.from, one.to].map(|point| side(two.from, two.to, point));
    let [c, d] = [two.from, two.to].map(|point| side(one.from, one.to, point));
    if a == 0 && b == 0 {
        return along_one_line(one, two);
    }
    if a * b < 0 && c * d < 0 {
        return Meeting::Cross;
    }
    if a * b <= 0 && c * d <= 0 { Meeting::Touch } else { Meeting::Apart }
}

/// Edges on one line: they share a length, a point, or nothing.
fn along_one_line(one: &Edge, two: &Edge) -> Meeting {
    let axis = usize::from(one.from[0] == one.to[0]);
    let span = |edge: &Edge| {
        let [from, to] = [edge.from[axis], edge.to[axis]];
        (from.min(to), from.max(to))
    };
    let ((a, b), (c, d)) = (span(one), span(two));
    match a.max(c).cmp(&b.min(d)) {
        std::cmp::Ordering::Less => Meeting::Cross,
        std::cmp::Ordering::Equal => Meeting::Touch,
        std::cmp::Ordering::Greater => Meeting::Apart,
    }
}

/// On which side of the line from `a` to `b` a point lies: 1 left, -1 right, 0 on it. Degrees in nano units have 39
/// bits, so products of differences fit 128 bits with room.
pub(super) fn side(a: Nano, b: Nano, point: Nano) -> i32 {
    let wide = |to: Nano, from: Nano| [0, 1].map(|axis| i128::from(to[axis] - from[axis]));
    let (along, aside) = (wide(b, a), wide(point, a));
    (along[0] * aside[1] - along[1] * aside[0]).signum() as i32
}

/// About where two edges meet; an end, where they share one.
fn meeting_point(one: &Edge, two: &Edge) -> Nano {
    let shared = [one.from, one.to].into_iter().find(|end| *end == two.from || *end == two.to);
    if let Some(end) = shared {
        return end;
    }
    let difference = |to: Nano, from: Nano| [0, 1].map(|axis| (to[axis] - from[axis]) as f64);
    let (u, v, w) = (difference(one.to, one.from), difference(two.to, two.from), difference(two.from, one.from));
    let across = u[0] * v[1] - u[1] * v[0];
    if across == 0.0 {
        return two.from;
    }
    let t = (w[0] * v[1] - w[1] * v[0]) / across;
    [0, 1].map(|axis| one.from[axis] + (t.clamp(0.0, 1.0) * u[axis]).round() as i64)
}

/// Where a point lies to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    OnEdge,
    Outside,
}

/// Where a point lies to a ring, exactly.
pub(super) fn place(ring: &[Nano], point: Nano) -> Place {
    let mut inside = false;
    for number in 0..ring.len() {
        let (from, to) = (ring[number], ring[(number + 1) % ring.len()]);
        let (low, high) = if from[1] <= to[1] { (from, to) } else { (to, from) };
        let side = side(low, high, point);
        let within = |axis: usize| (from[axis].min(to[axis])..=from[axis].max(to[axis])).contains(&point[axis]);
        if side == 0 && within(0) && within(1) {
            return Place::OnEdge;
        }
        if low[1] <= point[1] && point[1] < high[1] && side > 0 {
            inside = !inside;
        }
    }
    if inside { Place::Inside } else { Place::Outside }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rings: &[&[Nano]], expected: Option<Nano>) {
        let rings: Vec<Vec<Nano>> = rings.iter().map(|ring| ring.to_vec()).collect();
        assert_eq!(first_crossing(&rings), expected);
    }

    const SQUARE: &[Nano] = &[[0, 0], [100, 0], [100, 100], [0, 100]];

    #[test]
    fn sound_rings_have_no_crossing() {
        check(&[SQUARE], None);
        check(&[SQUARE, &[[20, 20], [20, 40], [40, 40]]], None);
    }

    #[test]
    fn a_bow_tie_crosses_in_the_middle() {
        check(&[&[[0, 0], [100, 100], [100, 0], [0, 100]]], Some([50, 50]));
    }

    #[test]
    fn a_ring_that_touches_itself_or_turns_back_is_found() {
        check(&[&[[0, 0], [100, 0], [50, 50], [100, 100], [0, 100], [50, 50]]], Some([50, 50]));
        check(&[&[[0, 0], [100, 0], [150, 0], [100, 0], [100, 100], [0, 100]]], Some([100, 0]));
        check(&[&[[0, 0], [100, 0], [100, 100], [50, 0]]], Some([50, 0]));
    }

    #[test]
    fn a_hole_may_touch_the_outline_but_not_cross_it() {
        check(&[SQUARE, &[[0, 50], [20, 60], [20, 40]]], None);
        check(&[SQUARE, &[[-10, 50], [20, 60], [20, 40]]], Some([0, 53]));
        check(&[SQUARE, &[[0, 20], [0, 80], [20, 40]]], Some([0, 20]));
    }

    #[test]
    fn a_point_is_inside_outside_or_on_the_edge() {
        for (point, expected) in [
            ([50, 50], Place::Inside),
            ([100, 50], Place::OnEdge),
            ([0, 0], Place::OnEdge),
            ([101, 50], Place::Outside),
            ([50, 100], Place::OnEdge),
            ([-1, 0], Place::Outside),
            ([200, 100], Place::Outside),
        ] {
            assert_eq!(place(SQUARE, point), expected, "{point:?}");
        }
    }
}
