//! From degrees to a drawing: a plane that touches the earth in the middle of what is drawn.

/// Metres east and north of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    origin: (f64, f64),
    metres_per_degree: (f64, f64),
}

/// What lies within, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) min: (f64, f64),
    pub(super) max: (f64, f64),
}

impl Plane {
    /// The plane that touches at a latitude and longitude: arc lengths of a degree on WGS-84.
    pub(super) fn at(origin: (f64, f64)) -> Self {
        let phi = origin.0.to_radians();
        let north = 111_132.954 - 559.822 * (2.0 * phi).cos() + 1.175 * (4.0 * phi).cos();
        let east = 111_412.84 * phi.cos() - 93.5 * (3.0 * phi).cos() + 0.118 * (5.0 * phi).cos();
        Self { origin, metres_per_degree: (north, east) }
    }

    /// East and north of the origin, metres.
    pub(super) fn metres(&self, (latitude, longitude): (f64, f64)) -> (f64, f64) {
        let (north, east) = self.metres_per_degree;
        ((longitude - self.origin.1) * east, (latitude - self.origin.0) * north)
    }
}

impl Extent {
    /// What holds all points; none without any.
    pub(super) fn of(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        points.into_iter().fold(None, |extent: Option<Self>, (x, y)| {
            let Some(Self { min, max }) = extent else { return Some(Self { min: (x, y), max: (x, y) }) };
            Some(Self { min: (min.0.min(x), min.1.min(y)), max: (max.0.max(x), max.1.max(y)) })
        })
    }

    pub(super) fn grown(self, by: f64) -> Self {
        Self { min: (self.min.0 - by, self.min.1 - by), max: (self.max.0 + by, self.max.1 + by) }
    }

    pub(super) fn width(self) -> f64 {
        self.max.0 - self.min.0
    }

    pub(super) fn height(self) -> f64 {
        self.max.1 - self.min.1
    }

    pub(super) fn contains(self, (x, y): (f64, f64)) -> bool {
        (self.min.0..=self.max.0).contains(&x) && (self.min.1..=self.max.1).contains(&y)
    }
}

/// The points that a line needs to stay within `tolerance` of the original (Douglas and Peucker, 1973).
pub(super) fn simplified(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut keep = vec![false; points.len()];
    (keep[0], keep[last]) = (true, true);
    let mut stretches = vec![(0, last)];
    while let Some((from, to)) = stretches.pop() {
        let farthest = (from + 1..to)
            .map(|index| (index, distance(points[index], points[from], points[to])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((index, metres)) = farthest
            && metres > tolerance
        {
            keep[index] = true;
            stretches.extend([(from, index), (index, to)]);
        }
    }
    points.iter().zip(keep).filter_map(|(point, keep)| keep.then_some(*point)).collect()
}

/// Distance of `p` from the stretch between `a` and `b`.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / square } else { 0.0 }.clamp(0.0, 1.0);
    (p.0 - a.0 - along * dx).hypot(p.1 - a.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_simplified_line_stays_near_the_original(
            points in prop::collection::vec((-500.0..500.0f64, -500.0..500.0f64), 0..60), tolerance in 0.1..50.0,
        ) {
            let simple = simplified(&points, tolerance);
            prop_assert!(simple.len() <= points.len());
            prop_assert_eq!(simple.first(), points.first());
            for point in &points {
                let near = simple.len() == 1
                    || simple.windows(2).any(|pair| distance(*point, pair[0], pair[1]) <= tolerance + 1e-9);
                prop_assert!(near, "{:?}", point);
            }
        }
    }

    #[test]
    fn a_minute_of_latitude_is_a_nautical_mile() {
        let (east, north) = Plane::at((56.5, 85.0)).metres((56.5 + 1.0 / 60.0, 85.0));
        assert!((north - 1_856.0).abs() < 2.0 && east == 0.0, "{north}");
    }
}
