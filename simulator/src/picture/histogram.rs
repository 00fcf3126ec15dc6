//! Distributions side by side: what was recorded on a real machine, and what the simulator makes.

use super::svg::{Anchor, Svg};

const PANEL: (f64, f64) = (420.0, 210.0);
const MARGIN: f64 = 46.0;
const COLUMNS: usize = 2;
const COLOURS: [&str; 3] = ["#c0392b", "#2c6fbb", "#4f8f3a"];

/// One source of values.
#[derive(Debug, Clone)]
pub struct Curve {
    /// What it is, for the legend.
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
}

/// Distributions of one signal.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// What is measured, with its unit.
    pub title: String,
    /// Values outside are counted in the outermost bins.
    pub range: (f64, f64),
    /// How many bins.
    pub bins: usize,
    /// The sources.
    pub curves: Vec<Curve>,
}

impl Curve {
    /// The value below which a share of the values lies; 0 without values.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64) as usize;
        sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }

    /// Share of the values in each bin.
    fn shares(&self, (low, high): (f64, f64), bins: usize) -> Vec<f64> {
        let mut counts = vec![0u32; bins];
        for value in &self.values {
            let bin = ((value - low) / (high - low) * bins as f64).floor().clamp(0.0, bins as f64 - 1.0);
            counts[bin as usize] += 1;
        }
        let total = self.values.len().max(1) as f64;
        counts.into_iter().map(|count| f64::from(count) / total).collect()
    }
}

/// A page of histograms, two in a row.
pub fn page(title: &str, histograms: &[Histogram]) -> String {
    let mut svg = Svg::default();
    svg.element(r##"rect width="100%" height="100%" fill="#ffffff""##);
    svg.text((MARGIN, 30.0), 17.0, Anchor::Start, "#2b2b2b", title);
    let cell = (PANEL.0 + MARGIN + 20.0, PANEL.1 + 92.0);
    for (index, histogram) in histograms.iter().enumerate() {
        let at = (MARGIN + (index % COLUMNS) as f64 * cell.0, 66.0 + (index / COLUMNS) as f64 * cell.1);
        draw(&mut svg, histogram, at);
    }
    let rows = histograms.len().div_ceil(COLUMNS);
    svg.finish(COLUMNS as f64 * cell.0 + 20.0, 66.0 + rows as f64 * cell.1, title)
}

fn draw(svg: &mut Svg, histogram: &Histogram, (x, y): (f64, f64)) {
    let shares: Vec<_> = histogram.curves.iter().map(|curve| curve.shares(histogram.range, histogram.bins)).collect();
    let highest = shares.iter().flatten().copied().fold(0.0, f64::max).max(1e-9);
    svg.text((x, y), 14.0, Anchor::Start, "#2b2b2b", &histogram.title);
    let (top, bottom) = (y + 12.0, y + 12.0 + PANEL.1);
    svg.element(&format!(
        r##"rect x="{x:.1}" y="{top:.1}" width="{}" height="{}" fill="#fafafa" stroke="#bbb""##,
        PANEL.0, PANEL.1
    ));
    for (index, shares) in shares.iter().enumerate() {
        let width = PANEL.0 / histogram.bins as f64;
        let height = |share: f64| bottom - share / highest * (PANEL.1 - 14.0);
        let mut points = vec![(x, bottom)];
        for (bin, share) in shares.iter().enumerate() {
            let left = x + bin as f64 * width;
            points.extend([(left, height(*share)), (left + width, height(*share))]);
        }
        points.push((x + PANEL.0, bottom));
        let colour = COLOURS[index % COLOURS.len()];
        svg.path(
            points,
            true,
            &format!(r##"fill="{colour}" fill-opacity="0.22" stroke="{colour}" stroke-width="1.2""##),
        );
    }
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let value = histogram.range.0 + share * (histogram.range.1 - histogram.range.0);
        svg.text((x + share * PANEL.0, bottom + 15.0), 11.0, Anchor::Middle, "#777", &number(value));
    }
    svg.text((x - 6.0, top + 14.0), 11.0, Anchor::End, "#777", &format!("{:.0} %", highest * 100.0));
    for (index, curve) in histogram.curves.iter().enumerate() {
        let at = (x, bottom + 34.0 + 17.0 * index as f64);
        let colour = COLOURS[index % COLOURS.len()];
        svg.element(&format!(
            r##"rect x="{:.1}" y="{:.1}" width="14" height="10" fill="{colour}" fill-opacity="0.6""##,
            at.0,
            at.1 - 9.0
        ));
        let [low, median, high] = [0.05, 0.5, 0.95].map(|share| number(curve.quantile(share)));
        let legend = format!("{}: 5 % {low}, median {median}, 95 % {high}  (n = {})", curve.name, curve.values.len());
        svg.text((at.0 + 20.0, at.1), 11.5, Anchor::Start, "#2b2b2b", &legend);
    }
}

fn number(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_what_lies_outside_is_in_the_outermost_bins() {
        let curve = Curve { name: "made".into(), values: vec![-5.0, 0.1, 0.2, 0.9, 7.0] };
        assert_eq!(curve.shares((0.0, 1.0), 4), [0.6, 0.0, 0.0, 0.4]);
        assert_eq!((curve.quantile(0.5), curve.quantile(1.0)), (0.2, 7.0));
    }

    #[test]
    fn a_page_names_every_signal_and_every_source() {
        let curves = vec![
            Curve { name: "recorded".into(), values: vec![1.0, 2.0, 2.0] },
            Curve { name: "made".into(), values: vec![2.0, 3.0] },
        ];
        let histogram = Histogram { title: "speed, km/h".into(), range: (0.0, 4.0), bins: 8, curves };
        let drawn = page("A page", &[histogram.clone(), histogram]);
        assert_eq!(drawn.matches(">speed, km/h<").count(), 2);
        crate::picture::svg::check_well_formed(&drawn);
        assert!(drawn.contains("recorded: 5 % 1.00, median 2.00, 95 % 2.00  (n = 3)"));
    }
}
