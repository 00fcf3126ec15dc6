//! Curves and maps between given points.

use serde::Deserialize;

use super::error::{CatalogueError, Place};

/// A curve through points, straight between them and level beyond.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// The value at `x`.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let points = &self.0;
        let above = points.partition_point(|(px, _)| *px <= x);
        match (above.checked_sub(1).and_then(|below| points.get(below)), points.get(above)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (x - x0) / (x1 - x0) * (y1 - y0),
            (Some((_, y)), None) | (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        }
    }

    pub(super) fn check(&self, place: &Place<'_>, key: &str) -> Result<(), CatalogueError> {
        if self.0.len() < 2 || self.0.windows(2).any(|pair| pair[1].0 <= pair[0].0) {
            let mend = "give two points or more as [[x, y], …], x ascending";
            return Err(place.error(key, format!("{:?}", self.0), mend));
        }
        Ok(())
    }
}

/// Values on a grid, straight between the points and level beyond.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    /// Loads of the columns, share of the full load.
    load: Vec<f64>,
    /// Engine speeds of the rows.
    rpm: Vec<f64>,
    /// Values, a row for each speed.
    factor: Vec<Vec<f64>>,
}

impl Map {
    /// The value at a speed and a load.
    pub(crate) fn at(&self, rpm: f64, load: f64) -> f64 {
        let (row, rows) = bracket(&self.rpm, rpm);
        let (column, columns) = bracket(&self.load, load);
        let value = |r: usize, c: usize| self.factor[r][c];
        let across = |r: usize| {
            let next = (column + 1).min(self.load.len() - 1);
            value(r, column) * (1.0 - columns) + value(r, next) * columns
        };
        across(row) * (1.0 - rows) + across((row + 1).min(self.rpm.len() - 1)) * rows
    }

    pub(super) fn check(&self, place: &Place<'_>, key: &str) -> Result<(), CatalogueError> {
        let ascending = |axis: &[f64]| !axis.is_empty() && axis.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending(&self.load) || !ascending(&self.rpm) {
            return Err(place.error(key, "load and rpm", "give both axes ascending, with one value at least"));
        }
        if self.factor.len() != self.rpm.len() || self.factor.iter().any(|row| row.len() != self.load.len()) {
            let given = format!("{} rows", self.factor.len());
            let mend =
                format!("give a row for each of {} speeds, with {} values each", self.rpm.len(), self.load.len());
            return Err(place.error(&format!("{key}.factor"), given, &mend));
        }
        for value in self.factor.iter().flatten() {
            place.within(&format!("{key}.factor"), *value, 0.8, 20.0)?;
        }
        Ok(())
    }
}

/// The point below `x` and the share of the way to the next.
fn bracket(axis: &[f64], x: f64) -> (usize, f64) {
    let above = axis.partition_point(|value| *value <= x);
    match (above.checked_sub(1), axis.get(above)) {
        (Some(below), Some(next)) => (below, (x - axis[below]) / (next - axis[below])),
        (Some(below), None) => (below, 0.0),
        (None, _) => (0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_straight_between_its_points_and_level_beyond() {
        let curve = Curve(vec![(800.0, 300.0), (1_400.0, 500.0), (2_100.0, 430.0)]);
        assert_eq!([500.0, 800.0, 1_100.0, 2_100.0, 2_500.0].map(|x| curve.at(x)), [300.0, 300.0, 400.0, 430.0, 430.0]);
    }

    #[test]
    fn a_map_is_straight_in_both_directions() {
        let map =
            Map { load: vec![0.2, 1.0], rpm: vec![1_000.0, 2_000.0], factor: vec![vec![1.6, 1.0], vec![2.0, 1.2]] };
        let check =
            |rpm: f64, load: f64, value: f64| assert!((map.at(rpm, load) - value).abs() < 1e-12, "{rpm} {load}");
        check(1_000.0, 0.2, 1.6);
        check(1_500.0, 0.6, 1.45);
        check(9_000.0, 9.0, 1.2);
        check(0.0, 0.0, 1.6);
    }
}
