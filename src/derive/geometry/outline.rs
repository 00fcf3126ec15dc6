//! Outlines of what a grid covers, and lines with fewer points.

use super::{Point, Raster, distance_to_segment, ring_area_m2};

/// A covered region: its outer ring, counter-clockwise, then its holes, clockwise.
pub type Region = Vec<Vec<Point>>;

/// Direction of travel along the edges of cells, the covered side on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    East,
    North,
    West,
    South,
}

impl Raster {
    /// The regions that are covered, as polygons along the edges of cells, of at least `least_m2`; holes smaller than
    /// that are filled. In the order of their lowest, then leftmost corner.
    pub fn regions(&self, least_m2: f64) -> Vec<Region> {
        let mut seen = self.blank();
        let (mut outers, mut holes) = (Vec::new(), Vec::new());
        for row in 0..self.rows {
            for word in 0..self.words {
                // An eastward edge has its covered cell above and none below: one of each ring is found here first.
                let below = if row > 0 { self.bits[(row - 1) * self.words + word] } else { 0 };
                let mut edges = self.bits[row * self.words + word] & !below;
                while edges != 0 {
                    let column = word * 64 + edges.trailing_zeros() as usize;
                    edges &= edges - 1;
                    if !seen.get(column, row) {
                        let ring = self.walk(column, row, &mut seen);
                        let area = ring_area_m2(&ring);
                        if area.abs() >= least_m2 {
                            if area > 0.0 { outers.push(ring) } else { holes.push(ring) }
                        }
                    }
                }
            }
        }
        let mut regions: Vec<Region> = outers.into_iter().map(|outer| vec![outer]).collect();
        for hole in holes {
            // The smallest ring around it: regions lie in holes of others.
            let owner = regions
                .iter_mut()
                .filter(|region| is_inside(hole[0], &region[0]))
                .min_by(|a, b| ring_area_m2(&a[0]).total_cmp(&ring_area_m2(&b[0])));
            if let Some(region) = owner {
                region.push(hole);
            }
        }
        regions
    }

    /// Walks a ring that begins with the lower edge of a cell, eastward, marking the eastward edges it takes.
    fn walk(&self, column: usize, row: usize, seen: &mut Raster) -> Vec<Point> {
        let covered = |column: usize, row: usize| {
            // Grid lines count from 0; the cell left of line 0 is none.
            let (column, row) = (column.wrapping_sub(1), row.wrapping_sub(1));
            column < self.columns && row < self.rows && self.get(column, row)
        };
        let (mut x, mut y, mut heading) = (column, row, Heading::East);
        let mut ring = Vec::new();
        loop {
            if heading == Heading::East {
                seen.bits[y * seen.words + x / 64] |= 1 << (x % 64);
            }
            let before = heading;
            match heading {
                Heading::East => x += 1,
                Heading::North => y += 1,
                Heading::West => x -= 1,
                Heading::South => y -= 1,
            }
            // The two cells ahead, to the left and to the right of the line.
            let (left, right) = match heading {
                Heading::East => (covered(x + 1, y + 1), covered(x + 1, y)),
                Heading::North => (covered(x, y + 1), covered(x + 1, y + 1)),
                Heading::West => (covered(x, y), covered(x, y + 1)),
                Heading::South => (covered(x + 1, y), covered(x, y)),
            };
            heading = match (left, right) {
                // Cells that touch at a corner only are kept apart: turn left.
                (false, _) => turn_left(heading),
                (true, false) => heading,
                (true, true) => turn_right(heading),
            };
            if heading != before {
                ring.push(Point::new(self.low.x + x as f64 * self.cell_m, self.low.y + y as f64 * self.cell_m));
            }
            if (x, y, heading) == (column, row, Heading::East) {
                return ring;
            }
        }
    }
}

fn turn_left(heading: Heading) -> Heading {
    match heading {
        Heading::East => Heading::North,
        Heading::North => Heading::West,
        Heading::West => Heading::South,
        Heading::South => Heading::East,
    }
}

fn turn_right(heading: Heading) -> Heading {
    turn_left(turn_left(turn_left(heading)))
}

/// Whether a point is inside a ring (even-odd).
pub fn is_inside(point: Point, ring: &[Point]) -> bool {
    super::edges(ring).fold(false, |inside, (a, b)| {
        let crosses = (a.y > point.y) != (b.y > point.y) && point.x < a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x);
        inside != crosses
    })
}

/// Leaves out points of a line that lie within `tolerance_m` of the line without them (Douglas and Peucker). The ends
/// stay.
pub fn simplify(line: &[Point], tolerance_m: f64) -> Vec<Point> {
    let mut keep = vec![false; line.len()];
    let mut open = vec![(0, line.len().saturating_sub(1))];
    while let Some((from, to)) = open.pop() {
        for end in [from, to] {
            if let Some(keep) = keep.get_mut(end) {
                *keep = true;
            }
        }
        let inner = (from + 1..to).map(|index| (index, distance_to_segment(line[index], line[from], line[to])));
        if let Some((index, distance)) = inner.max_by(|a, b| a.1.total_cmp(&b.1))
            && distance > tolerance_m
        {
            open.extend([(from, index), (index, to)]);
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// The same for a ring: it is cut at the point farthest from its first.
pub fn simplify_ring(ring: &[Point], tolerance_m: f64) -> Vec<Point> {
    let Some(&first) = ring.first() else { return Vec::new() };
    let far = (0..ring.len()).max_by(|a, b| first.distance(ring[*a]).total_cmp(&first.distance(ring[*b]))).unwrap_or(0);
    let mut simple = simplify(&ring[..=far], tolerance_m);
    let back: Vec<_> = ring[far..].iter().copied().chain([first]).collect();
    simple.extend(simplify(&back, tolerance_m).into_iter().skip(1));
    simple.pop();
    simple
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, edges};
    use super::*;
    use proptest::prelude::*;

    fn raster_of(picture: &[&str]) -> Raster {
        let high = Point::new(picture[0].len() as f64, picture.len() as f64);
        let mut raster = Raster::over(Bounds { low: Point::default(), high }, 1.0);
        for (row, line) in picture.iter().rev().enumerate() {
            for (column, mark) in line.chars().enumerate() {
                let (x, y) = (column as f64, row as f64);
                if mark == '#' {
                    raster.fill(
                        &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(dx, dy)| Point::new(x + dx, y + dy)),
                    );
                }
            }
        }
        raster
    }

    fn areas(raster: &Raster, least_m2: f64) -> Vec<Vec<f64>> {
        raster.regions(least_m2).iter().map(|region| region.iter().map(|ring| ring_area_m2(ring)).collect()).collect()
    }

    #[test]
    fn regions_have_their_holes_and_what_lies_in_a_hole_is_a_region_of_its_own() {
        let raster = raster_of(&[
            "#######...",
            "#.....#...",
            "#.###.#..#",
            "#.#.#.#...",
            "#.###.#...",
            "#.....#...",
            "#######...",
        ]);
        assert_eq!(areas(&raster, 0.0), vec![vec![49.0, -25.0], vec![9.0, -1.0], vec![1.0]]);
        assert_eq!(areas(&raster, 2.0), vec![vec![49.0, -25.0], vec![9.0]]);
    }

    #[test]
    fn cells_that_touch_at_a_corner_are_apart() {
        assert_eq!(areas(&raster_of(&[".#", "#."]), 0.0), vec![vec![1.0], vec![1.0]]);
        assert_eq!(areas(&raster_of(&["..."]), 0.0), Vec::<Vec<f64>>::new());
    }

    #[test]
    fn a_straight_line_needs_two_points_and_a_corner_three() {
        let line: Vec<_> = (0..=10).map(|n| Point::new(f64::from(n), 0.04 * f64::from(n % 2))).collect();
        assert_eq!(simplify(&line, 0.05).len(), 2);
        assert_eq!(simplify(&line, 0.01).len(), 11);
        assert_eq!(simplify(&[], 1.0), vec![]);
        let square: Vec<_> = [(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 5.0)]
            .map(|(x, y)| Point::new(x, y))
            .into();
        assert_eq!(ring_area_m2(&simplify_ring(&square, 0.1)), 100.0);
        assert_eq!(simplify_ring(&square, 0.1).len(), 4);
    }

    proptest! {
        #[test]
        fn rings_enclose_exactly_what_is_covered(cells in prop::collection::vec(prop::collection::vec(any::<bool>(), 70), 1..9)) {
            let picture: Vec<String> = cells.iter().map(|row| row.iter().map(|c| if *c { '#' } else { '.' }).collect()).collect();
            let raster = raster_of(&picture.iter().map(String::as_str).collect::<Vec<_>>());
            let regions = raster.regions(0.0);
            let total: f64 = regions.iter().flatten().map(|ring| ring_area_m2(ring)).sum();
            prop_assert_eq!(total, raster.count() as f64);
            for ring in regions.iter().flatten() {
                prop_assert!(edges(ring).all(|(a, b)| (a.x == b.x) != (a.y == b.y)), "edges run along cells and turn");
            }
        }
    }
}
