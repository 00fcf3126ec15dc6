//! Growing and shrinking what a grid covers, 64 cells at a time.

use super::Raster;

impl Raster {
    /// Closes slits and holes that are narrower than `width_m` and leaves all else as it is. The edge of the grid must
    /// be at least `width_m` away from what is covered.
    pub fn close(&mut self, width_m: f64) {
        let reach = self.cells(width_m / 2.0);
        if reach > 0 {
            let mut grown = self.clone();
            grown.grow_cells(reach);
            grown.shrink_cells(reach);
            // Growing meets the end of the grid where shrinking finds nothing: what was covered stays covered.
            self.unite(&grown);
        }
    }

    /// Covers everything within `metres` of what is covered.
    pub fn grow(&mut self, metres: f64) {
        self.grow_cells(self.cells(metres));
    }

    /// Uncovers everything within `metres` of what is not covered; beyond the grid nothing is.
    pub fn shrink(&mut self, metres: f64) {
        self.shrink_cells(self.cells(metres));
    }

    fn cells(&self, metres: f64) -> usize {
        (metres / self.cell_m).round() as usize
    }

    fn shrink_cells(&mut self, reach: usize) {
        self.invert();
        self.grow_cells(reach);
        self.invert();
        // The inverse knows nothing of what lies beyond the grid.
        self.clear_rim(reach);
    }

    /// Grows by an octagon of inner radius `reach`: a square first, then a diamond. Against a circle it is
    /// nowhere more than 9 % off.
    fn grow_cells(&mut self, reach: usize) {
        let diamond = (reach as f64 * (2.0 - std::f64::consts::SQRT_2)).round() as usize;
        let square = reach - diamond;
        self.grow_along_rows(square);
        self.grow_across_rows(square);
        // A diamond is a quarter turn of a square; step by step it costs more, but it is the shorter part.
        for _ in 0..diamond {
            self.grow_by_cross();
        }
        self.mask_ends();
    }

    fn grow_along_rows(&mut self, reach: usize) {
        // Each round doubles what is covered already, so that 100 cells take seven rounds.
        let mut done = 0;
        while done < reach {
            let step = (done + 1).min(reach - done);
            for row in self.bits.chunks_exact_mut(self.words) {
                shift_or(row, step);
            }
            done += step;
        }
    }

    fn grow_across_rows(&mut self, reach: usize) {
        let mut done = 0;
        while done < reach {
            let step = (done + 1).min(reach - done);
            let offset = step * self.words;
            let before = self.bits.clone();
            let end = before.len().saturating_sub(offset);
            self.bits[before.len() - end..].iter_mut().zip(&before[..end]).for_each(|(word, other)| *word |= other);
            self.bits[..end].iter_mut().zip(&before[before.len() - end..]).for_each(|(word, other)| *word |= other);
            done += step;
        }
    }

    fn grow_by_cross(&mut self) {
        let mut grown = self.clone();
        grown.grow_along_rows(1);
        self.grow_across_rows(1);
        self.unite(&grown);
    }

    fn invert(&mut self) {
        self.bits.iter_mut().for_each(|word| *word = !*word);
        self.mask_ends();
    }

    fn clear_rim(&mut self, reach: usize) {
        let (rows, words) = (self.rows, self.words);
        let inner = reach.min(self.columns)..self.columns.saturating_sub(reach).max(reach.min(self.columns));
        for (number, row) in self.bits.chunks_exact_mut(words).enumerate() {
            if number < reach || number + reach >= rows {
                row.fill(0);
                continue;
            }
            for (index, word) in row.iter_mut().enumerate() {
                *word &= mask_of(index, inner.clone());
            }
        }
    }

    /// Cells beyond the last column are no part of the grid.
    fn mask_ends(&mut self) {
        let columns = self.columns;
        for row in self.bits.chunks_exact_mut(self.words) {
            let last = row.len() - 1;
            row[last] &= mask_of(last, 0..columns);
        }
    }
}

/// The bits of word `index` that lie in `columns`.
fn mask_of(index: usize, columns: std::ops::Range<usize>) -> u64 {
    let from = columns.start.saturating_sub(index * 64).min(64);
    let to = columns.end.saturating_sub(index * 64).min(64);
    let below = |bits: usize| if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    below(to) & !below(from)
}

/// Covers cells up to `step` away from covered ones along a row, if those nearer than `step` are covered already.
fn shift_or(row: &mut [u64], step: usize) {
    let (words, bits) = (step / 64, step % 64);
    let before = row.to_vec();
    let at = |index: Option<usize>| index.and_then(|index| before.get(index)).copied().unwrap_or(0);
    for (index, word) in row.iter_mut().enumerate() {
        let (near, far) = (index.checked_sub(words), index.checked_sub(words + 1));
        let from_left = at(near) << bits | if bits > 0 { at(far) >> (64 - bits) } else { 0 };
        let (near, far) = (index + words, index + words + 1);
        let from_right = at(Some(near)) >> bits | if bits > 0 { at(Some(far)) << (64 - bits) } else { 0 };
        *word |= from_left | from_right;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Point};
    use super::*;
    use proptest::prelude::*;

    fn grid(width_m: f64, height_m: f64) -> Raster {
        Raster::over(Bounds { low: Point::default(), high: Point::new(width_m, height_m) }, 1.0)
    }

    fn rectangle(x: f64, y: f64, width: f64, height: f64) -> [Point; 4] {
        [Point::new(x, y), Point::new(x + width, y), Point::new(x + width, y + height), Point::new(x, y + height)]
    }

    #[test]
    fn a_narrow_slit_closes_and_a_wide_one_does_not() {
        for turned in [false, true] {
            let strip = |from: f64, width: f64| {
                if turned { rectangle(from, 20.0, width, 100.0) } else { rectangle(20.0, from, 100.0, width) }
            };
            let mut raster = grid(300.0, 300.0);
            raster.fill(&strip(20.0, 10.0));
            raster.fill(&strip(34.0, 10.0));
            raster.fill(&strip(52.0, 10.0));
            assert_eq!(raster.count(), 3_000);
            raster.close(6.0);
            let closed = raster.count();
            // All of the slit but its corners, which are the octagon's.
            assert!((3_390..=3_400).contains(&closed), "{closed}: the slit of 4 m is closed, the one of 8 m is not");
        }
    }

    #[test]
    fn growing_goes_as_far_as_told_in_every_direction() {
        for reach in [5.0, 12.0, 30.0, 100.0] {
            let mut raster = grid(500.0, 500.0);
            raster.fill(&rectangle(250.0, 250.0, 1.0, 1.0));
            raster.grow(reach);
            let middle = Point::new(250.5, 250.5);
            for degrees in 0..360 {
                let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
                let at = |metres: f64| Point::new(middle.x + metres * cos, middle.y + metres * sin);
                assert!(raster.contains(at(reach * 0.98)), "{reach} m at {degrees}°");
                assert!(!raster.contains(at(reach * 1.09 + 1.5)), "{reach} m at {degrees}°");
            }
        }
    }

    #[test]
    fn shrinking_takes_a_rim_also_at_the_end_of_the_grid() {
        let mut raster = grid(100.0, 100.0);
        raster.fill(&rectangle(-10.0, -10.0, 200.0, 200.0));
        let all = raster.count();
        raster.shrink(10.0);
        assert_eq!((raster.count() as f64).sqrt(), (all as f64).sqrt() - 20.0);
        raster.shrink(60.0);
        assert_eq!(raster.count(), 0);
    }

    proptest! {
        #[test]
        fn growing_agrees_with_the_definition(cells in prop::collection::vec((0usize..140, 0usize..9), 1..30), reach in 0usize..70) {
            let mut raster = grid(139.0, 8.0);
            for (x, y) in &cells {
                raster.fill(&rectangle(*x as f64, *y as f64, 1.0, 1.0));
            }
            let covered: Vec<(usize, usize)> = (0..raster.rows).flat_map(|y| (0..raster.columns).map(move |x| (x, y)))
                .filter(|(x, y)| raster.get(*x, *y)).collect();
            let diamond = (reach as f64 * (2.0 - std::f64::consts::SQRT_2)).round() as usize;
            let square = reach - diamond;
            let mut grown = raster.clone();
            grown.grow_cells(reach);
            for y in 0..raster.rows {
                for x in 0..raster.columns {
                    let near = covered.iter().any(|(cx, cy)| {
                        let (dx, dy) = (x.abs_diff(*cx).saturating_sub(square), y.abs_diff(*cy).saturating_sub(square));
                        dx + dy <= diamond
                    });
                    prop_assert_eq!(grown.get(x, y), near, "{} {}", x, y);
                }
            }
        }
    }
}
